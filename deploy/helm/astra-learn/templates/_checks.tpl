{{/*
What the chart refuses at render time, each with a sentence that says what to do. values.schema.json refuses
what has the wrong shape; here is what has the right shape and would fail, leak or disturb inference later.
All that is wrong is said at once.
*/}}

{{/* (list where resources) -> a sentence, or nothing */}}
{{- define "astra.check-limits" -}}
{{- $limits := (index . 1).limits | default dict -}}
{{- range $what := list "cpu" "memory" -}}
{{- if not (get $limits $what) }}
{{ index $ 0 }} has no limit of {{ $what }}: set {{ index $ 0 }}.limits.{{ $what }}; without one a single pod can starve the node
{{- end -}}
{{- end -}}
{{- end }}

{{- define "astra.checks" -}}
{{- $v := .Values -}}
{{- if not $v.postgres.host }}
postgres.host is empty: name the Postgres server; without it every pod would wait for a database for ever
{{- end }}
{{- if not $v.secret.name }}
secret.name is empty: name the Secret that holds postgres-password, postgres-api-password and redis-url
{{- end }}
{{- if not (regexMatch "^s3://[a-z0-9][a-z0-9.-]+[a-z0-9](/[A-Za-z0-9._/-]*)?$" $v.objectStore.url) }}
objectStore.url is {{ $v.objectStore.url | quote }}: pods share nothing but a bucket, so it must be s3://bucket/prefix
{{- end }}
{{- if not (or $v.objectStore.region $v.objectStore.endpoint) }}
objectStore.region is empty: name the bucket's region, or objectStore.endpoint for a store that is not AWS
{{- end }}
{{- if not (or $v.encryption.objectStoreKmsKey $v.encryption.storageEncrypts) }}
encryption: objects would be stored without encryption at rest; set encryption.objectStoreKmsKey (SSE-KMS), or encryption.storageEncrypts where the store's own disks are encrypted
{{- end }}
{{- if not (or $v.encryption.masterKeyKms $v.encryption.masterKeyFromSecret) }}
encryption: nothing would wrap the municipalities' keys; set encryption.masterKeyKms to a KMS key, or encryption.masterKeyFromSecret with master-key in the Secret
{{- end }}
{{- if and $v.encryption.masterKeyKms $v.encryption.masterKeyFromSecret }}
encryption: masterKeyKms and masterKeyFromSecret are both set; a key wrapped by one does not open with the other, so choose one
{{- end }}
{{- if not $v.signingKey.secret }}
signingKey.secret is empty: name the Secret with the Ed25519 key that signs adapters; without it a training fails after its GPU was started
{{- end }}
{{- if not $v.mlflow.trackingUri }}
mlflow.trackingUri is empty: each pod would keep its records in a file of its own and lose them; name an MLflow server
{{- end }}
{{- if and $v.mlflow.trackingUri (not (hasPrefix "s3://" $v.mlflow.artifactRoot)) }}
mlflow.artifactRoot is {{ $v.mlflow.artifactRoot | quote }}: with an MLflow server run files need a place that outlives the pod; set it to s3://bucket/prefix
{{- end }}
{{- if and $v.externalSecret.enabled (not (and $v.externalSecret.store.name $v.externalSecret.remoteKey)) }}
externalSecret: store.name and remoteKey are needed: the secret store and the entry in it
{{- end }}
{{- range $component := list "api" "codeLocation" "webserver" "daemon" "migrations" }}
{{- include "astra.check-limits" (list (printf "%s.resources" $component) (get $v $component).resources) }}
{{- end }}
{{- range $name, $profile := $v.computeProfiles.profiles }}
{{- if $profile }}
{{- include "astra.check-profile" (list $ $name $profile) }}
{{- end }}
{{- end }}
{{- include "astra.check-kinds" . }}
{{- include "astra.check-resident" . }}
{{- if $v.networkPolicy.enabled }}
{{- range $place, $peers := $v.networkPolicy.destinations }}
{{- if not $peers }}
networkPolicy.destinations.{{ $place }} is empty: no pod could reach it; list its addresses ({ipBlock: {cidr: …}}) or pods, or set networkPolicy.enabled to false
{{- end }}
{{- end }}
{{- end }}
{{- $cards := get $v.quota.training "requests.nvidia.com/gpu" }}
{{- if and $cards (gt (int $v.dagster.gpus) (int $cards)) }}
dagster.gpus is {{ $v.dagster.gpus }} and quota.training allows {{ $cards }}: the runs above the quota would fail at admission; make them equal
{{- end }}
{{- $reserved := list }}
{{- range $want := list (list "database" "dagster" "instance" "redis" "objects" "mlflow" "sign" "verify" "logs") (list "api-database") }}
{{- range (include "astra.env-json" (dict "root" (dict "Values" (omit $v "settings")) "want" $want) | fromJson).env }}{{ $reserved = append $reserved .name }}{{ end }}
{{- end }}
{{- range $name, $value := $v.settings }}
{{- if or (has $name $reserved) (has $name (list "ASTRA_MASTER_KEY" "ASTRA_KEY" "ASTRA_REDIS_URL" "ASTRA_CHECKPOINT_DIR" "ASTRA_TRAINER_QUEUE" "ASTRA_TRAINER_QUEUE_WAIT_MINUTES")) }}
settings.{{ $name }}: the chart sets this variable itself, or it is a secret; use the value that is meant for it
{{- end }}
{{- end }}
{{- end }}

{{/* (list root where nodeSelector tolerations) -> sentences where they lead to inference's nodes */}}
{{- define "astra.check-place" -}}
{{- $root := index . 0 -}}{{- $where := index . 1 -}}
{{- range $label, $value := $root.Values.isolation.inferenceNodeLabels -}}
{{- $own := get (index $ 2 | default dict) $label -}}
{{- if and $own (eq (toString $own) (toString $value)) }}
{{ $where }} selects inference's nodes by {{ $label }}={{ $value }}: select the nodes of its own pool
{{- end -}}
{{- end -}}
{{- range $toleration := index . 3 -}}
{{- if not $toleration.key }}
{{ $where }} tolerates every taint, that of the inference pool too: name the key of the toleration
{{- else if has $toleration.key $root.Values.isolation.inferenceTaintKeys }}
{{ $where }} tolerates {{ $toleration.key }}, the taint that keeps runs away from inference: take the toleration out
{{- end -}}
{{- end -}}
{{- end }}

{{/* (list root name profile) */}}
{{- define "astra.check-profile" -}}
{{- $root := index . 0 -}}{{- $name := index . 1 -}}{{- $profile := index . 2 -}}
{{- $where := printf "computeProfiles.profiles.%s" $name -}}
{{- include "astra.check-limits" (list $where $profile) -}}
{{- range $what := list "cpu" "memory" -}}
{{- if not (get ($profile.requests | default dict) $what) }}
{{ $where }} has no request of {{ $what }}: set {{ $where }}.requests.{{ $what }}; without one any number of runs fits on a node
{{- end -}}
{{- end -}}
{{- $workload := include "astra.workload" (list $root $profile) -}}
{{- if and (eq $workload "training") (eq ($profile.image | default "trainer") "platform") }}
{{ $where }} trains with the platform image, which has no torch; leave image out or name the trainer's
{{- end -}}
{{- $apart := false -}}
{{- range $label, $value := $root.Values.isolation.inferenceNodeLabels -}}
{{- $own := get ($profile.node_selector | default dict) $label -}}
{{- if and $own (ne (toString $own) (toString $value)) }}{{ $apart = true }}{{ end -}}
{{- end -}}
{{- include "astra.check-place" (list $root $where $profile.node_selector $profile.tolerations) -}}
{{- /* Only a label that both have, with different values, proves that no node fits both. */ -}}
{{- if and (eq $workload "training") (not $apart) }}
{{ $where }} could train on the inference pool: its node_selector {{ $profile.node_selector | default dict | toJson }} does not exclude nodes labelled {{ $root.Values.isolation.inferenceNodeLabels | toJson }}; give both pools one label with different values
{{- end -}}
{{- range $entry := $profile.env -}}
{{- if has $entry.name (list "ASTRA_MASTER_KEY" "ASTRA_SIGNING_KEY_FILE" "PGPASSWORD" "ASTRA_DATABASE_URL") }}
{{ $where }}.env: {{ $entry.name }} is the chart's to set
{{- end -}}
{{- end -}}
{{- end }}

{{- define "astra.check-kinds" -}}
{{- $v := .Values -}}
{{- range $kind, $tiers := $v.computeProfiles.kinds -}}
{{- if not $tiers.standard }}
computeProfiles.kinds.{{ $kind }} has no profile for `standard`: every tier without one of its own takes that
{{- end -}}
{{- range $tier, $name := $tiers -}}
{{- $profile := get $v.computeProfiles.profiles $name -}}
{{- if not $profile }}
computeProfiles.kinds.{{ $kind }}.{{ $tier }} names the profile {{ $name | quote }}, which is not among computeProfiles.profiles
{{- else if and (eq $kind "training") (ne (include "astra.workload" (list $ $profile)) "training") }}
computeProfiles.kinds.training.{{ $tier }}: the profile {{ $name | quote }} has no GPU, may not sign adapters and has no torch; name one with gpu: 1 or more
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
