"""A municipality with a year behind it, to be looked at: uploads by the real intake, a history by SQL.

What a clerk sees at once (uploads, names, quarantine) goes the way of every upload. A year of trainings
cannot be waited for, so its rows are written, with the very fields that the gates and the trainer write.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from astra_learn_assets.contracts import GateVerdict
from astra_learn_assets.hotpath.blocklist_terms import add_term
from astra_learn_assets.hotpath.intake import register_draft, submit_final
from astra_learn_assets.ids import TenantId, adapter_id
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import api_keys, documents, signs, tenants, trainings, verdicts
from astra_learn_assets.store.tables import Adapter, Artifact, Document, Promotion, Session, TrainingRun
from astra_learn_assets_tests.api.files import NAME_FIX, TEXT_FIX, make_draft

TENANT = TenantId("villaverde")
MONTHS = 12
_PAST = {"Zubeldía": "Zubeldia"}
_MORE = {"Villalobos": "Villalobos Ruiz", "la licitación": "las licitaciones"}


@dataclass(frozen=True)
class Town:
    """Its keys by role, the training that runs now, a document that is kept out."""

    keys: dict[str, str]
    running: str
    promoted: str
    kept_out: str


def build(platform: Platform, *, now: datetime | None = None) -> Town:
    """The municipality ``villaverde`` with its year."""
    now = now or datetime.now(UTC)
    with platform.database.session() as session:
        tenants.create(
            session,
            TENANT,
            display_name="Ayuntamiento de Villaverde del Río",
            country="es",
            wrapped_key=platform.vault.new_tenant_key(),
        )
    with platform.database.session() as session:
        _history(session, now)
    kept_out = _uploads(platform)
    with platform.database.session() as session:
        keys = {
            role: api_keys.issue(session, tenant_id=TENANT, role=role, label=label)[1]
            for role, label in (("viewer", "concejo"), ("editor", "marta"), ("admin", "secretaría"))
        }
        for term, action, kind in (
            ("Carmen Villalobos", "mask", "person"),
            ("calle Mayor", "allow", "street"),
        ):
            add_term(session, TENANT, term, action=action, kind=kind, actor="secretaría", request_id=None)
        promoted = _trainings(session, now)
        running = _running(session)
        _examples(session)
        _scans(session)
    return Town(keys=keys, running=running, promoted=promoted, kept_out=kept_out)


def _uploads(platform: Platform) -> str:
    """Three finals by the real intake, then one that is kept out."""
    changes = ((NAME_FIX, TEXT_FIX), (NAME_FIX, TEXT_FIX, _MORE), (_PAST, TEXT_FIX))
    for number, change in enumerate(changes):
        files = make_draft(f"pleno-2026-{number + 9:02}")
        place: dict[str, Any] = {"tenant_id": TENANT, "session_id": files.session_id, "version": 1}
        register_draft(platform, **place, docx=files.docx, manifest=files.manifest)
        summary = submit_final(
            platform, **place, data=files.final(*change), uploaded_by="marta (key-0a1b2c3d)"
        )
    with platform.database.session() as session:
        for document_id, reason in (
            (summary.artifact_id, "El documento tiene demasiados cambios: parece otro texto."),
        ):
            documents.record(
                session,
                TENANT,
                document_id=document_id,
                artifact_id=document_id,
                state="quarantined",
                reason=reason,
                diff_sha256="d" * 64,
                metrics={"wer": 0.61},
            )
    return summary.artifact_id


def _history(session: orm.Session, now: datetime) -> None:
    """A year of compared documents whose drafts need ever fewer corrections."""
    session.execute(sa.insert(Session).values(tenant_id=TENANT, session_id="archivo", version=1))
    for month in range(MONTHS):
        for number in range(5 + month % 3):
            at = now - timedelta(days=30 * (MONTHS - month) - 4 * number)
            document_id = f"archivo-{month:02}-{number}"
            wer = 0.11 * math.exp(-month / 6) + 0.012 + 0.004 * (number % 3 - 1)
            session.execute(
                sa.insert(Artifact).values(
                    tenant_id=TENANT, artifact_id=document_id, session_id="archivo", version=1, kind="final",
                    uri="sessions/archivo", sha256=f"{month * 100 + number:064}", prepared=True,
                    created_at=at,
                )
            )  # fmt: skip
            session.execute(
                sa.insert(Document).values(
                    tenant_id=TENANT, document_id=document_id, artifact_id=document_id, state="anonymized",
                    metrics={"wer": round(wer, 4), "examples": 38 - month * 2 + number}, created_at=at,
                )
            )  # fmt: skip


def _trainings(session: orm.Session, now: datetime) -> str:
    """One training every other month, some of them rejected; returns the newest that was promoted."""
    champion: float | None = None
    promoted = ""
    for number in range(6):
        at = now - timedelta(days=30 * (MONTHS - 2 * number) - 9)
        wer = 0.082 * math.exp(-number / 3) + 0.014
        state = ("promoted", "rejected", "promoted", "promoted", "failed", "promoted")[number]
        digest = hashlib.sha256(f"adapter {number}".encode()).hexdigest()
        made = adapter_id(TENANT, digest)
        details = _verdict(wer if state != "rejected" else wer + 0.024, champion, state, digest)
        failed = state == "failed"
        if not failed:
            manifest = {
                "adapter_id": made,
                "tenant_id": TENANT,
                "base_model": "base_model",
                "base_revision": "b" * 64,
                "dataset_hash": f"{number:064}",
                "commit_hash": "c" * 40,
                "hyperparameters": {"lora_rank": 16, "learning_rate": 0.001, "epochs": 4},
                "files": {"adapter_model.safetensors": digest},
            }
            session.execute(
                sa.insert(Adapter).values(
                    adapter_id=made, tenant_id=TENANT, digest=digest, recipe_hash="e" * 64,
                    dataset_hash=f"{number:064}", base_model="base_model", manifest=manifest, created_at=at,
                )
            )  # fmt: skip
        session.execute(
            sa.insert(TrainingRun).values(
                run_id=f"{TENANT}-{100 * (number + 1)}-1", tenant_id=TENANT, attempt=1,
                through_seq=100 * (number + 1), dataset_hash=f"{number:064}", state=state,
                reason="the worker was lost" if failed else details["reason_en"],
                fault="worker" if failed else None,
                metrics={"examples": 480 + 20 * number, "golden_hash": "a" * 64, "train": {"loss": 0.41}}
                | ({} if failed else {"wer": details}),
                adapter_id=None if failed else made, created_at=at, finished_at=at + timedelta(minutes=34),
                gpu_seconds=1_910,
            )
        )  # fmt: skip
        if not failed:
            verdict = GateVerdict(
                gate="wer_gate", tenant_id=TENANT, digest=digest, passed=state == "promoted",
                reason=details["reason_en"], details=details,
            )  # fmt: skip
            verdicts.record(session, verdict)
        if state == "promoted":
            promoted, champion = f"{TENANT}-{100 * (number + 1)}-1", wer
            session.execute(
                sa.insert(Promotion).values(
                    tenant_id=TENANT, adapter_id=made, kind="promotion", promoted_by="wer_gate", created_at=at
                )
            )
    return promoted


def _verdict(wer: float, champion: float | None, state: str, digest: str) -> dict[str, Any]:
    """What wer_gate writes of an adapter, as far as it is shown."""
    draft = 0.132
    better = state == "promoted"
    details: dict[str, Any] = {
        "outcome": "promote" if better else "reject",
        "report_digest": digest,
        "words": 5_840,
        "documents": 22,
        "candidate_wer": round(wer, 4),
        "candidate_cer": round(wer / 3, 4),
        "draft_wer": draft,
        "draft_cer": 0.044,
        "base_wer": 0.091,
        "base_cer": 0.031,
        "vs_draft_points": round(100 * (wer - draft), 2),
        "vs_draft_low": round(100 * (wer - draft) - 0.9, 2),
        "vs_draft_high": round(100 * (wer - draft) + 0.9, 2),
        "reason_en": "WER on 5840 golden words" if better else "word errors rose by 2.6 points",
        "reason_es": (
            f"Entra en servicio: de cada cien palabras quedan mal {100 * wer:.1f}; en el borrador eran 13,2."
            if better
            else "Las palabras mal escritas suben 2,6 puntos respecto al que está en servicio."
        ).replace(f"{100 * wer:.1f}", f"{100 * wer:.1f}".replace(".", ",")),
    }
    if champion is not None:
        rise = 100 * (wer - champion)
        details |= {
            "champion_wer": round(champion, 4), "champion_cer": round(champion / 3, 4),
            "vs_champion_points": round(rise, 2), "vs_champion_low": round(rise - 0.7, 2),
            "vs_champion_high": round(rise + 0.7, 2),
        }  # fmt: skip
    return details


def _running(session: orm.Session) -> str:
    row = trainings.start(session, TENANT, through_seq=700, attempt=1, dagster_run_id="run-7")
    trainings.update(
        session, row.run_id, state="training", dataset_hash="7" * 64,
        metrics={"examples": 610, "golden_hash": "a" * 64},
    )  # fmt: skip
    advance(session, row.run_id, 12)
    return row.run_id


def advance(session: orm.Session, run_id: str, step: int, *, steps: int = 60) -> None:
    """Let the running training do its steps up to ``step``, as its process would say it."""
    signs.sign(
        session, run_id, TENANT, phase="training", step=step, steps=steps, eta_seconds=9.0 * (steps - step)
    )
    entries = [
        {"step": one, "steps": steps, "loss": round(2.4 * math.exp(-one / 20) + 0.31, 4),
         "learning_rate": round(1e-3 * (1 - one / steps), 6), "tokens_per_second": 1_310.5}
        for one in range(1, step + 1)
    ]  # fmt: skip
    signs.add_lines(session, run_id, TENANT, entries)


def _examples(session: orm.Session) -> None:
    session.execute(
        sa.text(
            "INSERT INTO examples (tenant_id, example_id, document_id, route) "
            "SELECT :tenant, md5('e' || n) || md5('f' || n), 'archivo-00-0', 1 + n % 2 "
            "FROM generate_series(1, 312) AS n"
        ),
        {"tenant": str(TENANT)},
    )


def _scans(session: orm.Session) -> None:
    for number in range(4):
        verdicts.record(
            session,
            GateVerdict(
                gate="pii_gate", tenant_id=TENANT, digest=f"{number + 500:064x}", passed=number != 3,
                reason="clean" if number != 3 else "1 place with personal data",
                details={"lines": 40, "masked.PERSONA": 61, "masked.TELEFONO": 3, "masked.DIRECCION": 7}
                | ({"hits.PERSONA": 1} if number == 3 else {}),
            ),
        )  # fmt: skip
