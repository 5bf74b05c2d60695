"""``manifest.json``: what an adapter folder holds, for whom, and from what it was made.

The *content digest* names an adapter. It covers tenant, base model and revision, dataset hash,
hyperparameters and the hash of every file that is loaded; it leaves out time, metrics, commit, and the two
report files whose seconds differ from run to run. So the same training gives the same adapter id, and the
signature over the whole manifest still covers every byte in the folder.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from astra_learn_assets import ids
from astra_learn_assets.contracts import AdapterManifest
from astra_learn_assets.datasets.jsonl import canonical_json
from astra_learn_assets.errors import AdapterRefused
from astra_learn_assets.ids import TenantId
from astra_learn_assets.registry.commit import commit_hash

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
METRICS = "metrics.json"
TRAIN_LOG = "train_log.jsonl"
REPORTS = frozenset({METRICS, TRAIN_LOG})
"""Files about the training, signed but not part of what the adapter is."""

Scalar = float | int | str | bool | None

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SUFFIXES = frozenset({".safetensors", ".json", ".jsonl", ".txt", ".md", ".png", ".jinja"})
_PICKLE_SUFFIX = ".bin"
_MAX_FILES = 64


def file_names(folder: Path, *, allow_pickle: bool = False) -> list[str]:
    """Names of the files in an adapter folder, sorted, manifest and signature included.

    An adapter folder is flat: ordinary files with plain names and harmless suffixes. ``.bin`` files are
    pickles, which run code when loaded, and pass only with ``allow_pickle``.

    Raises:
        AdapterRefused: naming the first entry that does not belong.
    """
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            raise AdapterRefused(f"{folder.name}: an adapter is a folder, not a file or a link")
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise AdapterRefused(f"{folder.name}: {error.strerror or 'cannot be read'}") from None
    if len(entries) > _MAX_FILES:
        raise AdapterRefused(f"{folder.name}: {len(entries)} files, an adapter has at most {_MAX_FILES}")
    for entry in entries:
        if not entry.is_file(follow_symlinks=False):
            raise AdapterRefused(f"{folder.name}/{entry.name!r:.80}: links and subfolders are not allowed")
        _check_name(entry.name, allow_pickle=allow_pickle)
    return [entry.name for entry in entries]


def hash_file(path: Path) -> str:
    """SHA-256 of a file that must not be a link.

    Raises:
        AdapterRefused: when it cannot be opened.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(handle, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AdapterRefused(f"{path.name}: {error.strerror or 'cannot be read'}") from None


def content_digest(
    *,
    tenant_id: TenantId,
    base_model: str,
    base_revision: str | None,
    dataset_hash: str,
    hyperparameters: Mapping[str, Scalar],
    files: Mapping[str, str],
) -> str:
    """SHA-256 over the canonical JSON of what the adapter is (64 hexadecimal digits)."""
    content = {
        "tenant_id": tenant_id,
        "base_model": base_model,
        "base_revision": base_revision,
        "dataset_hash": dataset_hash,
        "hyperparameters": dict(hyperparameters),
        "files": {name: value for name, value in files.items() if name not in REPORTS},
    }
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def digest_of(manifest: AdapterManifest) -> str:
    """The content digest of a manifest."""
    return content_digest(
        tenant_id=manifest.tenant_id,
        base_model=manifest.base_model,
        base_revision=manifest.base_revision,
        dataset_hash=manifest.dataset_hash,
        hyperparameters=manifest.hyperparameters,
        files=manifest.files,
    )


def build_manifest(
    folder: Path,
    *,
    tenant_id: TenantId,
    base_model: str,
    base_revision: str | None,
    dataset_hash: str,
    hyperparameters: Mapping[str, object],
    metrics: Mapping[str, object],
    commit: str | None = None,
    created_at: datetime | None = None,
    allow_pickle: bool = False,
) -> AdapterManifest:
    """Describe the adapter in ``folder``; nothing is written.

    Of ``hyperparameters`` and ``metrics`` the finite scalars are taken, so ``metrics.json`` can be given
    as it is. ``commit``: the code that trained it; by default the code that is running.

    Raises:
        AdapterRefused: when the folder holds something that no adapter has, or lacks its weights or config.
        InvalidId: for a malformed dataset hash.
    """
    ids.digest(dataset_hash, "dataset hash")
    names = [
        name for name in file_names(folder, allow_pickle=allow_pickle) if name not in (MANIFEST, SIGNATURE)
    ]
    files = {name: hash_file(folder / name) for name in names}
    require_parts(files, allow_pickle=allow_pickle)
    recipe = _scalars(hyperparameters)
    digest = content_digest(
        tenant_id=tenant_id,
        base_model=base_model,
        base_revision=base_revision,
        dataset_hash=dataset_hash,
        hyperparameters=recipe,
        files=files,
    )
    return AdapterManifest(
        adapter_id=ids.adapter_id(tenant_id, digest),
        tenant_id=tenant_id,
        base_model=base_model,
        base_revision=base_revision,
        dataset_hash=dataset_hash,
        commit_hash=commit or commit_hash(),
        hyperparameters=recipe,
        metrics=_scalars(metrics),
        files=files,
        created_at=created_at or datetime.now(UTC),
    )


def require_parts(files: Mapping[str, str], *, allow_pickle: bool = False) -> None:
    """Weights and config must be there, under the names PEFT loads.

    Raises:
        AdapterRefused: naming what is missing.
    """
    weights = {WEIGHTS, "adapter_model.bin"} if allow_pickle else {WEIGHTS}
    if CONFIG not in files or not weights & files.keys():
        raise AdapterRefused(f"an adapter needs {CONFIG} and {WEIGHTS}; it has {sorted(files)}")


def dump_manifest(manifest: AdapterManifest) -> bytes:
    """The canonical bytes of ``manifest.json``: what is signed."""
    return canonical_json(manifest.model_dump(mode="json")).encode() + b"\n"


def load_manifest(data: bytes, *, allow_pickle: bool = False) -> AdapterManifest:
    """Read ``manifest.json`` and check that it agrees with itself.

    Raises:
        AdapterRefused: when it is malformed, not canonical, names files outside the folder, or its id is
            not that of its content.
    """
    try:
        manifest = AdapterManifest.model_validate_json(data)
        canonical = dump_manifest(manifest) == data
    except (ValidationError, ValueError):
        raise AdapterRefused(f"{MANIFEST} is malformed") from None
    if not canonical:
        raise AdapterRefused(f"{MANIFEST} is not in canonical form")
    for name in manifest.files:
        _check_name(name, allow_pickle=allow_pickle)
        if name in (MANIFEST, SIGNATURE):
            raise AdapterRefused(f"{MANIFEST} must not list itself")
    require_parts(manifest.files, allow_pickle=allow_pickle)
    if manifest.adapter_id != ids.adapter_id(manifest.tenant_id, digest_of(manifest)):
        raise AdapterRefused(f"{MANIFEST}: the adapter id is not that of the content")
    return manifest


def _scalars(values: Mapping[str, object]) -> dict[str, Scalar]:
    return {
        name: value
        for name, value in sorted(values.items())
        if value is None
        or isinstance(value, str | int)
        or (isinstance(value, float) and math.isfinite(value))
    }


def _check_name(name: str, *, allow_pickle: bool) -> None:
    suffix = Path(name).suffix.lower()
    if suffix == _PICKLE_SUFFIX and not allow_pickle:
        raise AdapterRefused(
            f"{name!r:.80} is a pickle, which runs code when loaded; save as safetensors, "
            "or allow .bin explicitly"
        )
    known = name == SIGNATURE or suffix in _SUFFIXES or suffix == _PICKLE_SUFFIX
    if not _NAME.fullmatch(name) or ".." in name or not known:
        raise AdapterRefused(f"{name!r:.80} does not belong into an adapter folder")
