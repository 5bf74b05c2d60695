"""Where the code behind an asset is, and which code it was: said once for all assets.

:func:`linked` gives every asset a code reference: the file and line of its function, or a link to it at the
commit that runs, where ``ASTRA_SOURCE_URL`` says where the code is shown. What the hot path writes has no
function in the graph; :func:`reference` names the one that does it.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from astra_learn_assets.registry.commit import UNKNOWN, commit_hash
from astra_learn_assets.settings import REPOSITORY, Settings

METADATA_KEY = "dagster/code_references"
_NEWEST = "HEAD"  # every host of git repositories knows it


def reference(function: Callable[..., Any]) -> dict[str, dg.CodeReferencesMetadataValue]:
    """Metadata of an asset that ``function``, which is no step of a run, writes."""
    written = inspect.unwrap(function)  # what a decorator puts around it lies elsewhere
    place = dg.LocalFileCodeReference(
        file_path=str(Path(inspect.getfile(written)).resolve()),
        line_number=inspect.getsourcelines(written)[1],
    )
    return {METADATA_KEY: dg.CodeReferencesMetadataValue(code_references=[place])}


def linked(
    assets: Sequence[dg.AssetsDefinition | dg.AssetSpec], settings: Settings
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """``assets``, each with a reference to its code."""
    here = dg.with_source_code_references(assets)
    if settings.source_url is None:
        return list(here)  # type: ignore[arg-type]
    commit = commit_hash()
    base = settings.source_url.rstrip("/").replace("{commit}", _NEWEST if commit == UNKNOWN else commit)

    def shown(spec: dg.AssetSpec) -> dg.AssetSpec:
        links = [_link(base, place) for place in spec.metadata[METADATA_KEY].code_references]
        value = dg.CodeReferencesMetadataValue(code_references=links)
        return spec.replace_attributes(metadata={**spec.metadata, METADATA_KEY: value})

    return list(dg.map_asset_specs(shown, here))  # type: ignore[arg-type]


def _link(base: str, place: dg.LocalFileCodeReference) -> dg.UrlCodeReference:
    file = Path(place.file_path).resolve().relative_to(REPOSITORY)
    return dg.UrlCodeReference(url=f"{base}/{file.as_posix()}#L{place.line_number}")


def version_of(*folders: str) -> str:
    """12 digits over the Python files below ``folders`` of the repository, for an asset's ``code_version``.

    Made, not kept by hand: a number that somebody must raise is forgotten. Dagster only shows it, as "the
    code is another one than this was made by"; nothing is made anew because of it.

    Raises:
        FileNotFoundError: a folder has none.
    """
    total = hashlib.sha256()
    for folder in folders:
        files = sorted((REPOSITORY / folder).rglob("*.py"))
        if not files:
            raise FileNotFoundError(f"no Python file below {folder}")
        for file in files:
            total.update(f"{file.relative_to(REPOSITORY).as_posix()}\0".encode() + file.read_bytes())
    return total.hexdigest()[:12]
