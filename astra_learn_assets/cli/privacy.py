"""Commands about personal data: anonymize a JSONL file, scan a file for what is left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from astra_learn_assets.cli import files
from astra_learn_assets.cli.output import Format, FormatOption, answering, print_json, print_table
from astra_learn_assets.errors import BadInput

if TYPE_CHECKING:
    from astra_learn_assets.stages.anonymize import Policy

TenantOption = Annotated[
    str | None, typer.Option("--tenant", help="Use this municipality's country, blocklist and rosters.")
]
CountryOption = Annotated[
    str | None, typer.Option("--country", help="Two letters: which national ids to look for.")
]


def anonymize(
    source: Annotated[
        Path, typer.Argument(metavar="IN.jsonl", help="Examples or pairs, one JSON object a line.")
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help="Where the anonymized lines go.")],
    tenant: TenantOption = None,
    country: CountryOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Replace people and identifiers by typed placeholders, the same in both sides of a pair."""
    from astra_learn_assets.cli.jsonl import anonymize_lines

    with answering(output):
        data = files.read(source)
        if target.is_dir() or not target.absolute().parent.is_dir():
            raise BadInput(f"{target}: name a file in a folder that exists")
        result = anonymize_lines(data, _policy(tenant, country).pseudonymizer())
        files.write(target, result.data)
        if output is Format.json:
            print_json({"lines": result.lines, "entities": result.entities, "out": str(target)})
            return
        typer.echo(f"{result.lines} lines written to {target}")
        if result.entities:
            print_table("replaced", ["kind", "count"], sorted(result.entities.items()))


def scan(
    file: Annotated[Path, typer.Argument(help="JSONL, or any UTF-8 text or DOCX.")],
    tenant: TenantOption = None,
    country: CountryOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Look for personal data that is left. Ends with 1 when something is found."""
    from astra_learn_assets.cli.jsonl import as_jsonl

    with answering(output):
        report = _policy(tenant, country).scanner().scan_jsonl(as_jsonl(files.read(file), file.name))
        if output is Format.json:
            print_json(
                {
                    "file": str(file),
                    "lines": report.lines,
                    "clean": not report.hits,
                    "by_kind": report.by_kind,
                    "detectors": report.detectors,
                    "hits": [
                        {
                            "line": hit.line,
                            "field": hit.field,
                            "kind": hit.kind,
                            "start": hit.start,
                            "end": hit.end,
                            "detector": hit.detector,
                        }
                        for hit in report.hits
                    ],
                }
            )
        elif report.hits:
            print_table(
                f"{len(report.hits)} places with personal data",
                ["line", "field", "kind", "start", "end", "detector"],
                [[h.line, h.field, h.kind, h.start, h.end, h.detector] for h in report.hits],
            )
        else:
            typer.echo(f"{report.lines} lines: nothing found")
    if report.hits:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    for command in (anonymize, scan):
        app.command()(command)


def _policy(tenant: str | None, country: str | None) -> Policy:
    from astra_learn_assets.cli.platform import read_settings
    from astra_learn_assets.stages.anonymize import Policy, policy_of

    if country is not None and not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise BadInput(f"country {country!r:.20}: use two letters, for example 'es'")
    if tenant is None:
        settings = read_settings()
        return Policy(
            country=(country or settings.country).lower(),
            mask_terms=(),
            allow_terms=(),
            model=settings.ner_model,
        )
    from dataclasses import replace

    from astra_learn_assets.cli.platform import platform

    with platform() as opened:
        policy = policy_of(opened, tenant)
    return replace(policy, country=country.lower()) if country else policy
