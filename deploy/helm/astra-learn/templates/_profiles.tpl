{{/*
Compute profiles: what the values say, and what the chart adds to each so that it is whole: image, service
account, security, two places to write, labels for the network policies, environment by allow-list, and for
runs that train the signing key. The file's format is in README.md.
*/}}

{{/* (list root profile) -> training|preparation: what it may read, sign and reach. A profile with a GPU trains. */}}
{{- define "astra.workload" -}}
{{- ternary "training" "preparation" (gt (int ((index . 1).gpu | default 0)) 0) -}}
{{- end }}

{{/* (list root profile) -> the whole profile as JSON */}}
{{- define "astra.profile-json" -}}
{{- $root := index . 0 -}}{{- $profile := index . 1 -}}
{{- $v := $root.Values -}}
{{- $workload := include "astra.workload" . -}}
{{- $training := eq $workload "training" -}}
{{- $image := $profile.image | default (ternary "trainer" "platform" $training) -}}
{{- if has $image (list "platform" "trainer") }}{{ $image = include "astra.image" (list $root $image) }}{{ end -}}
{{- $want := ternary (list "database" "dagster" "objects" "mlflow" "sign") (list "database" "dagster" "objects" "mlflow" "redis") $training -}}
{{- $env := list -}}
{{- range (include "astra.env-json" (dict "root" $root "want" $want) | fromJson).env -}}
{{- if hasKey . "secret" -}}
{{- $env = append $env (dict "name" .name "secretKeyRef" (dict "name" $v.secret.name "key" .secret)) -}}
{{- else -}}
{{- $env = append $env (dict "name" .name "value" .value) -}}
{{- end -}}
{{- end -}}
{{- $env = concat $env ($profile.env | default list) -}}
{{- $disk := get $profile.limits "ephemeral-storage" | default "8Gi" -}}
{{- $volumes := list (dict "name" "home" "emptyDir" (dict "sizeLimit" $disk)) (dict "name" "tmp" "emptyDir" (dict "sizeLimit" $disk)) -}}
{{- $mounts := list (dict "name" "home" "mountPath" "/var/lib/astra") (dict "name" "tmp" "mountPath" "/tmp") -}}
{{- if $training -}}
{{- $items := list (dict "key" $v.signingKey.privateKey "path" $v.signingKey.privateKey) (dict "key" $v.signingKey.publicKey "path" $v.signingKey.publicKey) -}}
{{- $volumes = append $volumes (dict "name" "keys" "secret" (dict "secretName" $v.signingKey.secret "defaultMode" 288 "items" $items)) -}}
{{- $mounts = append $mounts (dict "name" "keys" "mountPath" "/etc/astra/keys" "readOnly" true) -}}
{{- with $v.checkpoints.claim -}}
{{- $volumes = append $volumes (dict "name" "checkpoints" "persistentVolumeClaim" (dict "claimName" .)) -}}
{{- $mounts = append $mounts (dict "name" "checkpoints" "mountPath" "/var/lib/checkpoints") -}}
{{- end -}}
{{- end -}}
{{- /* The standard labels too: a run that brought its own could otherwise pass for the API or the daemon. */ -}}
{{- $labels := dict
    "app.kubernetes.io/name" "astra-learn-run"
    "app.kubernetes.io/instance" $root.Release.Name
    "app.kubernetes.io/component" "run"
    "astra-learn/release" $root.Release.Name
    "astra-learn/workload" $workload
-}}
{{- if and $training $v.kueue.queueName }}{{ $_ := set $labels "kueue.x-k8s.io/queue-name" $v.kueue.queueName }}{{ end -}}
{{- $priority := $profile.priority_class | default $workload -}}
{{- dict
    "image" $image
    "requests" $profile.requests
    "limits" $profile.limits
    "gpu" (int ($profile.gpu | default 0))
    "node_selector" ($profile.node_selector | default dict)
    "tolerations" ($profile.tolerations | default list)
    "priority_class" (include "astra.priority" (list $root $priority))
    "active_deadline_seconds" (int $profile.active_deadline_seconds)
    "ttl_seconds" (int $profile.ttl_seconds)
    "volumes" (concat $volumes ($profile.volumes | default list))
    "volume_mounts" (concat $mounts ($profile.volume_mounts | default list))
    "service_account" (printf "%s-%s" (include "astra.fullname" $root) $workload)
    "security_context" (include "astra.container-security" $root | fromYaml)
    "pod_security_context" (include "astra.pod-security" $root | fromYaml)
    "env" $env
    "labels" (merge $labels ($profile.labels | default dict))
  | toJson -}}
{{- end }}

{{- define "astra.profiles-json" -}}
{{- $root := . -}}{{- $profiles := dict -}}
{{- $resident := dict -}}
{{- range $name, $profile := .Values.computeProfiles.profiles -}}
{{- if $profile -}}
{{- if and $root.Values.residentBase.enabled (eq (include "astra.workload" (list $root $profile)) "training") -}}
{{- $_ := set $profiles $name (include "astra.served-json" (list $root $name $profile) | fromJson) -}}
{{- $_ := set $resident $name (include "astra.resident-json" (list $root $name $profile) | fromJson) -}}
{{- else -}}
{{- $_ := set $profiles $name (include "astra.profile-json" (list $root $profile) | fromJson) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $inference := dict "labels" .Values.isolation.inferenceNodeLabels "taints" .Values.isolation.inferenceTaintKeys -}}
{{- $policy := dict "profiles" $profiles "kinds" .Values.computeProfiles.kinds "inference" $inference -}}
{{- if $resident }}{{ $_ := set $policy "resident" $resident }}{{ end -}}
{{- $policy | toPrettyJson -}}
{{- end }}

{{- define "astra.smoke-profile" -}}
{{- .Values.smokeTest.profile | default .Values.computeProfiles.kinds.training.standard -}}
{{- end }}
