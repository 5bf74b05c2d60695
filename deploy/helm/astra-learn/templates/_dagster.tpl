{{/* dagster.yaml: the same coordinator as on a laptop, runs as Kubernetes Jobs. */}}

{{- define "astra.dagster-yaml" -}}
{{- $v := .Values -}}
{{- $bucket := regexReplaceAll "^s3://([^/]+).*$" $v.objectStore.url "${1}" -}}
{{- $prefix := regexReplaceAll "^s3://[^/]+/?" $v.objectStore.url "" | trimSuffix "/" -}}
storage:
  postgres:
    postgres_url: {env: ASTRA_DAGSTER_DATABASE_URL}
local_artifact_storage:
  module: dagster._core.storage.root
  class: LocalArtifactStorage
  config: {base_dir: /var/lib/astra/dagster}
compute_logs:
  module: dagster_aws.s3.compute_log_manager
  class: S3ComputeLogManager
  config:
    bucket: {{ $bucket }}
    prefix: {{ list $prefix "compute-logs" | compact | join "/" }}
    local_dir: /var/lib/astra/compute-logs
    upload_interval: 30
    skip_empty_files: true
    {{- with $v.objectStore.region }}
    region: {{ . }}
    {{- end }}
    {{- with $v.objectStore.endpoint }}
    endpoint_url: {{ . }}
    use_ssl: {{ hasPrefix "https://" . }}
    {{- end }}
    {{- with $v.encryption.objectStoreKmsKey }}
    upload_extra_args: {ServerSideEncryption: "aws:kms", SSEKMSKeyId: {{ . | quote }}}
    {{- end }}
run_coordinator:
  module: astra_learn_assets.automation.run_coordinator
  class: TaggingRunCoordinator
  config:
    dequeue_interval_seconds: 5
    max_user_code_failure_retries: {{ $v.dagster.maxUserCodeFailureRetries }}
    user_code_failure_retry_delay: 60
run_launcher:
  {{- if $v.residentBase.enabled }}
  module: astra_learn_assets.automation.served_launcher
  class: ServedRunLauncher
  {{- else }}
  module: dagster_k8s
  class: K8sRunLauncher
  {{- end }}
  config:
    job_namespace: {{ .Release.Namespace }}
    service_account_name: {{ include "astra.fullname" . }}-preparation
    instance_config_map: {{ include "astra.fullname" . }}-dagster
    dagster_home: /etc/astra/dagster
    image_pull_policy: {{ $v.image.pullPolicy }}
    {{- with $v.image.pullSecrets }}
    image_pull_secrets:
      {{- range . }}
      - name: {{ . }}
      {{- end }}
    {{- end }}
    labels: {astra-learn/release: {{ .Release.Name }}}
    volumes:
      - name: instance
        configMap: {name: {{ include "astra.fullname" . }}-dagster}
    volume_mounts:
      - {name: instance, mountPath: /etc/astra/dagster, readOnly: true}
    run_k8s_config:
      # A run's pod asks nothing of the Kubernetes API, and does not start again by itself.
      pod_spec_config: {automount_service_account_token: false, enable_service_links: false}
      job_spec_config: {backoff_limit: 0}
    # The coordinator stamps a profile on each run; nobody, the code location included, may ask for more than
    # a profile has: no host network, no second container, no other namespace.
    only_allow_user_defined_k8s_config_fields:
      container_config: {image: true, env: true, resources: true, security_context: true, volume_mounts: true}
      pod_spec_config:
        node_selector: true
        tolerations: true
        priority_class_name: true
        service_account_name: true
        automount_service_account_token: true
        security_context: true
        volumes: true
      pod_template_spec_metadata: {labels: true}
      job_metadata: {labels: true}
      job_spec_config: {active_deadline_seconds: true, ttl_seconds_after_finished: true, backoff_limit: true}
concurrency:
  runs:
    max_concurrent_runs: {{ $v.dagster.maxConcurrentRuns }}
    tag_concurrency_limits:
      - key: astra/lane
        value: {applyLimitPerUniqueValue: true}
        limit: 1
      - {key: astra/gpu, limit: {{ include "astra.gpu-runs" . }}}
  # "gpu" is the only pool: as many runs as the tag astra/gpu lets through.
  pools: {granularity: run, default_limit: {{ include "astra.gpu-runs" . }}}
run_monitoring:
  enabled: true
  start_timeout_seconds: {{ int $v.dagster.runMonitoring.startTimeoutSeconds }}
  cancel_timeout_seconds: {{ int $v.dagster.runMonitoring.cancelTimeoutSeconds }}
  poll_interval_seconds: {{ int $v.dagster.runMonitoring.pollIntervalSeconds }}
  max_runtime_seconds: {{ int $v.dagster.runMonitoring.maxRuntimeSeconds }}
  free_slots_after_run_end_seconds: 60
run_retries:
  enabled: true
  max_retries: {{ $v.dagster.runRetries }}
  retry_on_asset_or_op_failure: false
sensors: {use_threads: true, num_workers: 4}
backfills: {use_threads: true, num_workers: 2}
retention:
  sensor:
    purge_after_days: {{ toJson $v.dagster.retention.ticksDays }}
  schedule:
    purge_after_days: {{ toJson $v.dagster.retention.ticksDays }}
telemetry: {enabled: false}
nux: {enabled: false}
{{- end }}
