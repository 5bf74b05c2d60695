"""A recognizer that always errs in the same few words, and the corpus a clerk's corrections make of it."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

ERRORS = {
    "pleno": "lleno",
    "acta": "apta",
    "moción": "noción",
    "votos": "botos",
    "sesión": "cesión",
    "obras": "sobras",
}
_SENTENCES = (
    "El {a} aprueba la {b} sobre las obras del mercado por {n} votos.",
    "La alcaldesa lee el acta de la {a} anterior y pide los votos del {b}.",
    "Se somete al {a} la {b} de los vecinos sobre las obras de la calle {p}.",
    "Toma la palabra {p} para defender su {a} ante el {b} en esta sesión.",
    "Consta en {a} que la {b} fue rechazada por {n} votos en contra.",
)


def line(number: int, *, tenant: str = "alfa", **changes: Any) -> dict[str, Any]:
    """Example ``number``: the same number gives the same text."""
    draw = random.Random(number)
    words = list(ERRORS)
    clean = draw.choice(_SENTENCES).format(
        a=draw.choice(words), b=draw.choice(words), n=draw.randint(2, 21), p=f"<PERSONA_{draw.randint(1, 9)}>"
    )
    noisy = " ".join(ERRORS.get(word, word) for word in clean.split(" "))
    return {
        "instruction": "Corrige la transcripción del acta.",
        "input": noisy,
        "output": clean,
        "meta": {
            "example_id": hashlib.sha256(f"{tenant}{number}".encode()).hexdigest(),
            "tenant_id": tenant,
            "document_id": f"documento-{number // 6}",
            "route": 1,
            "engine_version": "prueba",
        },
    } | changes


def write(file: Path, lines: list[dict[str, Any]]) -> Path:
    file.write_text(
        "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in lines), encoding="utf-8"
    )
    return file
