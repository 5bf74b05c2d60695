"""Commands about learning: status, promote, rollback, adapter import, export audio."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from astra_learn_assets.cli.output import (
    Format,
    FormatOption,
    answering,
    print_facts,
    print_json,
    print_table,
)
from astra_learn_assets.cli.platform import HomeOption, TenantArgument, platform, user
from astra_learn_assets.errors import BadInput
from astra_learn_assets.ids import TenantId

adapter_app = typer.Typer(help="Adapters.", no_args_is_help=True)
export_app = typer.Typer(help="What others can learn from.", no_args_is_help=True)


class AudioForm(StrEnum):
    """Forms of an audio manifest."""

    nemo = "nemo"
    audiofolder = "audiofolder"


def status(
    tenant: Annotated[str | None, typer.Option("--tenant", help="One municipality, in full.")] = None,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """How each municipality's model is learning, by the settings of the platform that runs.

    Where it has others than this shell, they are named: by the text, after the table; in JSON the figures
    follow them (train_threshold).
    """
    from astra_learn_assets.errors import Unavailable
    from astra_learn_assets.learning import running_settings
    from astra_learn_assets.learning.status import LearningStatus, status_in
    from astra_learn_assets.serving import acknowledgement
    from astra_learn_assets.serving.acknowledgement import Acknowledgement
    from astra_learn_assets.store import tenants

    with answering(output):
        found: list[LearningStatus] = []
        served: list[Acknowledgement] = []
        with platform(home) as opened, opened.database.session() as session:
            rows = [tenants.get(session, TenantId(tenant))] if tenant else tenants.list_all(session)
            names = [row.tenant_id for row in rows]
            gone = {row.tenant_id for row in rows if tenants.state_of(row) == "erased"}
            try:
                said = running_settings.heard(opened)
            except Unavailable as error:
                typer.echo(f"{error}: what follows is by the settings of this shell", err=True)
                said = {}
            differing = running_settings.differing(opened.settings, said)
            running = running_settings.as_running(opened.settings, said)
            found = [status_in(session, running, name) for name in names]
            if tenant:
                served = acknowledgement.heard(opened.redis, TenantId(tenant))
        if output is Format.json:
            dumped = [one.model_dump(mode="json") for one in found]
            print_json(dumped[0] if tenant else dumped)
            return
        if tenant:
            if gone:
                typer.echo(f"{tenant} was erased: what is left is that it was here")
            _print_one(found[0])
            for one in served:
                typer.echo(f"{one.core_id} has {one.adapter_id} since {one.served_at:%Y-%m-%d %H:%M:%S}")
        else:
            print_table(
                "municipalities",
                ["tenant", "documents", "waiting", "dictionary", "last training", "now", "why", "champion"],
                [
                    [
                        one.tenant_id,
                        sum(one.documents.values()),
                        f"{one.examples_waiting}/{one.train_threshold}",
                        one.dictionary_entries,
                        one.last_training.state if one.last_training else "none",
                        "erased" if one.tenant_id in gone else _now(one),
                        one.decision.code,
                        one.champion.adapter_id if one.champion else "none",
                    ]
                    for one in found
                ],
            )
        if differing:
            print_table(
                "settings of the running platform that this shell has otherwise",
                ["part", "setting", "running", "here"],
                [[one.part, f"ASTRA_{one.name.upper()}", one.running, one.here] for one in differing],
            )


def promote(
    tenant: TenantArgument,
    adapter_id: Annotated[str, typer.Argument(help="Adapter that passed its gates.")],
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Put an adapter in service; it must have passed every gate."""
    from astra_learn_assets.learning.promoter import promote as promote_adapter

    with answering(output):
        tenant = TenantId(tenant)
        _own_adapter(tenant, adapter_id)
        with platform(home) as opened:
            row = promote_adapter(opened, tenant, adapter_id, promoted_by=user())
            _print_promotion(tenant, row.adapter_id, row.previous_adapter_id, row.kind, output)


def rollback(
    tenant: TenantArgument,
    to: Annotated[
        str | None, typer.Option("--to", help="Adapter to go back to; default: the one before.")
    ] = None,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Go back to an adapter that was in service before."""
    from astra_learn_assets.learning.promoter import rollback as roll_back

    with answering(output):
        tenant = TenantId(tenant)
        if to is not None:
            _own_adapter(tenant, to)
        with platform(home) as opened:
            row = roll_back(opened, tenant, to=to, by=user())
            _print_promotion(tenant, row.adapter_id, row.previous_adapter_id, row.kind, output)


@adapter_app.command("report")
def adapter_report(
    adapter_id: Annotated[str, typer.Argument(help="Adapter that wer_gate has judged.")],
    out: Annotated[Path, typer.Argument(help="HTML file to write.")],
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Write the page of an adapter's newest verdict: opponents, intervals, examples, history."""
    from astra_learn_assets import ids
    from astra_learn_assets.cli import files
    from astra_learn_assets.learning import verdict_pages

    with answering(output):
        tenant = ids.tenant_of_adapter(adapter_id)
        with platform(home) as opened:
            digest = verdict_pages.of_adapter(opened, tenant, adapter_id)
            files.write(out, verdict_pages.read(opened, tenant, digest))
            facts = {"out": str(out), "link": verdict_pages.url(opened.settings, tenant, digest)}
        if output is Format.json:
            print_json(facts)
        else:
            print_facts(facts)


@adapter_app.command("import")
def adapter_import(
    tenant: TenantArgument,
    folder: Annotated[Path, typer.Argument(help="A PEFT adapter folder.", readable=False)],
    dataset_hash: Annotated[
        str, typer.Option("--dataset-hash", help="SHA-256 of the corpus it was trained on.")
    ],
    base_model: Annotated[
        str | None, typer.Option("--base-model", help="Base it belongs to; default: the configured one.")
    ] = None,
    base_revision: Annotated[str | None, typer.Option("--base-revision", help="Its revision.")] = None,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Bring in an adapter made elsewhere; it is not served until it passes the gates."""
    from astra_learn_assets import ids
    from astra_learn_assets.learning.importer import import_adapter
    from astra_learn_assets.learning.training.train import base_identity

    with answering(output):
        if not folder.is_dir():
            raise BadInput(f"{folder} is no folder: name the folder with adapter_config.json")
        tenant = TenantId(tenant)
        with platform(home) as opened:
            known, revision = base_identity(opened.settings)
            made = import_adapter(
                opened,
                tenant,
                folder,
                dataset_hash=ids.digest(dataset_hash, "dataset hash"),
                base_model=base_model or known,
                base_revision=base_revision if base_model else revision,
            )
            facts: dict[str, Any] = {"tenant_id": tenant, "adapter_id": made.adapter_id}
        if output is Format.json:
            print_json(facts)
        else:
            print_facts(facts)


@export_app.command("audio")
def export_audio(
    tenant: TenantArgument,
    out: Annotated[Path, typer.Argument(help="File to write; must not exist.")],
    form: Annotated[AudioForm, typer.Option("--form", help="Who reads it.")] = AudioForm.nemo,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Stretches of audio and their corrected, anonymized text, for adapting the recognizer."""
    from astra_learn_assets.learning import audio_export

    with answering(output):
        tenant = TenantId(tenant)
        if out.exists():
            raise BadInput(f"{out} exists: name a new file")
        with platform(home) as opened:
            made = audio_export.export(opened, tenant, form.value)
        out.write_bytes(made.data)
        facts: dict[str, Any] = {
            "tenant_id": tenant, "rows": made.rows, "documents": made.documents,
            "seconds": round(made.seconds, 1), "sha256": made.digest,
        }  # fmt: skip
        if output is Format.json:
            print_json(facts)
        else:
            print_facts(facts)


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    for command in (status, promote, rollback):
        app.command()(command)
    app.add_typer(adapter_app, name="adapter")
    app.add_typer(export_app, name="export")


def _own_adapter(tenant: TenantId, adapter_id: str) -> None:
    from astra_learn_assets import ids
    from astra_learn_assets.errors import ForeignTenant

    if ids.tenant_of_adapter(adapter_id) != tenant:
        raise ForeignTenant(f"adapter {adapter_id} is not of tenant {tenant}")


def _print_promotion(tenant: str, adapter_id: str, previous: str | None, kind: str, output: Format) -> None:
    facts = {"tenant_id": tenant, "adapter_id": adapter_id, "previous_adapter_id": previous, "kind": kind}
    if output is Format.json:
        print_json(facts)
    else:
        print_facts(facts)


def _print_one(one: Any) -> None:
    champion, last = one.champion, one.last_training
    print_facts(
        {
            "municipality": f"{one.display_name} ({one.tenant_id})",
            "documents": ", ".join(f"{count} {state}" for state, count in one.documents.items()) or "none",
            "examples waiting": f"{one.examples_waiting} of {one.train_threshold}",
            "examples": ", ".join(f"{count} {name}" for name, count in one.examples.items()) or None,
            "dictionary": f"{one.dictionary_entries} names, version {one.dictionary_version}",
            "champion": f"{champion.adapter_id} since {champion.promoted_at:%Y-%m-%d %H:%M}"
            if champion
            else "none",
            "now": _now(one),
            "next training": f"{one.decision.code}: {one.decision.reason}",
            "trainings this week": f"{one.decision.trainings_this_week} of {one.decision.weekly_quota}",
            "GPU minutes this month": f"{one.decision.gpu_minutes_this_month:g}",
            "last training": f"{last.run_id} {last.state}: {last.reason or ''}" if last else "none",
            "WER before, after": f"{_rate(last.wer_before)}, {_rate(last.wer_after)}" if last else None,
        }
    )


def _now(one: Any) -> str:
    sign = one.progress
    if not one.training_now or sign is None or sign.step is None:
        return str(one.activity)
    left = "" if sign.eta_seconds is None else f", {sign.eta_seconds:.0f} s left"
    return f"{one.activity}: step {sign.step} of {sign.steps} ({100 * (sign.share or 0):.0f} %{left})"


def _rate(value: float | None) -> str:
    return "?" if value is None else f"{value:.2%}"
