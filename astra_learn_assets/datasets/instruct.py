"""One anonymized pair becomes one instruct example.

    example = make_example(pair=pair, before=clean_before, after=clean_after, entities={"<PERSONA_1>": 2},
                           tenant_id="villaverde", document_id="pleno-3-v1-final-0a1b2c3d4e5f",
                           engine_version=ENGINE_VERSION)

All routes share one instruction. What differs between them (a wording, a name, audio that a human
typed in) shows in the pair and in ``meta.route``; the model that answers in production is never told
which kind of error it is looking at, so training it with three instructions would teach a hint that
is not there later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from astra_learn_assets import ids
from astra_learn_assets.contracts import Example, ExampleMeta, ExampleRoute, Pair
from astra_learn_assets.errors import BadInput
from astra_learn_assets.ids import TenantId
from astra_learn_assets.spanish.placeholder import placeholders
from astra_learn_assets.spanish.text import normal_form

INSTRUCTION = "Corrige la transcripción del acta conservando el sentido y los marcadores."


def instruction(route: ExampleRoute) -> str:  # noqa: ARG001 - the route is part of the contract, see above
    """The Spanish instruction of a route; the same for all of them."""
    return INSTRUCTION


def example_id(
    *,
    tenant_id: TenantId,
    document_id: str,
    chunk_id: str | None,
    route: ExampleRoute,
    before: str,
    after: str,
) -> str:
    """SHA-256 of the content that makes an example what it is, as 64 hexadecimal digits.

    The document is part of it, so the same correction in two documents is counted for both; neither the
    engine version nor the instruction is, so a new release does not turn old corrections into new ones.
    """
    content = {
        "tenant_id": tenant_id,
        "document_id": document_id,
        "chunk_id": chunk_id,
        "route": route,
        "input": before,
        "output": after,
    }
    encoded = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(encoded.encode("utf-8")).hexdigest()


def make_example(
    *,
    pair: Pair,
    before: str,
    after: str,
    entities: Mapping[str, int],
    tenant_id: TenantId,
    document_id: str,
    engine_version: str,
    unchanged: bool = False,
) -> Example:
    """Build the example of ``pair`` from its anonymized texts.

    ``before`` and ``after`` are the pseudonymized sides of ``pair``; the pair itself gives only its chunk,
    route and audio. ``entities`` counts placeholders over both sides; only those still present are kept.
    ``unchanged``: the clerk left the paragraph as it was; it gets route 0.

    Raises:
        InvalidId: for ids that cannot be part of a path.
        BadInput: when a text cannot be written as UTF-8.
    """
    ids.name(document_id, "document id")
    before, after = normal_form(before), normal_form(after)
    route: ExampleRoute = 0 if unchanged else pair.route
    try:
        identity = example_id(
            tenant_id=tenant_id,
            document_id=document_id,
            chunk_id=pair.chunk_id,
            route=route,
            before=before,
            after=after,
        )
    except UnicodeEncodeError:
        raise BadInput(
            f"document {document_id}: a text holds half a character (a lone surrogate); save it again"
        ) from None
    present = {*placeholders(before), *placeholders(after)}
    return Example(
        instruction=instruction(route),
        input=before,
        output=after,
        meta=ExampleMeta(
            example_id=identity,
            tenant_id=tenant_id,
            document_id=document_id,
            chunk_id=pair.chunk_id,
            route=route,
            audio_uri=pair.audio_uri,
            start_ms=pair.start_ms,
            end_ms=pair.end_ms,
            entities={name: count for name, count in sorted(entities.items()) if name in present},
            engine_version=engine_version,
        ),
    )
