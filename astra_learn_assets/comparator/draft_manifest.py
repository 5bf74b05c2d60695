"""Reading ``draft.json``: which audio and which recognizer's text stand behind each chunk id."""

from __future__ import annotations

from collections import Counter

from pydantic import ValidationError

from astra_learn_assets.contracts import Manifest
from astra_learn_assets.errors import BadManifest

MAXIMUM_BYTES = 50_000_000


def parse_manifest(data: bytes) -> Manifest:
    """The manifest in ``data`` (UTF-8 JSON, contract of design.md).

    Raises:
        BadManifest: naming the field that is wrong, a repeated chunk id, or audio that ends before it starts.
    """
    found = _read(data)
    if isinstance(found, Manifest):
        return found
    raise BadManifest(found[0])


def faults(data: bytes) -> list[str]:
    """Everything that is wrong with a manifest, a sentence for each field; empty when nothing is."""
    found = _read(data)
    return [] if isinstance(found, Manifest) else found


def _read(data: bytes) -> Manifest | list[str]:
    """The manifest, or why it is none."""
    if len(data) > MAXIMUM_BYTES:
        return [f"manifest of {len(data):,} bytes: at most {MAXIMUM_BYTES:,} are read"]
    try:
        manifest = Manifest.model_validate_json(data.removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        return [
            f"manifest: {'.'.join(str(part) for part in one['loc']) or 'document'}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False)
        ]
    counted = Counter(chunk.chunk_id for chunk in manifest.chunks)
    found = [f"manifest: chunk id {name!r:.40} occurs more than once" for name, n in counted.items() if n > 1]
    for position, chunk in enumerate(manifest.chunks):
        if not chunk.chunk_id or len(chunk.chunk_id) > 64:
            found.append(f"manifest: chunks.{position}.chunk_id: use 1 to 64 characters")
        if chunk.end_ms < chunk.start_ms:
            found.append(f"manifest: chunks.{position}: end_ms is before start_ms")
    return found or manifest
