{{/* Names, labels and images. */}}

{{- define "astra.fullname" -}}
{{- if contains "astra-learn" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-astra-learn" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* (list root component) -> labels that select its pods */}}
{{- define "astra.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: astra-learn
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* On every pod of ours, those of runs included: what the network policies select. */}}
{{- define "astra.release-label" -}}
astra-learn/release: {{ .Release.Name }}
{{- end }}

{{- define "astra.labels" -}}
{{- $root := index . 0 -}}
{{ include "astra.selector" . }}
{{ include "astra.release-label" $root }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* (list root "platform"|"trainer") -> image reference */}}
{{- define "astra.image" -}}
{{- $values := (index . 0).Values.image -}}
{{- $image := get $values (index . 1) -}}
{{- $name := $image.repository -}}
{{- with $values.registry }}{{ $name = printf "%s/%s" (trimSuffix "/" .) $name }}{{ end -}}
{{- if $image.digest }}{{ $name }}@{{ $image.digest }}{{ else }}{{ $name }}:{{ $image.tag }}{{ end -}}
{{- end }}

{{- define "astra.pull-secrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* (list root "online"|"control"|"preparation"|"training") -> PriorityClass */}}
{{- define "astra.priority" -}}
{{ include "astra.fullname" (index . 0) }}-{{ index . 1 }}
{{- end }}
