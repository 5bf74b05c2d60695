"""How much would leak? Plant what we know into a copy of the batch, and look for it afterwards.

Canaries are names nobody bears and valid identifiers of the tenant's country, put where the batch
itself has placeholders (so in the batch's own sentences), or in a sentence of their own. The planted
copy goes through the same pseudonymizer and the same scanner and is thrown away. The estimate is the
share of canaries neither of them caught, with a Clopper-Pearson interval.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from astra_learn_assets.privacy.identifiers.countries import country_pack
from astra_learn_assets.privacy.identifiers.samples import spellings
from astra_learn_assets.privacy.people.listed_names import after_place_head
from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer
from astra_learn_assets.privacy.scan.residual import ResidualScanner
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import given_names_by_origin
from astra_learn_assets.spanish.placeholder import PLACEHOLDER

PERSONS = 40
IDENTIFIERS = 20
_SENTENCES = (
    "Interviene {0} y pide la palabra.",
    "El vecino {0} presenta una queja.",
    "Se da lectura al escrito de {0}.",
    "Responde doña {0} en nombre del grupo.",
    "Votan a favor {0} y el resto de los presentes.",
)
_HEADS = [
    "bra",
    "cor",
    "dal",
    "fen",
    "gar",
    "lum",
    "mar",
    "nel",
    "or",
    "pal",
    "qui",
    "ran",
    "sal",
    "tor",
    "ur",
    "val",
    "ver",
    "zan",
    "zul",
]
_TAILS = [
    "beta",
    "dín",
    "eque",
    "gori",
    "iza",
    "lonte",
    "mira",
    "nuez",
    "oste",
    "pardo",
    "quel",
    "rraga",
    "sendi",
    "tano",
    "uña",
    "vide",
    "xeda",
    "yumo",
    "zuelo",
]


@dataclass(frozen=True)
class CanaryResult:
    """Canaries planted and missed; shares in 0..1, the interval two-sided 95 %.

    ``missed_first``: by the pseudonymizer alone; ``missed``: by it and the scanner together.
    """

    planted: int
    missed_first: int
    missed: int
    low: float
    high: float
    missed_persons: int
    missed_identifiers: int
    batch: str = ""
    """Which batch it was, so that its files count once together."""

    @property
    def recall(self) -> float:
        """Share caught by both detectors together; 1.0 when nothing was planted."""
        return 1.0 - self.missed / self.planted if self.planted else 1.0


def clopper_pearson(missed: int, planted: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact binomial interval of the share ``missed / planted`` (Clopper and Pearson 1934).

    Solved by bisection on the binomial tails; ``(0, 1)`` when nothing was planted.
    """
    if planted == 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if missed == 0 else _solve(lambda p: 1 - _cumulative(missed - 1, planted, p) < tail)
    high = 1.0 if missed == planted else _solve(lambda p: _cumulative(missed, planted, p) > tail)
    return low, high


def _solve(below: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if below(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _cumulative(successes: int, trials: int, share: float) -> float:
    """P(X <= successes) of a binomial; by logarithms, because ``(1 - share) ** trials`` underflows."""
    if share <= 0.0 or share >= 1.0:
        return 1.0 if share <= 0.0 or successes >= trials else 0.0
    yes, no = math.log(share), math.log1p(-share)
    whole = math.lgamma(trials + 1)
    terms = [
        whole - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * yes + (trials - k) * no
        for k in range(successes + 1)
    ]
    most = max(terms)
    return min(1.0, math.exp(most) * math.fsum(math.exp(term - most) for term in terms))


def run_canaries(
    texts: Sequence[str], *, pseudonymizer: Pseudonymizer, scanner: ResidualScanner, seed: str
) -> CanaryResult:
    """Plant names and numbers into copies of ``texts`` and look for them; same seed, same canaries."""
    rng = random.Random(seed)
    planted = [(_plant(rng, texts, name, "PERSONA"), name) for name in _names(rng, PERSONS)]
    planted += [
        (_plant(rng, texts, text, "DNI"), secret)
        for text, secret in _identifiers(rng, IDENTIFIERS, scanner.country)
    ]
    masked = pseudonymizer.pairs([(text, "", seed) for text, _ in planted])
    first, both, persons = 0, 0, 0
    for index, ((_, secret), result) in enumerate(zip(planted, masked, strict=True)):
        if not survives(secret, result.before):
            continue
        first += 1
        left = result.before
        for start, end, _, _ in sorted(scanner.scan_text(left), reverse=True):
            left = left[:start] + " " + left[end:]
        if survives(secret, left):
            both += 1
            persons += index < PERSONS
    low, high = clopper_pearson(both, len(planted))
    return CanaryResult(len(planted), first, both, low, high, persons, both - persons, seed[:16])


def survives(secret: str, text: str) -> bool:
    """Whether a word of four letters or more of ``secret``, or its digits, can still be read in ``text``."""
    visible = fold_chars(PLACEHOLDER.sub(" ", text))
    digits = re.sub(r"\D", "", secret)
    if len(digits) >= 5:
        return digits in re.sub(r"[\s.\-]", "", visible)
    return any(
        re.search(rf"(?<!\w){re.escape(w)}(?!\w)", visible) for w in re.findall(r"\w{4,}", fold_chars(secret))
    )


def _names(rng: random.Random, count: int) -> list[str]:
    given = [name for name in given_names_by_origin()["es"] if len(name) > 3]
    out = []
    for _ in range(count):
        surnames = [(rng.choice(_HEADS) + rng.choice(_TAILS)).capitalize() for _ in range(2)]
        out.append(" ".join([rng.choice(given), *surnames[: rng.choice((1, 2, 2))]]))
    return out


def _identifiers(rng: random.Random, count: int, country: str) -> list[tuple[str, str]]:
    """``(text to plant, what must not survive)``: phones, mail, a DNI, the country's documents."""
    own = country_pack(country).samples
    out = []
    for index in range(count):
        number = f"{rng.randint(20_000_000, 79_999_999)}"
        if index % 4 == 0:
            mobile = f"6{number}"
            out.append((f"teléfono {mobile}", mobile))
        elif index % 4 == 1:
            out.append((f"canario{number}@ejemplo.es", number))
        elif index % 4 == 2:
            letter = "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]
            out.append((f"DNI {number[:2]}.{number[2:5]}.{number[5:]}-{letter}", number))
        else:
            sample = own[index // 4 % len(own)]
            value = rng.choice(spellings(sample.make(rng)))
            out.append((f"{sample.word} {value}", value))
    return out


def _plant(rng: random.Random, texts: Sequence[str], value: str, kind: str) -> str:
    """``value`` in the batch's own words: in place of a placeholder of its kind, else as a sentence."""
    for _ in range(8 if texts else 0):
        text = rng.choice(texts)
        # whom a street is named after is no citizen: "Villa <PERSONA_1>", once masked by mistake and repeated
        # in every agreement, would tell of seven canaries that a place's name stays, as it should
        places = [
            m
            for m in PLACEHOLDER.finditer(text)
            if m[1] == kind and not (kind == "PERSONA" and after_place_head(text, m.start()))
        ]
        if places:
            match = rng.choice(places)
            low, high = max(0, match.start() - 400), match.end() + 400
            return text[low : match.start()] + value + text[match.end() : high]
    own = rng.choice(_SENTENCES).format(value) if kind == "PERSONA" else f"Consta en el escrito: {value}."
    return f"{rng.choice(texts)[:400]} {own}" if texts else own
