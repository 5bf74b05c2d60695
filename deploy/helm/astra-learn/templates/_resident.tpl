{{/*
One resident base a training profile: the runs of the profile ask for no card and wait in a folder of a shared
volume; the pod that has the card serves them. That pod is a Job which the daemon makes while there is work
(docs/decisions/0022); the chart says what it is, in the file of compute profiles.
*/}}

{{/* (list root name) -> the folder that runs of the profile and who serves them share */}}
{{- define "astra.queue-folder" -}}
/var/lib/queue/{{ index . 1 }}
{{- end }}

{{/* (list root name) -> the Job's fixed name: so there is one of it */}}
{{- define "astra.resident-name" -}}
{{- printf "%s-resident-%s" (include "astra.fullname" (index . 0) | trunc 24 | trimSuffix "-") (index . 1) | trunc 52 | trimSuffix "-" -}}
{{- end }}

{{- define "astra.queue-volume-json" -}}
{{- dict "name" "queue" "persistentVolumeClaim" (dict "claimName" .Values.residentBase.claim) | toJson -}}
{{- end }}

{{/* (list root name profile) -> what a run of the profile is when another pod has the card, as JSON */}}
{{- define "astra.served-json" -}}
{{- $root := index . 0 -}}{{- $name := index . 1 -}}{{- $r := $root.Values.residentBase -}}
{{- $own := dict "requests" $r.runs.requests "limits" $r.runs.limits "node_selector" $r.runs.nodeSelector "tolerations" $r.runs.tolerations -}}
{{- $profile := merge $own (omit (index . 2) "requests" "limits" "node_selector" "tolerations") -}}
{{- $whole := include "astra.profile-json" (list $root $profile) | fromJson -}}
{{- $queue := list
    (dict "name" "ASTRA_TRAINER_QUEUE" "value" (include "astra.queue-folder" (list $root $name)))
    (dict "name" "ASTRA_TRAINER_QUEUE_WAIT_MINUTES" "value" (toString $r.waitMinutes))
-}}
{{- $_ := set $whole "gpu" 0 -}}
{{- $_ := set $whole "env" (concat $whole.env $queue) -}}
{{- $_ := set $whole "volumes" (append $whole.volumes (include "astra.queue-volume-json" $root | fromJson)) -}}
{{- $_ := set $whole "volume_mounts" (append $whole.volume_mounts (dict "name" "queue" "mountPath" "/var/lib/queue")) -}}
{{- /* Kueue counts cards; who waits for one in the folder must not wait for it in Kueue as well. */ -}}
{{- $_ := set $whole "labels" (omit $whole.labels "kueue.x-k8s.io/queue-name") -}}
{{- $whole | toJson -}}
{{- end }}

{{/* (list root name profile) -> who serves the profile's runs, as JSON: no secret, no key, no way out */}}
{{- define "astra.resident-json" -}}
{{- $root := index . 0 -}}{{- $name := index . 1 -}}{{- $profile := index . 2 -}}{{- $r := $root.Values.residentBase -}}
{{- $pod := include "astra.profile-json" (list $root $profile) | fromJson -}}
{{- $env := list -}}{{- $base := dict -}}
{{- range $setting, $value := $root.Values.settings }}{{ $_ := set $base $setting (toString $value) }}{{ end -}}
{{- range $profile.env -}}
{{- if hasPrefix "ASTRA_" .name }}{{ $_ := set $base .name .value }}{{ else }}{{ $env = append $env . }}{{ end -}}
{{- end -}}
{{- $volumes := list (include "astra.queue-volume-json" $root | fromJson) -}}
{{- $mounts := list (dict "name" "queue" "mountPath" "/var/lib/queue") -}}
{{- range $pod.volumes }}{{ if ne .name "keys" }}{{ $volumes = append $volumes . }}{{ end }}{{ end -}}
{{- range $pod.volume_mounts }}{{ if ne .name "keys" }}{{ $mounts = append $mounts . }}{{ end }}{{ end -}}
{{- $labels := merge (dict
    "app.kubernetes.io/name" "astra-learn-resident"
    "app.kubernetes.io/component" "resident"
    "astra-learn/workload" "resident"
  ) $pod.labels -}}
{{- $own := dict
    "env" $env
    "volumes" $volumes
    "volume_mounts" $mounts
    "labels" $labels
    "service_account" (printf "%s-resident" (include "astra.fullname" $root))
    "active_deadline_seconds" (int $r.activeDeadlineSeconds)
    "ttl_seconds" (int $r.ttlSecondsAfterFinished)
-}}
{{- dict
    "job_name" (include "astra.resident-name" (list $root $name))
    "pod" (merge $own (omit $pod "env" "volumes" "volume_mounts" "labels" "service_account" "active_deadline_seconds" "ttl_seconds"))
    "queue" (include "astra.queue-folder" (list $root $name))
    "base" (get $base "ASTRA_BASE_MODEL" | default nil)
    "base_revision" (get $base "ASTRA_BASE_REVISION" | default nil)
    "idle_minutes" $r.idleMinutes
    "job_minutes" $r.jobMinutes
  | toJson -}}
{{- end }}

{{/* How many runs that use a card may be under way: one a card, or as many as may wait for a resident base. */}}
{{- define "astra.gpu-runs" -}}
{{- ternary .Values.residentBase.runs.atOnce .Values.dagster.gpus .Values.residentBase.enabled -}}
{{- end }}

{{- define "astra.check-resident" -}}
{{- $v := .Values -}}{{- $r := $v.residentBase -}}
{{- if $r.enabled }}
{{- if not $r.claim }}
residentBase.claim is empty: name a ReadWriteMany claim that keeps locks between nodes (NFS from version 4 on, EFS, CephFS); trainings wait in it for the pod that has the card
{{- end }}
{{- if le (float64 $r.waitMinutes) (float64 $r.idleMinutes) }}
residentBase.waitMinutes is {{ $r.waitMinutes }} and idleMinutes {{ $r.idleMinutes }}: after an upgrade a training waits for the old base to leave first, so it must wait longer than that one may be idle
{{- end }}
{{- include "astra.check-limits" (list "residentBase.runs" $r.runs) }}
{{- range $what := list "cpu" "memory" }}
{{- if not (get ($r.runs.requests | default dict) $what) }}
residentBase.runs has no request of {{ $what }}: set residentBase.runs.requests.{{ $what }}; without one any number of runs fits on a node
{{- end }}
{{- end }}
{{- include "astra.check-place" (list $ "residentBase.runs" $r.runs.nodeSelector $r.runs.tolerations) }}
{{- $cards := 0 }}
{{- range $name, $profile := $v.computeProfiles.profiles }}
{{- if $profile }}
{{- $cards = add $cards (int ($profile.gpu | default 0)) }}
{{- range $profile.env }}
{{- if has .name (list "ASTRA_TRAINER_QUEUE" "ASTRA_TRAINER_QUEUE_WAIT_MINUTES") }}
computeProfiles.profiles.{{ $name }}.env: {{ .name }} is residentBase's to set
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- $allowed := get $v.quota.training "requests.nvidia.com/gpu" }}
{{- if and $allowed (gt (int $cards) (int $allowed)) }}
residentBase: each training profile has a pod with cards of its own, {{ $cards }} in all, and quota.training allows {{ $allowed }}: one of them would never start; make them equal, or take profiles out
{{- end }}
{{- end }}
{{- end }}
