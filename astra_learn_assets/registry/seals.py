"""Signatures on what the platform says: verdicts and promotions, with the key that signs adapters.

    signature = seal(signing_key(settings), "verdict", verdict.model_dump(mode="json"))
    check(verify_key(settings), "verdict", verdict.model_dump(mode="json"), signature)

A row in a table or a value in Redis can be written by whoever can write there; what follows from it
(serving other weights) may not. The signature (Ed25519, hexadecimal) is over the canonical JSON of the
content with its purpose in front, so that a verdict can never pass for a promotion. Numbers are written as
floats: a database gives 2 where 2.0 was stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from astra_learn_assets.errors import SealBroken

Purpose = Literal["verdict", "promotion", "erasure"]
_HEXADECIMAL = re.compile(r"[0-9a-f]{128}")


def seal(key: Ed25519PrivateKey, purpose: Purpose, content: Mapping[str, Any]) -> str:
    """The signature of ``content`` for ``purpose``: 128 hexadecimal digits."""
    return key.sign(_bytes(purpose, content)).hex()


def check(key: Ed25519PublicKey, purpose: Purpose, content: Mapping[str, Any], signature: str | None) -> None:
    """Nothing, when ``signature`` is ours for exactly this content.

    Raises:
        SealBroken: otherwise.
    """
    if signature is None or not _HEXADECIMAL.fullmatch(signature):
        raise SealBroken(f"the {purpose} is not signed")
    try:
        key.verify(bytes.fromhex(signature), _bytes(purpose, content))
    except InvalidSignature:
        raise SealBroken(f"the {purpose} is not what was signed, or was signed by another key") from None


def _bytes(purpose: Purpose, content: Mapping[str, Any]) -> bytes:
    written = json.dumps(_plain(content), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"astra-learn {purpose}\0{written}".encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return value
