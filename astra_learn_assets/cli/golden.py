"""Commands about the golden set: what tests every adapter of a municipality."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from astra_learn_assets.cli import files
from astra_learn_assets.cli.output import Format, FormatOption, answering, print_json, print_table
from astra_learn_assets.cli.platform import HomeOption, TenantArgument, platform, user
from astra_learn_assets.ids import TenantId

golden_app = typer.Typer(help="The golden set, which tests every adapter.", no_args_is_help=True)


@golden_app.command()
def add(
    tenant: TenantArgument,
    file: Annotated[Path, typer.Argument(help="JSONL: document, input, output a line.", readable=False)],
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Add paragraphs that a person chose, corrected ones and unchanged ones; they never teach."""
    from astra_learn_assets.learning import curated

    with answering(output):
        data = files.read(file)
        with platform(home) as opened:
            made = curated.add(opened, TenantId(tenant), data, by=user())
        if output is Format.json:
            print_json({"curated_id": made.curated_id, "examples": made.examples, "words": made.words})
        else:
            typer.echo(f"{made.curated_id}: {made.examples} examples, {made.words} words")


@golden_app.command("list")
def listing(tenant: TenantArgument, home: HomeOption = None, output: FormatOption = Format.text) -> None:
    """What tests now, and what was added by a person."""
    from astra_learn_assets.learning import assemble, curated

    with answering(output):
        with platform(home) as opened:
            now = assemble.build_golden_set(opened, TenantId(tenant))
            added = curated.listing(opened, TenantId(tenant))
        if output is Format.json:
            files = [{**asdict(one), "created_at": one.created_at.isoformat()} for one in added]
            print_json({**asdict(now), "curated": files})
            return
        typer.echo(
            f"{now.golden_hash}: {now.examples} examples, {now.words} words, {now.documents} documents"
        )
        for warning in now.warnings:
            typer.echo(f"warning: {warning}")
        print_table(
            "added by a person",
            ["file", "examples", "words", "by", "retired by"],
            [[one.curated_id, one.examples, one.words, one.added_by, one.retired_by or ""] for one in added],
        )


@golden_app.command()
def retire(
    tenant: TenantArgument,
    curated_id: Annotated[str, typer.Argument(help="What 'golden list' calls it.")],
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Stop testing with a file that was added."""
    from astra_learn_assets.learning import curated

    with answering(output):
        with platform(home) as opened:
            curated.retire(opened, TenantId(tenant), curated_id, by=user())
        if output is Format.json:
            print_json({"curated_id": curated_id, "retired": True})
        else:
            typer.echo(f"{curated_id} tests no longer")


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.add_typer(golden_app, name="golden")
