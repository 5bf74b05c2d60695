{{/*
Environment, by allow-list: each pod names every variable and every single secret that it gets. Variables are
written as dicts {name, value | secret}, so that containers and the file of compute profiles get the same ones.
Passwords stay outside URLs: libpq reads PGPASSWORD.
*/}}

{{- define "astra.postgres-url" -}}
{{- $p := (index . 0).Values.postgres -}}
postgresql+psycopg2://{{ index . 1 }}@{{ $p.host }}:{{ $p.port }}/{{ index . 2 }}?sslmode={{ $p.sslmode }}
{{- end }}

{{/* (dict "root" . "want" (list names)) -> JSON {"env": […]} */}}
{{- define "astra.env-json" -}}
{{- $root := .root -}}{{- $v := $root.Values -}}{{- $want := .want -}}{{- $env := list -}}
{{- $plain := list (dict "name" "ASTRA_HOME" "value" "/var/lib/astra") -}}
{{- $env = concat $env $plain -}}
{{- if has "database" $want -}}
{{- $env = append $env (dict "name" "ASTRA_DATABASE_URL" "value" (include "astra.postgres-url" (list $root $v.postgres.user $v.postgres.database))) -}}
{{- end -}}
{{- if has "api-database" $want -}}
{{- $env = append $env (dict "name" "ASTRA_API_DATABASE_URL" "value" (include "astra.postgres-url" (list $root $v.postgres.apiUser $v.postgres.database))) -}}
{{- $env = append $env (dict "name" "PGPASSWORD" "secret" "postgres-api-password") -}}
{{- end -}}
{{- if has "dagster" $want -}}
{{- $env = append $env (dict "name" "ASTRA_DAGSTER_DATABASE_URL" "value" (include "astra.postgres-url" (list $root $v.postgres.user $v.postgres.dagsterDatabase))) -}}
{{- end -}}
{{- if or (has "database" $want) (has "dagster" $want) -}}
{{- $env = append $env (dict "name" "PGPASSWORD" "secret" "postgres-password") -}}
{{- end -}}
{{- if has "instance" $want -}}
{{- $env = append $env (dict "name" "DAGSTER_HOME" "value" "/etc/astra/dagster") -}}
{{- $env = append $env (dict "name" "ASTRA_COMPUTE_PROFILES" "value" "/etc/astra/compute/profiles.json") -}}
{{- end -}}
{{- if has "redis" $want -}}
{{- $env = append $env (dict "name" "ASTRA_REDIS_URL" "secret" "redis-url") -}}
{{- else if or (has "database" $want) (has "api-database" $want) -}}
{{- /* This pod must not reach Redis and holds no password of it; a sensor sends what it leaves in the outbox. */ -}}
{{- $env = append $env (dict "name" "ASTRA_REDIS_URL" "value" "redis://not-reached.invalid:6379/0") -}}
{{- end -}}
{{- if has "objects" $want -}}
{{- $env = append $env (dict "name" "ASTRA_OBJECT_STORE_URL" "value" $v.objectStore.url) -}}
{{- with $v.encryption.objectStoreKmsKey }}{{ $env = append $env (dict "name" "ASTRA_OBJECT_STORE_KMS_KEY" "value" .) }}{{ end -}}
{{- with $v.encryption.masterKeyKms }}{{ $env = append $env (dict "name" "ASTRA_MASTER_KEY_KMS" "value" .) }}{{ end -}}
{{- if $v.encryption.masterKeyFromSecret }}{{ $env = append $env (dict "name" "ASTRA_MASTER_KEY" "secret" "master-key") }}{{ end -}}
{{- end -}}
{{- if or (has "objects" $want) (has "logs" $want) -}}
{{- with $v.objectStore.region }}{{ $env = concat $env (list (dict "name" "AWS_REGION" "value" .) (dict "name" "AWS_DEFAULT_REGION" "value" .)) }}{{ end -}}
{{- with $v.objectStore.endpoint }}{{ $env = append $env (dict "name" "AWS_ENDPOINT_URL_S3" "value" .) }}{{ end -}}
{{- if $v.objectStore.credentialsFromSecret -}}
{{- $env = append $env (dict "name" "AWS_ACCESS_KEY_ID" "secret" "aws-access-key-id") -}}
{{- $env = append $env (dict "name" "AWS_SECRET_ACCESS_KEY" "secret" "aws-secret-access-key") -}}
{{- end -}}
{{- end -}}
{{- if has "mlflow" $want -}}
{{- $env = append $env (dict "name" "ASTRA_MLFLOW_TRACKING_URI" "value" $v.mlflow.trackingUri) -}}
{{- $env = append $env (dict "name" "ASTRA_MLFLOW_ARTIFACT_ROOT" "value" $v.mlflow.artifactRoot) -}}
{{- with $v.objectStore.endpoint }}{{ $env = append $env (dict "name" "MLFLOW_S3_ENDPOINT_URL" "value" .) }}{{ end -}}
{{- if $v.mlflow.credentialsFromSecret -}}
{{- $env = append $env (dict "name" "MLFLOW_TRACKING_USERNAME" "secret" "mlflow-username") -}}
{{- $env = append $env (dict "name" "MLFLOW_TRACKING_PASSWORD" "secret" "mlflow-password") -}}
{{- end -}}
{{- end -}}
{{- if has "sign" $want -}}
{{- $env = append $env (dict "name" "ASTRA_SIGNING_KEY_FILE" "value" (printf "/etc/astra/keys/%s" $v.signingKey.privateKey)) -}}
{{- end -}}
{{- if or (has "sign" $want) (has "verify" $want) -}}
{{- $env = append $env (dict "name" "ASTRA_VERIFY_KEY_FILE" "value" (printf "/etc/astra/keys/%s" $v.signingKey.publicKey)) -}}
{{- end -}}
{{- if and (has "sign" $want) $v.checkpoints.claim -}}
{{- $env = append $env (dict "name" "ASTRA_CHECKPOINT_DIR" "value" "/var/lib/checkpoints") -}}
{{- end -}}
{{- if and (has "notices" $want) $v.notices.smtpFrom -}}
{{- $env = append $env (dict "name" "ASTRA_SMTP_FROM" "value" $v.notices.smtpFrom) -}}
{{- $env = append $env (dict "name" "ASTRA_SMTP_URL" "secret" "smtp-url") -}}
{{- end -}}
{{- with $v.webserver.url }}{{ $env = append $env (dict "name" "ASTRA_DAGSTER_URL" "value" .) }}{{ end -}}
{{- with $v.api.url }}{{ $env = append $env (dict "name" "ASTRA_API_URL" "value" .) }}{{ end -}}
{{- if has "api-database" $want -}}
{{- $env = append $env (dict "name" "ASTRA_API_COMPARE_PROCESSES" "value" (toString $v.api.compareProcesses)) -}}
{{- end -}}
{{- range $name, $value := $v.settings }}{{ $env = append $env (dict "name" $name "value" (toString $value)) }}{{ end -}}
{{- dict "env" $env | toJson -}}
{{- end }}

{{/* The same as a container's env. */}}
{{- define "astra.env" -}}
{{- $root := .root -}}
{{- range (include "astra.env-json" . | fromJson).env }}
- name: {{ .name }}
  {{- if hasKey . "secret" }}
  valueFrom:
    secretKeyRef: {name: {{ $root.Values.secret.name }}, key: {{ .secret }}}
  {{- else }}
  value: {{ .value | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Of the migrations: the databases, and nothing else. */}}
{{- define "astra.migrate-env" -}}
{{- $secret := ternary (printf "%s-migrate" (include "astra.fullname" .)) .Values.secret.name .Values.externalSecret.enabled -}}
- {name: ASTRA_HOME, value: /var/lib/astra}
- {name: ASTRA_DATABASE_URL, value: {{ include "astra.postgres-url" (list . .Values.postgres.user .Values.postgres.database) | quote }}}
- {name: ASTRA_DAGSTER_DATABASE_URL, value: {{ include "astra.postgres-url" (list . .Values.postgres.user .Values.postgres.dagsterDatabase) | quote }}}
- {name: ASTRA_REDIS_URL, value: "redis://not-reached.invalid:6379/0"}
- name: PGPASSWORD
  valueFrom:
    secretKeyRef: {name: {{ $secret }}, key: postgres-password}
{{- end }}
