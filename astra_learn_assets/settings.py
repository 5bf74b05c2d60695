"""The one settings class. Every field is an ``ASTRA_*`` environment variable (see ``.env.example``).

With nothing set, everything runs embedded below ``ASTRA_HOME`` (``.astra/``): Postgres, Redis, a
folder as object store, MLflow in SQLite. Production sets URLs; the code paths are the same.
Settings are read by :func:`get_settings`, never at import time. The value ``none`` is no value at all,
where a variable has to take away what ``.env`` gives.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parent.parent
REMEMBERED = "settings.env"
UPLOAD_MAX_BYTES = 30_000_000
DOCUMENT_CONFIDENCE_MINIMUM = 0.5


class Settings(BaseSettings):
    """All knobs of the platform; units are in the names or the descriptions."""

    model_config = SettingsConfigDict(
        env_prefix="ASTRA_",
        env_file=".env",
        env_ignore_empty=True,
        env_parse_none_str="none",
        extra="ignore",
    )

    # where things run
    home: Path = Field(Path(".astra"), description="folder of everything embedded")
    database_url: str | None = Field(None, description="Postgres URL; empty = embedded")
    api_database_url: str | None = Field(
        None,
        description="Postgres URL of the API, as a role under row-level security (astra_api); "
        "empty = embedded. Required with database_url where the API runs",
    )
    dagster_database_url: str | None = Field(
        None, description="Postgres URL of Dagster's storage; empty = embedded, or database_url where set"
    )
    redis_url: str | None = Field(None, description="Redis URL; empty = embedded")
    object_store_url: str | None = Field(
        None, description="file:///dir or s3://bucket/prefix; empty = home/objects"
    )
    object_store_kms_key: str | None = Field(None, description="KMS key id for SSE-KMS on S3")
    mlflow_tracking_uri: str | None = Field(None, description="MLflow server URL; empty = SQLite in home")
    mlflow_artifact_root: str | None = Field(
        None, description="where MLflow keeps run files; empty = home/mlflow-artifacts"
    )
    api_host: str = "127.0.0.1"
    api_port: int = 8600
    api_url: str | None = Field(None, description="public URL of the API, for links to the panel")
    api_compare_processes: int = Field(
        default_factory=lambda: min(os.cpu_count() or 2, 8),
        ge=0,
        description="processes that compare documents; 0 = inside the API's own",
    )
    api_rate_per_second: float = Field(
        50, gt=0, description="requests a second per key; bursts of twice that"
    )
    dagster_port: int = 3600
    dagster_url: str | None = Field(None, description="public URL of the Dagster UI, for links")
    compute_profiles: Path | None = Field(
        None, description="JSON file: what the pod of each kind of run is (Kubernetes; the chart writes it)"
    )
    commit_hash: str | None = Field(
        None, description="commit of the running code, set when the image is built; empty = asked of git"
    )
    source_url: str | None = Field(
        None,
        pattern="^https?://",
        description="where this code is shown, {commit} being the running one, as "
        "https://github.com/OWNER/NAME/blob/{commit}: Dagster links each asset to it; empty = to the file",
    )
    key: SecretStr | None = Field(None, description="bearer key of `astra-learn submit --url`")

    outbox_retention_hours: float = Field(
        24, ge=0, description="how long an event that was published, and the names in it, is kept"
    )

    # telling people
    smtp_url: SecretStr | None = Field(
        None,
        description="server that sends e-mail: smtp://user:password@host:587 (STARTTLS is demanded), "
        "smtps://host:465, or smtp+plain://host:25 inside one's own network; empty = no e-mail",
    )
    smtp_from: str | None = Field(None, description="address that e-mail comes from")
    notify_private_addresses: bool = Field(
        False, description="whether webhooks may go to http:// and to addresses of one's own network"
    )

    traces_url: str | None = Field(
        None,
        pattern="^https?://",
        description="OpenTelemetry collector that takes OTLP over HTTP, as http://collector:4318; empty = no "
        "traces",
    )

    # keys
    master_key: SecretStr | None = Field(
        None, description="base64 of 32 bytes that wrap tenant keys; empty = file in home"
    )
    master_key_kms: str | None = Field(None, description="KMS key that wraps tenant keys in production")
    signing_key_file: Path | None = Field(None, description="Ed25519 private key, PEM; empty = made in home")
    verify_key_file: Path | None = Field(
        None, description="Ed25519 public key, PEM; empty = derived from the signing key"
    )

    # comparison and privacy
    upload_max_bytes: int = Field(UPLOAD_MAX_BYTES, gt=0)
    document_confidence_minimum: float = Field(DOCUMENT_CONFIDENCE_MINIMUM, ge=0, le=1)
    country: str = Field("es", description="country pack of national ids for tenants that name none")
    ner_model: str | None = Field(
        None, description="spaCy or transformers model by name or path; empty = shipped"
    )

    # learning
    base_model: str = Field(str(REPOSITORY / "trainer" / "base_model"), description="Hugging Face id or path")
    base_revision: str | None = None
    trainer_python: str | None = Field(None, description="Python that runs the trainer; empty = this one")
    trainer_queue: Path | None = Field(
        None, description="folder of a `python -m trainer serve-queue`: trainings share its resident base"
    )
    trainer_queue_wait_minutes: float = Field(
        0,
        ge=0,
        description="how long a training waits for who serves the queue, and is never done here, as in a pod "
        "without a card; 0 = where nobody serves it is done here",
    )
    checkpoint_dir: Path | None = Field(
        None, description="folder on a volume that outlives a pod: a stopped training goes on from there"
    )
    replay_file: Path | None = Field(None, description="JSONL of replay examples; empty = shipped")
    replay_share: float = Field(0.2, ge=0, lt=1)
    corpus_cap: int = Field(20_000, gt=0)
    corpus_minimum: int = Field(50, gt=0)
    golden_share: float = Field(0.2, gt=0, lt=1, description="share of documents kept for the golden set")
    golden_minimum_words: int = Field(500, gt=0)
    golden_minimum_documents: int = Field(3, ge=2)
    golden_recommended_words: int = Field(5_000, gt=0, description="below this a golden set has a warning")
    golden_recommended_documents: int = Field(20, gt=0)
    golden_maximum_age_days: float = Field(
        365, gt=0, description="a golden set without a newer document has a warning"
    )
    golden_maximum_examples: int = Field(400, gt=0, description="evaluation cost bound")
    golden_minimum_power: float = Field(
        0.8, ge=0, lt=1, description="share of such golden sets in which a rise that is not allowed is seen"
    )
    wer_tolerance_points: float = Field(2.0, ge=0, description="points: 100 * errors / words")
    wer_margin_points: float = Field(
        0.5, ge=0, description="an interval wholly above this is a rise, however small"
    )
    cer_tolerance_points: float = Field(2.0, ge=0)
    entity_tolerance_points: float = Field(2.0, ge=0, description="names and numbers")
    clean_tolerance_points: float = Field(2.0, ge=0, description="damage to paragraphs that were right")
    generic_tolerance_points: float = Field(2.0, ge=0, description="forgetting, on text of no municipality")
    canary_share: float = Field(
        0, ge=0, le=1, description="share of sessions a new adapter gets first; 0 or 1: all at once"
    )
    canary_sessions: int = Field(5, ge=2, description="corrected sessions of each side that are enough")
    canary_days: float = Field(28, gt=0, description="after which a canary ends in any case")
    train_threshold: int = Field(500, gt=0)
    train_minimum: int = Field(50, gt=0)
    train_max_age_hours: float = Field(168, gt=0)
    train_backoff_minutes: float = Field(30, ge=0)
    train_settle_minutes: float = Field(
        10, ge=0, description="how long enough examples wait for documents still being prepared"
    )
    sensor_interval_seconds: int = Field(30, ge=1)
    run_retention_days: int = Field(
        90, ge=0, description="how long Dagster's finished runs and their events are kept; 0 = for ever"
    )
    lora_rank: int = Field(16, gt=0)
    lora_alpha: int = Field(32, gt=0)
    learning_rate: float | None = Field(None, gt=0, description="default: what fits the base model's size")
    epochs: float | None = Field(None, gt=0, description="default: what fits the base model's size")
    batch_tokens: int | None = Field(
        None,
        gt=0,
        description="tokens per optimizer step, padding excluded; default: what fits the base model's size",
    )
    seed: int = 7

    # serving
    adapter_cache_bytes: int = Field(2_000_000_000, gt=0)

    @property
    def home_path(self) -> Path:
        """``home`` as an absolute path."""
        return self.home.expanduser().resolve()


@lru_cache(maxsize=4)
def get_settings(home: Path | None = None) -> Settings:
    """The process's settings; tests build their own :class:`Settings` or clear this cache.

    ``home`` takes the place of ``ASTRA_HOME``. Either way what was remembered in the home counts, above
    ``.env`` and below the environment.
    """
    folder = Settings().home_path if home is None else home
    configured = Settings.model_config.get("env_file")
    files = [Path(configured)] if isinstance(configured, str | Path) else []
    remembered = Settings(_env_file=(*files, folder / REMEMBERED))  # type: ignore[call-arg]
    return remembered if home is None else remembered.model_copy(update={"home": home})


def remember(home: Path, values: Mapping[str, int | float]) -> None:
    """Keep ``values`` with the embedded platform in ``home``, for every process that joins it later."""
    home.mkdir(parents=True, exist_ok=True)
    lines = [f"ASTRA_{name.upper()}={value}\n" for name, value in values.items()]
    (home / REMEMBERED).write_text("".join(lines), encoding="utf-8")
