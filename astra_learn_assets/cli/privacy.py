"""Commands about personal data: anonymize a JSONL file, scan one for what is left, erase, report."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from astra_learn_assets import ids
from astra_learn_assets.cli import files
from astra_learn_assets.cli.output import (
    Format,
    FormatOption,
    answering,
    print_facts,
    print_json,
    print_table,
)
from astra_learn_assets.cli.platform import HomeOption, TenantArgument, platform
from astra_learn_assets.errors import BadInput
from astra_learn_assets.ids import TenantId

if TYPE_CHECKING:
    from astra_learn_assets.learning.masking import Policy
    from astra_learn_assets.privacy.scan.residual import ScanReport

privacy_app = typer.Typer(help="Evidence of what is masked.", no_args_is_help=True)
TenantOption = Annotated[
    str | None, typer.Option("--tenant", help="Use this municipality's country, blocklist and rosters.")
]
CountryOption = Annotated[
    str | None, typer.Option("--country", help="Two letters: which national ids to look for.")
]
_JSONL = (".jsonl", ".ndjson", ".json")


def anonymize(
    source: Annotated[
        Path, typer.Argument(metavar="IN.jsonl", help="Lines with input and output, or text.", readable=False)
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help="Where the anonymized lines go.")],
    tenant: TenantOption = None,
    country: CountryOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Replace people and identifiers by typed placeholders, the same in both sides of a pair.

    A second detector reads the result; a line it still objects to is left out.
    """
    with answering(output):
        files.require(source)
        if target.is_dir() or not target.absolute().parent.is_dir():
            raise BadInput(f"{target}: name a file in a folder that exists")
        policy = _policy(tenant, country)  # a wrong tenant is found before the models are loaded
        with _quick_start(policy):
            from astra_learn_assets.privacy.files import anonymize_file

            first, second = policy.pseudonymizer(), policy.scanner()
        report = anonymize_file(
            source, target, pseudonymizer=first, scanner=second, progress=_progress("anonymized")
        )
        facts = {
            "lines": report.lines,
            "written": report.written,
            "masked": dict(sorted(report.masked.items())),
            "masked_by_second_pass": report.second_pass,
            "quarantined_lines": list(report.quarantined),
            "out": str(target),
        }
        if output is Format.json:
            print_json(facts)
            return
        masked = ", ".join(f"{count} {kind}" for kind, count in sorted(report.masked.items()))
        left_out = ", ".join(map(str, report.quarantined)) or None
        print_facts({**facts, "masked": masked or "nothing", "quarantined_lines": left_out})


def scan(
    file: Annotated[Path, typer.Argument(help="JSONL, a DOCX, or UTF-8 text.", readable=False)],
    tenant: TenantOption = None,
    country: CountryOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Look for personal data that is left. Ends with 1 when something is found."""
    with answering(output):
        files.require(file)
        report = _scan(file, _policy(tenant, country))
        if output is Format.json:
            print_json(
                {
                    "file": str(file),
                    "lines": report.lines,
                    "clean": report.passed,
                    "found": report.found,
                    "by_kind": report.by_kind,
                    "detectors": report.detectors,
                    "hits": [vars(hit) for hit in report.hits],
                }
            )
        elif report.found:
            first = f" (the first {len(report.hits)})" if len(report.hits) < report.found else ""
            print_table(
                f"{report.found} places with personal data{first}",
                ["line", "field", "kind", "start", "end", "detector"],
                [[h.line, h.field, h.kind, h.start, h.end, h.detector] for h in report.hits],
            )
        else:
            typer.echo(f"{report.lines} lines: nothing found")
    if report.found:
        raise typer.Exit(1)


def erase(
    tenant: Annotated[str, typer.Option("--tenant", help="Id of the municipality.")],
    document: Annotated[
        str | None, typer.Option("--document", help="Id of one final; none: the whole municipality.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="There is no way back.")] = False,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Forget a document and what learned from it, or a municipality, everywhere; leaves a certificate."""
    from astra_learn_assets.learning import erasing

    with answering(output):
        if not yes:
            raise BadInput("nothing was erased: there is no way back, so say --yes")
        name = TenantId(tenant)
        with platform(home) as opened:
            by = "cli"  # who forgets others leaves no name of his own
            made = (
                erasing.erase_tenant(opened, name, by=by)
                if document is None
                else erasing.erase_document(opened, name, ids.name(document, "document id"), by=by)
            )
        facts: dict[str, object] = {
            **asdict(made),
            "adapters": list(made.adapters),
            "left": list(made.left),
            "files": len(made.files),
        }
        if output is Format.json:
            print_json(facts)
        else:
            print_facts({**facts, "adapters": ", ".join(made.adapters) or None, "left": "; ".join(made.left)})


def report(
    tenant: TenantArgument,
    html: Annotated[
        Path | None, typer.Option("--html", help="Also write it as one page to this file.", dir_okay=False)
    ] = None,
    home: HomeOption = None,
    output: FormatOption = Format.text,
) -> None:
    """What finds names, what it missed of the planted ones, what was masked, what is kept out."""
    with answering(output):
        from astra_learn_assets.learning.privacy_report import privacy_report

        if html is not None and (html.is_dir() or not html.absolute().parent.is_dir()):
            raise BadInput(f"{html}: name a file in a folder that exists")
        with platform(home) as opened:
            found = privacy_report(opened, TenantId(tenant))
        if html is not None:
            from astra_learn_assets.api.privacy_page import report_page

            files.write(html, report_page(found).encode())
        if output is Format.json:
            print_json(found)
            return
        leak = found.leak
        share = (
            "no canaries yet" if leak.share is None else f"{leak.missed}/{leak.canaries} = {leak.share:.2%}"
        )
        print_facts(
            {
                "tenant": tenant,
                "policy": found.policy,
                "files": ", ".join(f"{count} {name}" for name, count in found.files.model_dump().items()),
                "leak of canaries": f"{share} (95 % interval {leak.low:.2%} to {leak.high:.2%})",
                "masked": ", ".join(f"{count} {kind}" for kind, count in found.masked.items()) or "nothing",
                "kept out": len(found.quarantined),
                "detectors": "\n".join(found.detectors),
                **({} if html is None else {"page": str(html)}),
            }
        )


privacy_app.command()(report)


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.add_typer(privacy_app, name="privacy")
    for command in (anonymize, scan, erase):
        app.command()(command)


def _policy(tenant: str | None, country: str | None) -> Policy:
    from astra_learn_assets.cli.platform import chosen_country, read_settings
    from astra_learn_assets.learning.masking import Policy, policy_of

    if tenant is None:
        return Policy(
            country=chosen_country(country),
            mask_terms=(),
            allow_terms=(),
            model=read_settings().ner_model,
        )
    code = None if country is None else chosen_country(country)
    with platform() as opened:
        policy = policy_of(opened, TenantId(tenant))
    return replace(policy, country=code) if code else policy


def _scan(file: Path, policy: Policy) -> ScanReport:
    """Scan JSONL as it is; a DOCX by blocks and text by lines, as lines with the field ``text``."""
    with _quick_start(policy):
        from astra_learn_assets.privacy.files import scan_file

        scanner = policy.scanner()
    if file.name.lower().endswith(_JSONL):
        return scan_file(file, scanner=scanner, progress=_progress("scanned"))
    data = files.read(file)
    if data.startswith(b"PK") or file.name.lower().endswith(".docx"):
        from astra_learn_assets.comparator.docx.reader import read_document

        texts = [block.text for block in read_document(data).blocks]
    else:
        try:
            texts = data.decode("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            raise BadInput(f"{file} is neither JSONL, nor a DOCX, nor UTF-8 text") from None
    lines = "".join(f"{json.dumps({'text': text}, ensure_ascii=False)}\n" for text in texts)
    return scanner.scan_jsonl(lines.encode())


def _quick_start(policy: Policy) -> AbstractContextManager[None]:
    """Loads the shipped model's detectors in a quarter of the time; a model by name may need everything."""
    from astra_learn_assets.privacy.ner.light import without_deep_learning

    return without_deep_learning() if policy.model is None else nullcontext()


def _progress(done: str) -> Callable[[int, int], None] | None:
    """Shows the share of a file that is done, on a terminal only and beside the answer, not in it."""
    if not sys.stderr.isatty():
        return None

    def show(read: int, size: int) -> None:
        end = "\n" if read >= size else ""
        sys.stderr.write(f"\r{100 * read // max(1, size):3d} % of {size / 1e6:,.1f} MB {done}{end}")
        sys.stderr.flush()

    return show
