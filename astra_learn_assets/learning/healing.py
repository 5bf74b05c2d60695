"""Put right what :mod:`verification` found, as far as anything here can.

    done = repair(platform, "villaverde", inspection.faults, by="ana", source=Path("/backup/bucket"))

A damaged file is moved below ``quarantine/``, byte for byte, so that nothing reads it and a person can still
look at it; its name is free again. Then, for each fault, the first of these that works:

1. ``source`` has it: a copy of the bucket, or the cache folder of a CORE. What is found there is put back
   only if it is the very thing that was recorded (signature and digest, or hash);
2. it is made anew from what it was made of: a comparison at once, examples by the next preparing run, golden
   set and corpus when they are next needed, record, flag and MLflow from the tables;
3. a champion that cannot be had falls back to the last good one, or to the base model;
4. it is lost, and the answer says what a person can do.

An adapter that the table does not know, signed by us, is entered again; so is a promotion that a signed
record proves. Both are what a database restored from an older backup has forgotten. Verdicts are not brought
back by this: what is to be promoted anew is evaluated anew.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import orm

from astra_learn_assets.errors import (
    AdapterRefused,
    BadInput,
    BaseMissing,
    DecryptionFailed,
    NotFound,
    Unavailable,
)
from astra_learn_assets.hotpath import comparisons, stored_file
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import announcing, erasing, lineage, model_versions, promoter, publisher
from astra_learn_assets.learning.verification import Fault, of_adapter
from astra_learn_assets.platform import Platform
from astra_learn_assets.registry import keys
from astra_learn_assets.registry.manifest import TRAIN_LOG, digest_of
from astra_learn_assets.registry.signature import verify_folder
from astra_learn_assets.store import adapters, artifacts, audit, documents, locks, paths, promotions
from astra_learn_assets.store.tables import Adapter

_ORDER = (
    "erased",
    "unlisted",
    "promotion",
    "document",
    "diff",
    "pairs",
    "adapter",
)  # each may need those before it
_LAST = ("record", "flag", "mlflow")
_LOST = {
    "document": "lost: only a copy of the bucket has it (--from); nothing more is learned from it",
    "corpus": "lost: adapters that were trained on it stay; the next training makes its own",
    "golden": "the next run makes the present set; an older version is lost, with what was judged on it",
    "curated": "lost: add the file again with 'astra-learn golden add', or retire it",
    "audio": "export it again with 'astra-learn export audio'",
    "sealed": "made anew when it is next needed",
    "verdict": "materialize evaluation_report for it (run tag astra/adapter_id), which judges it anew",
}


@dataclass(frozen=True)
class Done:
    """What was done about a fault; ``healed`` is False when a person has something left to do."""

    fault: Fault
    healed: bool
    what: str


def repair(
    platform: Platform, tenant_id: TenantId, faults: Sequence[Fault], *, by: str, source: Path | None = None
) -> list[Done]:
    """Heal ``faults`` of ``tenant_id``, one answer each. May be repeated; what was healed stays so.

    Raises:
        Unavailable: Postgres, Redis or the object store does not answer.
    """
    place = {kind: number for number, kind in enumerate(_ORDER)}
    place |= {kind: len(_ORDER) + 1 + number for number, kind in enumerate(_LAST)}
    work = _Repair(platform, tenant_id, by, source)
    done: list[Done] = []
    erased: set[str] = set()
    for fault in sorted(faults, key=lambda one: place.get(one.kind, len(_ORDER))):
        if fault.name in erased:
            done.append(Done(fault, True, "went with its document, which is erased again"))
            continue
        done.append(work.heal(fault))
        if fault.kind == "erased":
            erased.add(fault.name)
        if fault.kind == "erased" and fault.name == tenant_id:
            return done  # there is nothing left to heal
    if faults:
        announcing.announce(platform, tenant_id)
        with platform.database.session() as session:
            audit.record(
                session,
                tenant_id=tenant_id,
                actor=by,
                action="verify.repair",
                target=f"{sum(one.healed for one in done)} of {len(done)}",
                outcome="done",
                request_id=None,
            )
    return done


@dataclass(frozen=True)
class _Repair:
    platform: Platform
    tenant_id: TenantId
    by: str
    source: Path | None

    def heal(self, fault: Fault) -> Done:
        """One fault, whatever its kind."""
        if not fault.missing:
            for key in fault.keys:
                self._quarantine(key)
        match fault.kind:
            case "erased":
                return self._erase_again(fault)
            case "adapter":
                return self._adapter(fault)
            case "unlisted":
                self._enter(fault.name)
                return Done(fault, True, "entered again; to be promoted it is evaluated anew")
            case "promotion":
                return self._promotion(fault)
            case "record" | "flag":
                announcing.announce(self.platform, self.tenant_id)
                return Done(fault, True, "written again from the table")
            case "mlflow":
                return self._mlflow(fault)
        if fault.keys and self._put_back(fault):
            return Done(fault, True, "put back from the copy")
        if fault.kind == "diff":
            return self._diff(fault)
        if fault.kind == "pairs":
            self._reopen(fault.name)
            return Done(fault, True, "the next preparing run makes them anew")
        return Done(fault, fault.kind in ("sealed", "audio"), _LOST[fault.kind])

    def _erase_again(self, fault: Fault) -> Done:
        if fault.name == self.tenant_id:
            erasing.erase_tenant(self.platform, self.tenant_id, by=self.by)
        else:
            erasing.erase_document(self.platform, self.tenant_id, fault.name, by=self.by)
        return Done(fault, True, "erased again")

    def _quarantine(self, key: str) -> None:
        objects = self.platform.objects
        try:
            data = objects.get(key)
        except NotFound:
            return
        objects.put(paths.quarantined(self.tenant_id, key), data, overwrite=True)
        objects.delete(key)

    def _put_back(self, fault: Fault) -> bool:
        """The file from the source, if it is the one recorded; its seal opens only under its own name."""
        if self.source is None:
            return False
        objects = self.platform.objects
        for key in fault.keys:
            path = self.source / key
            if not path.is_file():
                return False
            objects.put(key, path.read_bytes(), overwrite=True)
            try:
                data = self.platform.vault.read(self.tenant_id, key)
            except DecryptionFailed:
                data = None
            if data is None or fault.sha256 not in (None, hashlib.sha256(data).hexdigest()):
                objects.delete(key)
                return False
        return True

    def _adapter(self, fault: Fault) -> Done:
        with self.platform.database.session() as session:
            try:
                row = adapters.get(session, self.tenant_id, fault.name)
            except NotFound:
                return Done(fault, True, "quarantined; the database never knew it")
        folder = next((found for found in self._copies(fault.name) if self._is(found, row)), None)
        if folder is not None:
            with self.platform.database.session() as session:
                locks.hold(session, "adapter", fault.name)
                self.platform.objects.put_folder(paths.adapter(fault.name), folder)
            publisher.fetch_verified(self.platform, self.tenant_id, fault.name)
            return Done(fault, True, "put back from the copy")
        unsound = self._unsound_adapters()
        fell = promoter.fall_back(self.platform, self.tenant_id, unsound=unsound, by=self.by)
        again = "materialize lora_adapter with force: true makes the same adapter again"
        if fell is None:
            return Done(fault, False, f"not in service; {again}")
        return Done(fault, False, f"fell back to {fell.adapter_id or promoter.BASE_MODEL}; {again}")

    def _unsound_adapters(self) -> set[str]:
        with self.platform.database.session() as session:
            known = adapters.listing(session, self.tenant_id)
        return {row.adapter_id for row in known if of_adapter(self.platform, row) is not None}

    def _copies(self, adapter_id: str) -> Iterator[Path]:
        """Where a copy of the bucket, and the cache of a CORE, have an adapter."""
        if self.source is not None:
            yield self.source / paths.adapter(adapter_id)
            yield self.source / self.tenant_id / adapter_id

    def _is(self, folder: Path, row: Adapter) -> bool:
        try:
            found = verify_folder(folder, keys.verify_key(self.platform.settings), self.tenant_id)
        except AdapterRefused:
            return False
        return digest_of(found) == row.digest

    def _enter(self, adapter_id: str) -> None:
        manifest = publisher.fetch_verified(self.platform, self.tenant_id, adapter_id)
        digest = digest_of(manifest)
        recipe = publisher.recipe_hash(
            dataset_hash=manifest.dataset_hash,
            base_model=manifest.base_model,
            base_revision=manifest.base_revision,
            hyperparameters=manifest.hyperparameters,
            trainer_version=f"found again {digest}",  # never taken for a training that need not run
        )
        with self.platform.database.session() as session:
            locks.hold(session, "adapter", adapter_id)
            adapters.add(session, manifest, digest=digest, recipe_hash=recipe)

    def _promotion(self, fault: Fault) -> Done:
        """A signed record that is newer than the table: what it says was true when it was written."""
        with self.platform.database.session() as session:
            if fault.name == promoter.BASE_MODEL:
                promotions.add_base(session, self.tenant_id, promoted_by=self.by)
            elif not self._is_sound(session, fault.name):
                return Done(fault, False, f"{fault.name} is not sound: what the table says serves")
            else:
                promotions.add(
                    session,
                    self.tenant_id,
                    adapter_id=fault.name,
                    kind="promotion",
                    promoted_by=self.by,
                    mlflow_version=None,
                )
        return Done(fault, True, "in service again, as its signed record says")

    def _is_sound(self, session: orm.Session, adapter_id: str) -> bool:
        try:
            row = adapters.get(session, self.tenant_id, adapter_id)
        except NotFound:
            return False
        return of_adapter(self.platform, row) is None

    def _diff(self, fault: Fault) -> Done:
        with self.platform.database.session() as session:
            final = artifacts.get_artifact(session, self.tenant_id, fault.name)
        try:
            _, kept = comparisons.of_final(self.platform, final)
        except (stored_file.Unreadable, BadInput, BaseMissing, DecryptionFailed) as error:
            return Done(fault, False, f"cannot be made anew: {error}")
        if kept.sha256 != final.diff_sha256:
            # another engine by now: what was learned from the old result is made anew from this one
            self._reopen(fault.name, diff_sha256=kept.sha256)
        return Done(fault, True, "compared again")

    def _reopen(self, document_id: str, *, diff_sha256: str | None = None) -> None:
        with self.platform.database.session() as session:
            try:
                row = documents.get(session, self.tenant_id, document_id)
            except NotFound:
                return
            if diff_sha256 is not None and row.state != "quarantined":
                row.diff_sha256 = diff_sha256
                session.flush()
            if row.pairs_sha256 is not None:
                documents.reopen(session, self.tenant_id, document_id, pairs_sha256=row.pairs_sha256)

    def _mlflow(self, fault: Fault) -> Done:
        """Runs, versions and alias anew, from the adapters' own files."""
        with self.platform.database.session() as session:
            known = adapters.listing(session, self.tenant_id)
            served = {row.adapter_id for row in promotions.history(session, self.tenant_id)}
        settings = self.platform.settings
        try:
            for row in known:
                if lineage.knows(settings, row.mlflow_run_id):
                    continue
                run_id = self._log_again(row)
                with self.platform.database.session() as session:
                    adapters.traced(session, row.adapter_id, mlflow_run_id=run_id)
                if row.adapter_id in served:
                    model_versions.register_again(self.platform, self.tenant_id, row.adapter_id)
            model_versions.set_alias(self.platform, self.tenant_id)
        except Unavailable as error:
            return Done(fault, False, f"{error}; a sensor sets it right when it answers")
        return Done(fault, True, "its runs, versions and alias were written again")

    def _log_again(self, row: Adapter) -> str | None:
        with tempfile.TemporaryDirectory(prefix="astra-lineage-") as work:
            folder = Path(work, "adapter")
            try:
                self.platform.objects.get_folder(paths.adapter(row.adapter_id), folder)
                manifest = verify_folder(folder, keys.verify_key(self.platform.settings), self.tenant_id)
            except (NotFound, AdapterRefused):
                return None
            lines = (
                (folder / TRAIN_LOG).read_text("utf-8").splitlines() if TRAIN_LOG in manifest.files else []
            )
            return lineage.log_training(
                self.platform.settings, manifest, folder=folder, log=[json.loads(line) for line in lines]
            )
