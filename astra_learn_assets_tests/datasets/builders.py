"""Small real examples for the tests of data sets and evaluation."""

from __future__ import annotations

import random
import re

from astra_learn_assets.contracts import Example, Pair, Route
from astra_learn_assets.datasets.instruct import make_example
from astra_learn_assets.datasets.replay import REPLAY

ENGINE = "test-1"
_WORDS = re.findall(
    r"\w+",
    """
    alcaldía ayuntamiento presupuesto ordenanza vecinos calle plaza obras contrato licencia agua parque
    escuela proyecto informe técnico aprobación moción debate votación acuerdo convenio subvención
    urbanismo limpieza alumbrado transporte mercado fiestas deporte cultura juventud mayores turismo
    comercio industria cementerio biblioteca teatro piscina polideportivo carretera camino puente río
    monte bosque jardín fuente estatua edificio vivienda alquiler impuesto tasa ingreso gasto deuda
    crédito partida anexo expediente recurso plazo notificación publicación boletín registro padrón
    censo elección concejal secretaria interventor tesorero portavoz grupo comisión pleno sesión acta
    """,
)


def example(
    before: str,
    after: str,
    *,
    document: str = "doc-1",
    tenant: str = "villaverde",
    chunk: str | None = None,
    route: Route = 1,
    unchanged: bool = False,
) -> Example:
    """One example of the given texts."""
    pair = Pair(chunk_id=chunk, route=route, before="", after="")
    return make_example(
        pair=pair,
        before=before,
        after=after,
        entities={},
        tenant_id=tenant,
        document_id=document,
        engine_version=ENGINE,
        unchanged=unchanged,
    )


def sentence(random_: random.Random, words: int = 14) -> str:
    """A sentence of common minute words; two of the same seed differ in nearly every word triple."""
    chosen = [random_.choice(_WORDS) for _ in range(words)]
    return " ".join(chosen).capitalize() + "."


def noisy(text: str) -> str:
    """The systematic errors of the test council: three wrong words and a lost final full stop."""
    for right, wrong in (("presupuesto", "prosupuesto"), ("vecinos", "becinos"), ("acuerdo", "a cuerdo")):
        text = text.replace(right, wrong)
    return text.removesuffix(".")


def document(
    number: int, pairs: int = 10, *, tenant: str = "villaverde", prefix: str = "doc"
) -> list[Example]:
    """An honest document: ``pairs`` sentences with the council's errors, put right."""
    random_ = random.Random(f"{tenant}-{number}")
    name = f"{prefix}-{number}"
    return [
        example(noisy(text), text, document=name, tenant=tenant, chunk=f"c{index}")
        for index in range(pairs)
        if (text := sentence(random_))
    ]


def documents(count: int, pairs: int = 10, **kwargs: str) -> list[Example]:
    """``count`` honest documents."""
    return [item for number in range(count) for item in document(number, pairs, **kwargs)]


def unchanged(number: int, count: int, *, prefix: str = "doc") -> list[Example]:
    """Paragraphs of document ``number`` that the clerk left as they were."""
    random_ = random.Random(f"unchanged-{number}")
    texts = [sentence(random_) for _ in range(count)]
    name = f"{prefix}-{number}"
    return [example(text, text, document=name, chunk=f"u{i}", unchanged=True) for i, text in enumerate(texts)]


def replay(count: int = 200) -> list[Example]:
    """Replay examples: the same kind of pair, of no municipality."""
    random_ = random.Random("replay")
    texts = [sentence(random_, 12) for _ in range(count)]
    return [
        example(text.lower(), text, document=REPLAY, tenant=REPLAY, chunk=str(i))
        for i, text in enumerate(texts)
    ]
