{{/* What every pod of ours has in common: an unprivileged user, a read-only root, two places to write. */}}

{{- define "astra.pod-security" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "astra.container-security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* (list root component serviceAccount token priority) -> the start of a pod's spec */}}
{{- define "astra.pod" -}}
{{- $root := index . 0 -}}
serviceAccountName: {{ include "astra.fullname" $root }}-{{ index . 2 }}
automountServiceAccountToken: {{ index . 3 }}
enableServiceLinks: false
priorityClassName: {{ include "astra.priority" (list $root (index . 4)) }}
securityContext: {{- include "astra.pod-security" $root | nindent 2 }}
{{- include "astra.pull-secrets" $root }}
{{- end }}

{{- define "astra.container" -}}
image: {{ include "astra.image" (list . "platform") }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{- include "astra.container-security" . | nindent 2 }}
{{- end }}

{{/* Volumes that make a read-only root bearable; (list root size) */}}
{{- define "astra.writable" -}}
- name: home
  emptyDir: {sizeLimit: {{ index . 1 }}}
- name: tmp
  emptyDir: {sizeLimit: {{ index . 1 }}}
{{- end }}

{{- define "astra.writable-mounts" -}}
- {name: home, mountPath: /var/lib/astra}
- {name: tmp, mountPath: /tmp}
{{- end }}

{{/* Dagster's instance and workspace, and the compute profiles, as files. */}}
{{- define "astra.instance-volume" -}}
- name: instance
  configMap: {name: {{ include "astra.fullname" . }}-dagster}
- name: compute
  configMap: {name: {{ include "astra.fullname" . }}-compute}
{{- end }}

{{- define "astra.instance-mounts" -}}
- {name: instance, mountPath: /etc/astra/dagster, readOnly: true}
- {name: compute, mountPath: /etc/astra/compute, readOnly: true}
{{- end }}

{{/* A pod that runs Dagster starts anew when what it reads at its start has changed. */}}
{{- define "astra.checksums" -}}
checksum/dagster: {{ include "astra.dagster-yaml" . | sha256sum }}
checksum/compute: {{ include "astra.profiles-json" . | sha256sum }}
{{- end }}

{{- define "astra.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
