"""What a tenant may take away as CSV: one table of each thing the panel shows.

Long tables are read page by page while they are sent, so one of ten thousand trainings takes no more memory
than one of a thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal, get_args

from pydantic import BaseModel

from astra_learn_assets.contracts import DictionaryEntry
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import (
    csv_text,
    kept,
    name_history,
    review,
    status,
    training_history,
    trends,
    uploads_shown,
)
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import dictionary

Name = Literal[
    "status",
    "trainings",
    "months",
    "adapters",
    "uploads",
    "privacy",
    "quarantine",
    "dictionary",
    "dictionary-history",
]
NAMES: tuple[Name, ...] = get_args(Name)
_Rows = Iterable[Sequence[object]]
_TRAINING = (
    "run_id", "state", "explanation", "reason", "attempt", "examples", "wer_before", "wer_after", "wer_base",
    "cer_before", "cer_after", "gpu_minutes", "dataset_hash", "golden_hash", "adapter_id", "dagster_run_id",
    "mlflow_run_id", "created_at", "finished_at", "odd",
)  # fmt: skip
_MONTH = tuple(trends.Month.model_fields)
_POINT = tuple(trends.Point.model_fields)
_CHANGE = tuple(name_history.NameChange.model_fields)
_ENTRY = ("wrong", "right", "kind", "source_document", "author", "created_at")
_KEPT = ("document_id", "created_at", "reason", "review", "reviewed_by", "unreadable")
_UPLOAD = (
    "document_id", "session_id", "version", "received_at", "state", "corrections", "live", "live_seconds",
    "waiting", "unconfirmed", "left_out", "quarantined",
)  # fmt: skip
_UPLOADS = 1_000
_DAYS = 3_650
_PIECE = 200


def as_csv(platform: Platform, tenant_id: TenantId, name: Name, *, bom: bool = False) -> Iterator[str]:
    """The table ``name`` of a tenant, in pieces: the first is small and early, the others of many lines.

    What sends them changes the thread for each piece; one a line would cost more than making it.
    """
    columns, rows = _TABLES[name]
    lines = csv_text.lines(columns, rows(platform, tenant_id), bom=bom)
    yield from islice(lines, 1)
    while piece := "".join(islice(lines, _PIECE)):
        yield piece


def _fields(columns: Sequence[str], rows: Iterable[object]) -> _Rows:
    for row in rows:
        yield [getattr(row, column) for column in columns]


def _status(platform: Platform, tenant_id: TenantId) -> _Rows:
    return _facts(status.learning_status(platform, tenant_id))


def _privacy(platform: Platform, tenant_id: TenantId) -> _Rows:
    return _facts(kept.privacy_counts(platform, tenant_id))


def _facts(found: BaseModel) -> _Rows:
    """Every figure of an answer as a row: its path and its value."""
    waiting: list[tuple[str, object]] = [("", found.model_dump())]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{path}.{key}".lstrip("."), inner) for key, inner in reversed(value.items())]
        elif path:
            yield (path, value)


def _trainings(platform: Platform, tenant_id: TenantId) -> _Rows:
    return _fields(_TRAINING, training_history.every(platform, tenant_id))


def _months(platform: Platform, tenant_id: TenantId) -> _Rows:
    return _fields(_MONTH, trends.learning_metrics(platform, tenant_id, days=_DAYS).months)


def _adapters(platform: Platform, tenant_id: TenantId) -> _Rows:
    return _fields(_POINT, trends.learning_metrics(platform, tenant_id, days=_DAYS).points)


def _uploads(platform: Platform, tenant_id: TenantId) -> _Rows:
    return _fields(_UPLOAD, uploads_shown.newest(platform, tenant_id, limit=_UPLOADS))


def _quarantine(platform: Platform, tenant_id: TenantId) -> _Rows:
    return _fields(_KEPT, review.every(platform, tenant_id))


def _dictionary(platform: Platform, tenant_id: TenantId) -> _Rows:
    with platform.database.session() as session:
        _, entries = dictionary.stored(session, tenant_id)
    # made one by one as they are sent: ten thousand at once would hold up the first line
    return _fields(_ENTRY, map(DictionaryEntry.model_validate, entries.values()))


def _history(platform: Platform, tenant_id: TenantId) -> _Rows:
    return _fields(_CHANGE, name_history.every(platform, tenant_id))


_TABLES: dict[Name, tuple[Sequence[str], Callable[[Platform, TenantId], _Rows]]] = {
    "status": (("name", "value"), _status),
    "trainings": (_TRAINING, _trainings),
    "months": (_MONTH, _months),
    "adapters": (_POINT, _adapters),
    "uploads": (_UPLOAD, _uploads),
    "privacy": (("name", "value"), _privacy),
    "quarantine": (_KEPT, _quarantine),
    "dictionary": (_ENTRY, _dictionary),
    "dictionary-history": (_CHANGE, _history),
}
