"""The technical documentation of one adapter, by the headings of Annex IV of the EU's AI Act.

    text = dossier.write(platform, "villaverde", adapter_id)      # Markdown, in Spanish

Filled from what is signed and checked at that moment: manifest, verdicts, lineage. What only the provider or
the deployer can say is marked ``[POR COMPLETAR]``, so that nobody takes silence for an answer. An adapter
whose lineage does not check gets no document: it would claim what cannot be shown. No document's id and no
person's name stands in it; the words are data (``dossier_es.txt``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from string import Template

from astra_learn_assets.contracts import AdapterManifest, GateVerdict
from astra_learn_assets.errors import LineageBroken
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import provenance, publisher
from astra_learn_assets.learning.lineage import PACKAGE
from astra_learn_assets.learning.provenance import BROKEN, Link
from astra_learn_assets.platform import Platform
from astra_learn_assets.store import adapters, verdicts

OPEN = "[POR COMPLETAR]"
_WORDS = Path(__file__).with_name("dossier_es.txt")
_STATES = {"sound": "comprobado", "changed": "hecho de nuevo después", "broken": "roto"}
_STEPS = {
    "document": "documentos",
    "pairs": "ejemplos por documento",
    "corpus": "conjunto de entrenamiento",
    "training": "entrenamiento",
    "adapter": "adaptador",
    "verdict": "veredicto",
    "promotion": "puesta en servicio",
}


def write(platform: Platform, tenant_id: TenantId, adapter_id: str, *, now: datetime | None = None) -> str:
    """The document of an adapter, as Markdown.

    Raises:
        LineageBroken: a link of its lineage does not check, or wer_gate has not judged it.
        ForeignTenant, NotFound: there is no such adapter of the tenant.
        Unavailable: Postgres or the object store does not answer.
    """
    links = provenance.walk(platform, tenant_id, adapter_id)
    broken = [f"{link.step} {link.name}" for link in links if link.state == BROKEN]
    if broken:
        raise LineageBroken(
            f"{adapter_id}: {', '.join(broken[:3])} {'does' if len(broken) == 1 else 'do'} not check; "
            "'astra-learn lineage' says why, 'astra-learn verify' what can be healed"
        )
    with platform.database.session() as session:
        row = adapters.get(session, tenant_id, adapter_id)
        verdict = verdicts.latest(session, tenant_id, "wer_gate", row.digest)
    if verdict is None:
        raise LineageBroken(f"{adapter_id}: wer_gate has not judged it, so there is nothing to document")
    manifest = publisher.fetch_verified(platform, tenant_id, adapter_id)
    return _fill(manifest, row.digest, verdict, links, now or datetime.now(UTC))


def _fill(
    manifest: AdapterManifest, digest: str, verdict: GateVerdict, links: Sequence[Link], now: datetime
) -> str:
    words = _WORDS.read_text(encoding="utf-8")
    metrics = manifest.metrics
    by_step: dict[str, list[Link]] = {}
    for link in links:
        by_step.setdefault(link.step, []).append(link)
    changes = by_step.get("promotion", [])
    return Template(words).substitute(
        adapter_id=manifest.adapter_id,
        tenant_id=manifest.tenant_id,
        version=version("astra-learn"),
        today=f"{now:%d/%m/%Y}",
        open_count=words.count(OPEN) - 1,  # the one that explains the mark
        created_at=f"{manifest.created_at:%d/%m/%Y %H:%M} UTC",
        promotions=len(changes),
        commit_hash=manifest.commit_hash,
        packages=_table(
            ("paquete", "versión"),
            [(name.removeprefix(PACKAGE), of) for name, of in metrics.items() if name.startswith(PACKAGE)],
        ),
        device=_plain(metrics.get("device", "no consta")),
        base_model=manifest.base_model,
        base_revision=manifest.base_revision or "sin revisión",
        hyperparameters=_table(("hiperparámetro", "valor"), sorted(manifest.hyperparameters.items())),
        seconds=f"{metrics['seconds']} s" if "seconds" in metrics else "no consta",
        steps=_plain(metrics.get("steps", "no consta")),
        corpus=_corpus(by_step["corpus"][0]),
        dataset_hash=manifest.dataset_hash,
        documents=len(by_step.get("document", [])),
        verdicts=_table(
            ("puerta", "fecha", "resultado", "firma"),
            [(link.name, _day(link), _result(link), _STATES[link.state]) for link in by_step["verdict"]],
        ),
        reason=_plain(verdict.details.get("reason_es") or verdict.reason),
        figures=_table(("cifra", "valor"), _figures(verdict.details)),
        digest=digest,
        changes=_table(("fecha", "cambio"), [(_day(link), _change(link)) for link in changes]),
        lineage=_table(("eslabón", "cuántos", "estado"), _summary(by_step)),
    )


def _corpus(link: Link) -> str:
    examples, _, rest = link.said.partition(" examples of ")
    documents, _, replayed = rest.partition(" documents, ")
    return f"{examples} ejemplos de {documents} documentos y {replayed.removesuffix(' replayed')} generales"


def _result(link: Link) -> str:
    return "superada" if link.said.startswith("passed") else "no superada"


def _change(link: Link) -> str:
    return "vuelta atrás a este" if link.said.startswith("rollback") else "puesta en servicio"


def _figures(details: Mapping[str, float | int | str | bool | None]) -> list[tuple[str, object]]:
    sentences = {"reason_es", "reason"}
    return [(name, of) for name, of in sorted(details.items()) if of is not None and name not in sentences]


def _summary(by_step: Mapping[str, Sequence[Link]]) -> list[tuple[str, int, str]]:
    return [
        (_STEPS[step], len(links), ", ".join(sorted({_STATES[link.state] for link in links})))
        for step, links in by_step.items()
    ]


def _day(link: Link) -> str:
    return f"{link.at:%d/%m/%Y}" if link.at else ""


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(_plain(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) if len(lines) > 2 else "No consta ninguno."


def _plain(value: object) -> str:
    """``value`` in one line that no mark of Markdown or HTML can come out of."""
    text = " ".join(str(value).split())
    for mark in "\\|<>`*[]":
        text = text.replace(mark, f"\\{mark}")
    return text
