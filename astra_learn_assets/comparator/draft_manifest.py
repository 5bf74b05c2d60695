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
    if len(data) > MAXIMUM_BYTES:
        raise BadManifest(f"manifest of {len(data):,} bytes: at most {MAXIMUM_BYTES:,} are read")
    try:
        manifest = Manifest.model_validate_json(data.removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "document"
        raise BadManifest(f"manifest: {where}: {first['msg']}") from None
    repeated = [chunk_id for chunk_id, n in Counter(c.chunk_id for c in manifest.chunks).items() if n > 1]
    if repeated:
        raise BadManifest(f"manifest: chunk id {repeated[0]!r:.40} occurs more than once")
    for position, chunk in enumerate(manifest.chunks):
        if not chunk.chunk_id or len(chunk.chunk_id) > 64:
            raise BadManifest(f"manifest: chunks.{position}.chunk_id: use 1 to 64 characters")
        if chunk.end_ms < chunk.start_ms:
            raise BadManifest(f"manifest: chunks.{position}: end_ms is before start_ms")
    return manifest
