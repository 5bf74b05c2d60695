"""What a speech recognizer does to Spanish: generic errors for pretraining, replay and the forgetting check.

Nothing here is specific to one municipality. Each call of :meth:`Noise.corrupt` draws its own
profile (which kinds of error, how often), because a real recognizer errs in its own steady way
within one recording: a model trained on one uniform mixture would learn that mixture by heart
instead of how to correct.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

WORD = re.compile(r"[^\W\d_]+")
_TOKEN = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)

HOMOPHONES: Mapping[str, Sequence[str]] = {
    key: [other for other in group if other != key]
    for group in (
        ("haya", "halla", "aya", "allá"),
        ("vaya", "valla", "baya"),
        ("hecho", "echo"),
        ("hay", "ahí", "ay"),
        ("tuvo", "tubo"),
        ("votar", "botar"),
        ("votación", "botación"),
        ("has", "as"),
        ("he", "e"),
        ("ha", "a", "ah"),
        ("hasta", "asta"),
        ("hora", "ora"),
        ("cabo", "cavo"),
        ("revelar", "rebelar"),
        ("basto", "vasto"),
        ("bienes", "vienes"),
        ("desecho", "deshecho"),
        ("sesión", "cesión"),
        ("masa", "maza"),
        ("tasa", "taza"),
        ("casa", "caza"),
        ("cocer", "coser"),
        ("ves", "vez"),
        ("cede", "sede"),
        ("siento", "ciento"),
        ("concejo", "consejo"),
        ("concejal", "consejal"),
        ("calló", "cayó"),
        ("rayo", "rallo"),
        ("poyo", "pollo"),
        ("grabar", "gravar"),
        ("acerbo", "acervo"),
        ("si", "sí"),
        ("el", "él"),
        ("mas", "más"),
        ("aun", "aún"),
        ("tu", "tú"),
        ("se", "sé"),
        ("de", "dé"),
        ("que", "qué"),
        ("solo", "sólo"),
        ("porque", "por que", "por qué", "porqué"),
        ("sino", "si no"),
        ("tampoco", "tan poco"),
        ("también", "tan bien"),
        ("haber", "a ver"),
        ("conque", "con que"),
        ("asimismo", "así mismo", "a sí mismo"),
        ("aparte", "a parte"),
        ("acerca", "a cerca"),
        ("enseguida", "en seguida"),
        ("sobretodo", "sobre todo"),
        ("adonde", "a donde"),
        ("apunto", "a punto"),
        ("través", "travez", "traves"),
    )
    for key in group
}
FUNCTION_WORDS: Mapping[str, Sequence[str]] = {
    "de": ["del", "que", "te"],
    "del": ["de", "el"],
    "la": ["las", "a", "lo"],
    "las": ["la", "los"],
    "los": ["lo", "las"],
    "el": ["en", "al", "del"],
    "en": ["el", "un", "con"],
    "un": ["en", "una"],
    "una": ["un"],
    "con": ["en", "como"],
    "por": ["para", "pero"],
    "para": ["por", "pa"],
    "al": ["el", "a"],
    "y": ["i", "e"],
    "se": ["ce", "sé", "le"],
    "es": ["en", "ves"],
    "no": ["lo", "nos"],
    "le": ["les", "se"],
    "su": ["sus", "tu"],
    "sus": ["su"],
    "ser": ["hacer", "ver"],
    "este": ["esté", "esta"],
    "esta": ["está", "este"],
    "está": ["esta"],
    "como": ["cómo", "con"],
    "pero": ["para", "perro"],
}
FILLERS = ("eh", "este", "o sea", "pues", "bueno", "digamos", "mmm", "a ver", "vale", "esto")
_LETTER_SWAPS: Sequence[tuple[str, str]] = (
    ("b", "v"), ("v", "b"), ("ll", "y"), ("y", "ll"), ("ce", "se"), ("ci", "si"), ("se", "ce"), ("si", "ci"),
    ("z", "s"), ("s", "z"), ("za", "sa"), ("ge", "je"), ("gi", "ji"), ("je", "ge"), ("ji", "gi"), ("qu", "k"),
    ("c", "k"), ("x", "s"), ("x", "cs"), ("h", ""), ("hu", "gü"), ("mb", "nv"), ("mp", "np"), ("nv", "mb"),
    ("rr", "r"), ("cc", "c"), ("ct", "t"), ("gn", "n"), ("ns", "s"), ("bs", "s"), ("ado", "ao"),
    ("ció", "sió"),
    ("d", ""), ("s", ""), ("n", "m"), ("m", "n"), ("p", "b"), ("t", "d"), ("g", "c"), ("o", "u"), ("e", "i"),
    ("i", "e"), ("l", "r"), ("r", "l"), ("gu", "g"), ("ñ", "n"), ("nn", "n"),
)  # fmt: skip
KINDS = (
    "PERSONA", "LUGAR", "ORGANIZACION", "CEDULA", "DNI", "NIF", "NIE", "TELEFONO", "DIRECCION", "CORREO",
    "EMAIL", "FECHA", "IBAN", "CUENTA", "TARJETA", "MATRICULA", "URL", "IP", "PASAPORTE", "RUT",
    "CURP", "RFC",
    "CUIT", "RUC", "ENTIDAD", "SIGLA", "DOCUMENTO", "ID", "NOMBRE", "ORG", "LOC", "PER", "MISC", "TEXTO",
)  # fmt: skip


def without_accents(text: str) -> str:
    """Drop acute accents and diaeresis, keep ñ."""
    kept = text.replace("ñ", "\0").replace("Ñ", "\1")
    plain = "".join(c for c in unicodedata.normalize("NFD", kept) if not unicodedata.combining(c))
    return plain.replace("\0", "ñ").replace("\1", "Ñ")


def sound_of(word: str) -> str:
    """A rough key under which Spanish words that sound alike are equal."""
    w = without_accents(word.lower())
    w = re.sub(r"h|(?<=q)u(?=[ei])", "", w.replace("ch", "*"))
    for old, new in (("ll", "y"), ("v", "b"), ("z", "s"), ("ce", "se"), ("ci", "si"), ("qe", "ke"),
         ("qi", "ki"),
                     ("ge", "je"), ("gi", "ji"), ("c", "k"), ("x", "s"), ("rr", "r"), ("ñ", "n"),
                     ("m", "n")):  # fmt: skip
        w = w.replace(old, new)
    return w


def confusable_words(
    counts: Mapping[str, int], *, minimum: int = 40, per_word: int = 6
) -> dict[str, list[str]]:
    """Real words of a corpus that sound nearly alike (at most one sound apart), such as pleno and lleno.

    ``counts`` maps lower-case words to their frequency; words under ``minimum`` are left out.
    """
    words = sorted(w for w, n in counts.items() if n >= minimum and len(w) >= 4)
    near: dict[str, set[str]] = defaultdict(set)
    for word in words:
        sound = sound_of(word)
        near[sound].add(word)
        for i in range(len(sound)):
            near[f"{sound[:i]}?{sound[i + 1 :]}"].add(word)
            near[f"{sound[:i]}{sound[i + 1 :]}"].add(word)
    found: dict[str, set[str]] = defaultdict(set)
    for group in near.values():
        if 1 < len(group) <= 12:
            for word in group:
                found[word] |= group - {word}
    return {
        word: sorted(others, key=lambda other: (-counts[other], other))[:per_word]
        for word, others in found.items()
    }


class Noise:
    """Seeded source of corrupted copies.

    >>> Noise(1).corrupt("Se aprueba el acta de la sesión anterior.", 1.0)  # doctest: +SKIP
    'se aprueva el acta de la cesion anterior'
    """

    def __init__(self, seed: int, confusions: Mapping[str, Sequence[str]] | None = None) -> None:
        self.random = random.Random(seed)
        self.confusions = confusions or {}
        self._variants: dict[str, list[str]] = {}

    # -- one word ---------------------------------------------------------------------------

    def _misspellings(self, word: str) -> list[str]:
        """A few misspellings of a lower-case word, kept: the same error comes back, as with a recognizer."""
        known = self._variants.get(word)
        if known is None:
            r, known = self.random, []
            swaps = [swap for swap in _LETTER_SWAPS if swap[0] in word]
            for old, new in r.sample(swaps, min(4, len(swaps))):
                places = [m.start() for m in re.finditer(old, word)]
                at = r.choice(places)
                known.append(word[:at] + new + word[at + len(old) :])
            if word[0] in "aeiou":
                known.append("h" + word)
            at = r.randrange(len(word))
            known.append(
                r.choice((word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:], word[: at + 1]))
            )
            known = [w for w in known if w and w != word] or [word]
            if len(self._variants) < 200_000:
                self._variants[word] = known
        return known

    def _split(self, word: str) -> str:
        at = self.random.randrange(2, len(word) - 1)
        return f"{word[:at]} {word[at:]}"

    # -- one text ---------------------------------------------------------------------------

    def corrupt(self, text: str, strength: float) -> str:
        """A corrupted copy; ``strength`` 1.0 gives a word error rate near 0.15 on average, 0 the text itself.

        Placeholders such as ``<PERSONA_1>`` and tokens with digits are never touched.
        """
        if strength <= 0:
            return text
        r = self.random
        draw = r.random

        def rate(share: float, most: float) -> float:
            """With probability ``share`` this kind of error occurs, at a rate up to ``most``."""
            return most * strength * draw() if draw() < share else 0.0

        accents = rate(0.45, 0.6) if draw() > 0.12 else 1.0
        spelling, homophone, function = rate(0.6, 0.12), rate(0.6, 0.35), rate(0.5, 0.09)
        confusion, drop, double = rate(0.4, 0.06), rate(0.4, 0.05), rate(0.3, 0.04)
        split, join, filler, swap = rate(0.25, 0.04), rate(0.3, 0.06), rate(0.2, 0.04), rate(0.1, 0.02)
        lower = draw() < 0.25 * min(1.0, strength)
        bare = draw() < 0.25 * min(1.0, strength)
        fewer_marks = rate(0.3, 0.6)
        own: dict[str, str] = {}  # this recording's own steady substitutions

        out: list[str] = []
        for token in text.split(" "):
            parts = _TOKEN.match(token)
            if parts is None or "<" in token or not parts[2] or any(c.isdigit() for c in token):
                out.append(token)
                continue
            left, word, right = parts[1], parts[2], parts[3]
            low = word.lower()
            name = word != low  # proper nouns and sentence starts keep their letters, accents aside
            if draw() < drop and len(out) and len(low) < 8:
                if right:
                    out[-1] += right
                continue
            new = low
            if low in own:
                new = own[low]
            elif not name:
                if low in HOMOPHONES and draw() < (homophone if len(low) > 3 else homophone * 0.2):
                    new = r.choice(HOMOPHONES[low])
                elif low in FUNCTION_WORDS and draw() < function:
                    new = r.choice(FUNCTION_WORDS[low])
                elif low in self.confusions and draw() < confusion:
                    new = r.choice(self.confusions[low])
                    own[low] = new
                elif len(low) > 3 and draw() < spelling:
                    new = r.choice(self._misspellings(low))
                    own[low] = new
                elif len(low) > 6 and draw() < split:
                    new = self._split(low)
            elif len(low) > 4 and draw() < spelling * 0.25:
                new = r.choice(self._misspellings(low))
            if new == low and accents and draw() < accents:
                new = without_accents(low)
            if new == low:
                new = word
            elif word[0] != low[0]:
                new = new.upper() if len(word) > 1 and word.isupper() else new[:1].upper() + new[1:]
            if lower and not (len(word) > 1 and word.isupper()):
                new = new.lower()
            if right and (bare or draw() < fewer_marks):
                right = right.replace(",", "").replace(";", "").replace(":", "")
                right = right.replace(".", "") if bare else right
            if draw() < filler:
                out.append(r.choice(FILLERS))
            out.append(left + new + right)
            if draw() < double:
                out.append(new)
            if (
                len(out) > 1
                and draw() < join
                and len(out[-1]) < 9
                and out[-2][-1:].isalpha()
                and "<" not in out[-2]
            ):
                out[-2:] = [out[-2] + out[-1]]
            elif len(out) > 1 and draw() < swap and "<" not in out[-2]:
                out[-2:] = [out[-1], out[-2]]
        return " ".join(out)

    # -- names ------------------------------------------------------------------------------

    def invent_name(self) -> str:
        """A word that looks like a proper noun and exists nowhere, so that copying it must be learned."""
        r = self.random
        onset = ("b", "c", "ch", "d", "f", "g", "h", "j", "l", "ll", "m", "n", "p", "qu", "r", "s",
             "t", "v", "y", "z",
                 "br", "cr", "tr", "gr", "pl", "")  # fmt: skip
        body = "".join(r.choice(onset) + r.choice("aeiouáéíóa") for _ in range(r.randint(2, 4)))
        name = body + r.choice(("", "", "n", "r", "s", "z", "l", "ez", "nte"))
        return name[:1].upper() + name[1:]

    def rename(self, text: str, *, placeholder_share: float, invented_share: float) -> str:
        """Replace a share of the capitalised runs inside sentences by placeholders or invented names."""
        r = self.random
        used: dict[str, str] = {}

        def swap(match: re.Match[str]) -> str:
            run, chance = match[2], r.random()
            if run in used:
                return match[1] + used[run]
            if chance < placeholder_share:
                kind = (
                    r.choice(KINDS)
                    if r.random() < 0.9
                    else "".join(r.choices("ABCDEIOLMNRSTU", k=r.randint(3, 8)))
                )
                used[run] = f"<{kind}_{r.choice((1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 12))}>"
            elif chance < placeholder_share + invented_share:
                used[run] = " ".join(self.invent_name() for _ in range(min(3, run.count(" ") + 1)))
                if r.random() < 0.15:
                    used[run] = "".join(r.choices("ABCDEFGIJLMNOPRSTUV", k=r.randint(2, 5)))
            else:
                used[run] = run
            return match[1] + used[run]

        return _CAPITALISED.sub(swap, text)


_CAPITALISED = re.compile(
    r"((?:[\w,;)»] |[(«]))([A-ZÁÉÍÓÚÑ][\wáéíóúñü]+(?: (?:(?:de|del|la|y|los) )*[A-ZÁÉÍÓÚÑ][\wáéíóúñü]+){0,4})"
)


def word_counts(texts: Iterable[str]) -> dict[str, int]:
    """Frequency of every word written in lower case."""
    counts: dict[str, int] = defaultdict(int)
    for text in texts:
        for word in text.split():
            bare = word.strip(".,;:()«»¡!¿?\"'")
            if bare.isalpha() and bare.islower():
                counts[bare] += 1
    return counts


def word_errors(reference: str, hypothesis: str) -> tuple[int, int]:
    """(edits, reference words): Levenshtein distance over white-space words, as in WER = edits / words."""
    ref, hyp = reference.split(), hypothesis.split()
    row = list(range(len(hyp) + 1))
    for i, a in enumerate(ref, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(hyp, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1], len(ref)


Corrupter = Callable[[str, float], str]
