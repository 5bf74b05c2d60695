"""Is what is stored still what was recorded? Every file of a municipality against its hash or signature.

    inspection = inspect(platform, "villaverde")
    for fault in inspection.faults: ...        # healing.repair(platform, "villaverde", inspection.faults, …)

What decides is written somewhere else than the file: a row's SHA-256, a name made of content, a signature.
Nothing is changed here. A file that no row and no name tells of (predictions, prepared drafts) is sound when
its seal opens. An adapter folder without a signature is an upload under way, not damage.

Three faults are none of a file: a promotion record or flag that says something else than the table, an
adapter or a promotion that the store proves and the table does not know (the database was restored from
before it), and an MLflow that has lost the champion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import redis

from astra_learn_assets.errors import (
    AdapterRefused,
    DecryptionFailed,
    GateRefused,
    NotFound,
    SealBroken,
    TenantErased,
    Unavailable,
)
from astra_learn_assets.hotpath import stored_file
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import announcing, curated, erasing, lineage, promoter, publisher, rulings
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry.manifest import SIGNATURE, digest_of
from astra_learn_assets.store import (
    adapters,
    artifacts,
    documents,
    paths,
    promotions,
    tenants,
    trainings,
    verdicts,
)
from astra_learn_assets.store.tables import Adapter, Artifact, Document

_NAMED_BY_CONTENT = re.compile(r"[0-9a-f]{64}\.jsonl")


@dataclass(frozen=True)
class Fault:
    """One thing that is not as recorded.

    ``kind``: adapter, corpus, golden, curated, audio, document, diff, pairs, sealed (some other sealed file),
    unlisted (an adapter the table lacks), erased (it should not be here), record, flag, promotion, verdict
    or mlflow. ``keys``: the stored
    objects that are not sound; none of them exists when it is ``missing``. ``sha256``: of the plaintext that
    should be there, where that is known.
    """

    kind: str
    name: str
    reason: str
    keys: tuple[str, ...] = ()
    missing: bool = False
    sha256: str | None = None


@dataclass(frozen=True)
class Inspection:
    """What was looked at, and what is wrong with it."""

    tenant_id: TenantId
    checked: int
    faults: tuple[Fault, ...]


def inspect(platform: Platform, tenant_id: TenantId) -> Inspection:
    """Look at everything that is stored of ``tenant_id``.

    Raises:
        UnknownTenant: there is no such tenant.
        TenantErased: it was erased: there is nothing to look at.
        Unavailable: Postgres, Redis or the object store does not answer.
    """
    with platform.database.session() as session:
        tenant = tenants.get(session, tenant_id)
        if tenant.wrapped_key is None:
            raise TenantErased(f"tenant {tenant_id!r} was erased: nothing of it is stored")
        listed = adapters.listing(session, tenant_id)
        known = [row for row in listed if not erasing.is_erased(session, row)]
        files = artifacts.listing(session, tenant_id)
        rows = documents.listing(session, tenant_id)
        runs = trainings.listing(session, tenant_id, limit=None)
    look = _Look(platform, tenant_id)
    for adapter in known:
        look.at(of_adapter(platform, adapter))
    look.unlisted({row.adapter_id for row in listed})
    look.at(*_erased_before(platform, tenant_id, tenant.created_at))
    erased = {name for made in erasing.certificates(platform, tenant_id) for name in made.files}
    taught = {run.dataset_hash for run in runs if run.dataset_hash is not None}
    look.named_by_content("corpus", paths.corpora(tenant_id), taught - erased)
    tested = {str(run.metrics["golden_hash"]) for run in runs if "golden_hash" in run.metrics}
    look.named_by_content("golden", paths.golden_sets(tenant_id), tested - erased)
    look.named_by_content("audio", f"datasets/{tenant_id}/audio", set())
    for row in curated.rows(platform, tenant_id):
        look.sealed("curated", row.curated_id, paths.golden_curated(tenant_id, row.curated_id), row.sha256)
    for file in files:
        look.artifact(file)
    for document in rows:
        look.pairs(document)
    look.other_sealed()
    look.at(*_what_serves(platform, tenant_id))
    return Inspection(tenant_id, look.checked, tuple(look.faults))


class _Look:
    """One walk over a tenant's files: what was seen, and what is wrong."""

    def __init__(self, platform: Platform, tenant_id: TenantId) -> None:
        self.platform = platform
        self.tenant_id = tenant_id
        self.checked = 0
        self.faults: list[Fault] = []
        self._seen: set[str] = set()

    def at(self, *found: Fault | None) -> None:
        """Count things that were looked at elsewhere."""
        self.checked += len(found)
        self.faults += [fault for fault in found if fault is not None]

    def read(self, kind: str, name: str, key: str, sha256: str | None, read: Callable[[], object]) -> None:
        """Count what ``read`` reads; what it raises of the file itself is its fault."""
        self._seen.add(key)
        try:
            read()
        except (stored_file.Unreadable, DecryptionFailed) as error:
            gone = not self.platform.objects.exists(key)
            self.at(Fault(kind, name, str(error), (key,), missing=gone, sha256=sha256))
        else:
            self.at(None)

    def sealed(self, kind: str, name: str, key: str, sha256: str | None) -> None:
        self.read(
            kind,
            name,
            key,
            sha256,
            lambda: stored_file.sealed(self.platform, self.tenant_id, key, sha256, what=name),
        )

    def named_by_content(self, kind: str, folder: str, wanted: set[str]) -> None:
        """Files called after the hash of their content: those there are, and those there should be."""
        names = (key.rpartition("/")[2] for key in self.platform.objects.list(folder))
        there = {name.removesuffix(".jsonl") for name in names if _NAMED_BY_CONTENT.fullmatch(name)}
        for digest in sorted(there | wanted):
            self.sealed(kind, digest, f"{folder}/{digest}.jsonl", digest)

    def artifact(self, row: Artifact) -> None:
        """A document, a draft's manifest, a final's comparison."""
        platform, name = self.platform, row.artifact_id
        self.read("document", name, row.uri, row.sha256, lambda: stored_file.of_artifact(platform, row))
        if row.kind == "generated" and row.manifest_sha256 is not None:
            key = paths.manifest_of(row.uri)
            self.read(
                "document", name, key, row.manifest_sha256, lambda: stored_file.manifest_of(platform, row)
            )
        if row.kind == "final" and row.diff_sha256 is not None:
            self.sealed("diff", name, paths.diff(self.tenant_id, name, row.comparison), row.diff_sha256)

    def pairs(self, row: Document) -> None:
        """A document's examples."""
        if row.pairs_sha256 is not None:
            key = paths.pairs(self.tenant_id, row.document_id)
            self.sealed("pairs", row.document_id, key, row.pairs_sha256)

    def other_sealed(self) -> None:
        """What nothing tells the hash of: its seal must open."""
        for root in paths.ENCRYPTED_PREFIXES:
            for key in self.platform.objects.list(f"{root}{self.tenant_id}"):
                if key not in self._seen:
                    self.read("sealed", key, key, None, lambda key=key: self._open(key))  # type: ignore[misc]

    def _open(self, key: str) -> None:
        try:
            self.platform.vault.read(self.tenant_id, key)
        except NotFound:
            return  # deleted since it was listed

    def unlisted(self, known: set[str]) -> None:
        """Signed adapters in the store that the table does not know: the database is older than they are."""
        folder = paths.adapters(self.tenant_id)
        there = {
            key.removeprefix(f"{folder}/").partition("/")[0] for key in self.platform.objects.list(folder)
        }
        for name in sorted(there - known - {"promotion"}):
            if not self.platform.objects.exists(f"{folder}/{name}/{SIGNATURE}"):
                continue
            keys = tuple(self.platform.objects.list(f"{folder}/{name}"))
            try:
                publisher.fetch_verified(self.platform, self.tenant_id, name)
            except AdapterRefused as error:
                self.at(Fault("adapter", name, f"in no table, and not sound: {error}", keys))
            else:
                self.at(Fault("unlisted", name, "signed and sound, and the database does not know it"))


def _erased_before(platform: Platform, tenant_id: TenantId, created_at: datetime) -> Iterator[Fault]:
    """What is here although a certificate says that it was erased: the database was restored from before."""
    for made in erasing.certificates(platform, tenant_id):
        if made.document_id is None and created_at < datetime.fromisoformat(made.erased_at):
            yield Fault("erased", tenant_id, f"the municipality was erased at {made.erased_at}")
    for made in erasing.documents_again(platform, tenant_id):
        yield Fault("erased", str(made.document_id), f"was erased at {made.erased_at}")


def of_adapter(platform: Platform, row: Adapter) -> Fault | None:
    """What is wrong with a stored adapter: None when it is the one that was judged."""
    prefix = paths.adapter(row.adapter_id)
    try:
        manifest = publisher.fetch_verified(platform, row.tenant_id, row.adapter_id)
        if digest_of(manifest) == row.digest:
            return None
        reason = "is not the adapter that was judged"
    except NotFound:
        return Fault("adapter", row.adapter_id, "its files are gone", missing=True)
    except AdapterRefused as error:
        reason = str(error)
    return Fault("adapter", row.adapter_id, reason, tuple(platform.objects.list(prefix)))


def _what_serves(platform: Platform, tenant_id: TenantId) -> Iterator[Fault | None]:
    """Record, flag, verdicts and MLflow against the table of promotions."""
    with platform.database.session() as session:
        serves = promotions.served(session, tenant_id)[tenant_id]
    said = announcing.announcement(platform, tenant_id)
    key = paths.promotion_record(tenant_id)
    try:
        record = announcing.recorded(platform, tenant_id)
    except SealBroken as error:
        record = None
        yield Fault("record", "promotion record", str(error), (key,))
    else:
        if record is not None and (serves.promoted_at is None or record.promoted_at > serves.promoted_at):
            when = f"{record.promoted_at:%Y-%m-%d %H:%M:%S}"
            reason = f"{record.adapter_id or 'the base model'} was promoted at {when}; the table has lost it"
            yield Fault("promotion", record.adapter_id or promoter.BASE_MODEL, reason)
        elif said is not None and (record is None or record.model_dump_json() != said):
            reason = "is missing" if record is None else "is not what the table says"
            yield Fault("record", "promotion record", reason, missing=record is None)
        else:
            yield None
    try:
        shown = platform.redis.get(announcing.redis_key(tenant_id))
    except redis.RedisError as error:
        raise Unavailable(f"Redis does not answer: {type(error).__name__}") from error
    yield (
        None
        if shown == said
        else Fault("flag", announcing.redis_key(tenant_id), "is not what the table says")
    )
    if serves.adapter is not None:
        yield from _of_champion(platform, serves.adapter)


def _of_champion(platform: Platform, row: Adapter) -> Iterator[Fault | None]:
    tenant_id = row.tenant_id
    for gate in rulings.GATES:
        yield _verdict(platform, row, gate)
    if platform.settings.mlflow_tracking_uri is None:
        return
    try:
        shown = lineage.champion(platform.settings, tenant_id)
        traced = lineage.knows(platform.settings, row.mlflow_run_id)
    except Unavailable as error:
        yield Fault("mlflow", row.adapter_id, str(error))
        return
    lost = shown != row.adapter_id or not traced
    said = (
        f"its champion is {shown}" if shown != row.adapter_id else f"it has lost the run {row.mlflow_run_id}"
    )
    yield Fault("mlflow", row.adapter_id, said) if lost else None


def _verdict(platform: Platform, row: Adapter, gate: str) -> Fault | None:
    """A champion's verdict must be one of ours; what it says is the promoter's to judge."""
    with platform.database.session() as session:
        if verdicts.latest(session, row.tenant_id, gate, row.digest) is None:
            return Fault("verdict", row.adapter_id, f"{gate} has never judged it")
        try:
            rulings.require_passed(platform, session, row.tenant_id, gate, row.digest)
        except SealBroken as error:
            return Fault("verdict", row.adapter_id, str(error))
        except GateRefused:
            return None
    return None
