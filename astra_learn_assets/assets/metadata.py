"""What a person sees in Dagster's UI: tables and plots made from stage results.

No text of a document is shown: what stands in the event log cannot be erased.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from astra_learn_assets.evaluation.results import EvaluationReport
from astra_learn_assets.ids import TenantId
from astra_learn_assets.learning import verdict_pages
from astra_learn_assets.settings import Settings


def count_table(name: str, counts: Mapping[str, int] | Mapping[int, int]) -> dg.TableMetadataValue:
    """Counts by ``name``, largest first."""
    rows = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return table(
        [{name: str(key), "count": count} for key, count in rows], columns={name: "string", "count": "int"}
    )


def table(rows: Sequence[Mapping[str, Any]], *, columns: Mapping[str, str]) -> dg.TableMetadataValue:
    """``rows`` as a table with typed ``columns``."""
    return dg.MetadataValue.table(
        records=[dg.TableRecord(dict(row)) for row in rows],
        schema=dg.TableSchema(columns=[dg.TableColumn(name, kind) for name, kind in columns.items()]),
    )


def error_rates(report: EvaluationReport) -> dg.TableMetadataValue:
    """WER and CER of each system in per cent, and the candidate's difference with its 95 % interval."""
    rows = []
    for name, scores in report.systems.items():
        row: dict[str, Any] = {
            "system": name,
            "wer": round(100 * scores.wer, 2),
            "wer_strict": round(100 * scores.wer_strict, 2),
            "cer": round(100 * scores.cer, 2),
            "entities": _percent(scores.entity_error_rate),
            "clean": _percent(scores.clean_wer),
            "generic": _percent(scores.generic_wer),
            "exact": round(100 * scores.exact, 1),
            "candidate_minus_this": "",
        }
        against = report.comparisons.get(name, {}).get("wer")
        if against is not None:
            low, high = round(against.low, 2), round(against.high, 2)
            row["candidate_minus_this"] = f"{against.difference:+.2f} [{low:+}, {high:+}] points"
        rows.append(row)
    names = ("wer", "wer_strict", "cer", "entities", "clean", "generic", "exact")
    numbers = dict.fromkeys(names, "float")
    return table(rows, columns={"system": "string", **numbers, "candidate_minus_this": "string"})


def _percent(rate: float | None) -> float | None:
    return None if rate is None else round(100 * rate, 2)


def panel(settings: Settings, tenant_id: TenantId) -> dict[str, dg.UrlMetadataValue]:
    """A link to the municipality's panel, where the API has a public URL."""
    if settings.api_url is None:
        return {}
    return {"panel": dg.MetadataValue.url(verdict_pages.panel_url(settings, tenant_id))}


def before_and_after(details: Mapping[str, Any]) -> dg.TableMetadataValue:
    """WER in per cent of the candidate and of all it was compared with, as wer_gate saw it."""
    names = {
        "draft": "draft_wer",
        "dictionary alone": "dictionary_wer",
        "base model": "base_wer",
        "champion": "champion_wer",
        "best ever": "best_wer",
        "this adapter": "candidate_wer",
    }
    rows = [
        {"system": name, "wer": round(100 * float(details[key]), 2)}
        for name, key in names.items()
        if isinstance(details.get(key), int | float)
    ]
    return table(rows, columns={"system": "string", "wer": "float"})


def loss_curve(log: Sequence[Mapping[str, Any]]) -> dg.MarkdownMetadataValue:
    """The training loss over the steps, as a picture inside the metadata."""
    from matplotlib.figure import Figure

    points = [(row["step"], row["loss"]) for row in log if "loss" in row]
    figure = Figure(figsize=(6, 3), layout="tight")
    axes = figure.subplots()
    axes.plot([step for step, _ in points], [loss for _, loss in points], color="#4f43dd")
    axes.set_xlabel("step")
    axes.set_ylabel("loss per token")
    axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return dg.MetadataValue.md(
        f"![loss](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
    )
