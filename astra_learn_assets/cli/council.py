"""A simulated session to try the other commands on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from astra_learn_assets.cli import files
from astra_learn_assets.cli.output import Format, FormatOption, answering, print_json
from astra_learn_assets.cli.platform import require_simulation
from astra_learn_assets.errors import AlreadyExists, BadInput
from astra_learn_assets.ids import TenantId

if TYPE_CHECKING:
    from astra_learn_assets.simulation.council.simulator import SimulatedSession

council_app = typer.Typer(help="Simulated councils.", no_args_is_help=True)


@council_app.command("sample")
def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; made when missing.")],
    tenant: Annotated[str, typer.Option("--tenant", help="Whose council it is.")] = "villaverde",
    number: Annotated[int, typer.Option("--number", min=0, help="Which of its sessions.")] = 0,
    seed: Annotated[int, typer.Option(help="Another seed makes another council.")] = 7,
    output: FormatOption = Format.text,
) -> None:
    """Write a draft, its manifest, the final a clerk made of it, and their pairs.

    Everybody in it is invented. The same arguments write the same documents.
    """
    with answering(output):
        require_simulation()
        from astra_learn_assets.simulation.council.simulator import make_council

        session = make_council(TenantId(tenant), seed=seed).session(number)
        contents = {
            "draft.docx": session.draft_docx,
            "draft.json": session.manifest.model_dump_json(indent=2).encode(),
            "final.docx": session.final_docx,
            "pairs.jsonl": _pairs(session),
        }
        _write(folder, contents)
        written = [str(folder / name) for name in contents]
        if output is Format.json:
            print_json(
                {
                    "tenant_id": tenant,
                    "session_id": session.session_id,
                    "version": session.version,
                    "editor": session.editor,
                    "files": written,
                }
            )
            return
        draft, manifest, final, pairs = written
        masked = folder / "masked.jsonl"
        typer.echo(
            f"session {session.session_id}, version {session.version} (editor: {session.editor})\n"
            "What was changed?\n"
            f"  astra-learn compare {draft} {final} --manifest {manifest}"
        )
        if contents["pairs.jsonl"]:
            typer.echo(
                "What may be learned from it, without the people in it? And is anybody left?\n"
                f"  astra-learn anonymize {pairs} {masked}\n"
                f"  astra-learn scan {masked}"
            )
        else:
            typer.echo("Nothing may be learned from it: pairs.jsonl is empty.")


def register(app: typer.Typer) -> None:
    """Add the command group to ``app``."""
    app.add_typer(council_app, name="council")


def _pairs(session: SimulatedSession) -> bytes:
    """What the comparison would teach, one JSON object a line, names and all."""
    from astra_learn_assets.comparator.engine import compare

    delta = compare(
        session.draft_docx,
        session.final_docx,
        generated_id="draft.docx",
        final_id="final.docx",
        manifest=session.manifest,
    )
    lines = (
        json.dumps({"input": pair.before, "output": pair.after}, ensure_ascii=False)
        for pair in delta.examples
    )
    return "".join(f"{line}\n" for line in lines).encode()


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{folder} cannot be made: {error.strerror or error}") from None
    for name, content in contents.items():
        path = folder / name
        if path.exists() and path.read_bytes() != content:
            raise AlreadyExists(f"{path} is there already and another file: name a new folder")
    for name, content in contents.items():
        files.write(folder / name, content)
