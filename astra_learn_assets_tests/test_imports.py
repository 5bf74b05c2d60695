"""What is imported of our own exists, also where only a benchmark that seldom runs asks for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OWN = ("astra_learn_assets", "astra_learn_assets_tests", "benchmarks", "trainer")


def module_file(module: str) -> Path | None:
    """The file of a module of ours."""
    place = ROOT.joinpath(*module.split("."))
    return next((f for f in (place.with_suffix(".py"), place / "__init__.py") if f.is_file()), None)


def _targets(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Tuple | ast.List):
        for part in node.elts:
            yield from _targets(part)
    elif isinstance(node, ast.Starred):
        yield from _targets(node.value)


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _targets(target)
        elif isinstance(node, ast.AnnAssign):
            yield from _targets(node.target)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.For | ast.While | ast.If | ast.With | ast.Try):
            if isinstance(node, ast.For):
                yield from _targets(node.target)
            for part in ("body", "orelse", "finalbody"):
                yield from _bound(getattr(node, part, []))


@cache
def names_of(module: str) -> frozenset[str]:
    """What a module of ours binds at its top level, or promises by ``__getattr__``: then everything."""
    file = module_file(module)
    return frozenset(_bound(_tree(file).body)) if file is not None else frozenset()


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def missing(source: ast.Module) -> Iterator[str]:
    """``module.name`` of what is imported from ours, at any depth, and is not there."""
    for node in ast.walk(source):
        if not isinstance(node, ast.ImportFrom) or node.level or not node.module:
            continue
        if node.module.partition(".")[0] not in OWN:
            continue
        if module_file(node.module) is None and not ROOT.joinpath(*node.module.split(".")).is_dir():
            yield node.module
            continue
        known = names_of(node.module)
        for alias in node.names:
            if alias.name in known or "__getattr__" in known or alias.name == "*":
                continue
            if module_file(f"{node.module}.{alias.name}") is None:
                yield f"{node.module}.{alias.name}"


@pytest.mark.parametrize("package", OWN)
def test_every_name_that_is_imported_from_ours_exists(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    assert {str(file.relative_to(ROOT)): gone for file in files if (gone := list(missing(_tree(file))))} == {}


def test_a_name_that_is_gone_is_seen_inside_a_function_too() -> None:
    source = ast.parse("def late():\n    from trainer.pipes import quiet_libraries, _quiet\n")
    assert list(missing(source)) == ["trainer.pipes._quiet"]


def _imported(file: Path) -> list[str]:
    """The packages that the top level of a file imports, in order."""
    found = []
    for node in _tree(file).body:
        if isinstance(node, ast.Import):
            found += [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module.partition(".")[0])
    return found


def test_benchmarks_of_the_card_import_the_trainer_before_torch_reads_how_to_ask_for_memory() -> None:
    """Without segments that grow, a buffer of 32 MiB kept 15 GiB: a row was refused that a training fits."""
    seen = 0
    for file in sorted((ROOT / "benchmarks").glob("*.py")):
        imported = _imported(file)
        if "torch" in imported and "trainer" in imported:
            seen += 1
            assert imported.index("trainer") < imported.index("torch"), file.name
    assert seen >= 2
