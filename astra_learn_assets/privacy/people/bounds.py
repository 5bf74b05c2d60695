"""What a span found by any detector may cover: one person, nothing beside, and somebody at all.

Detectors run on beyond a name: over a tab into "Apruebo", over a label ("NIF"), over an abbreviated title
before it ("Reg."), over a comma into the next person. And they take for a person what opens a sentence
("Milagros no se pueden hacer"). Every finding goes through here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from astra_learn_assets.privacy.identifiers.rules import Finding
from astra_learn_assets.privacy.people.name_runs import AS_IT_STANDS
from astra_learn_assets.privacy.people.runs import (
    ABBREVIATIONS,
    OPENS_PLACE,
    case_at,
    is_given,
    is_strong,
    may_be_name,
    never_names,
)
from astra_learn_assets.privacy.people.tables import words as table
from astra_learn_assets.privacy.people.titles import COURTESY
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.lexicon import given_names, place_words, role_words
from astra_learn_assets.spanish.name_words import (
    PARTICLES,
    TITLE_WORDS,
    WORD,
    is_common,
    is_inflected,
    is_ordinary,
)

_NOUNS = table("person_nouns")
CALLED = _NOUNS | {f"{noun}s" for noun in _NOUNS} | {f"{noun}es" for noun in _NOUNS}
_LABELS = table("never_names") - PARTICLES
_ORDINALS = table("ordinals")
_VERBS = table("person_verbs")
_BREAK = re.compile(r"[\t|;:•…–—<>=/()\[\]\"«»“”‘¿¡!?]|[ ]-[ ]|[ ]{3,}|[.]{2,}|\n|\d[\d.,]*")
_SAINT = re.compile(r"(?i)(?<!\w)(?:san|santa|santo|sto[.]?|sta[.]?|virgen|virgen (?:de|del|de la))[ ]$")
_BODY = re.compile(
    r"(?i)(?<!\w)(?:concejo|ayuntamiento|municipalidad|cabildo|corporaci[oó]n|junta|municipal|distrital|"
    r"deliberante|departamental|capitular|plural|regidores|municipio|aut[oó]nomo|pleno|alcald[ií]a|"
    r"parroquial|comuna|villa)[ ]$"
)
_OFFICE = re.compile(
    r"(?i)(?<!\w)(?:concejal[a]?|regidora?|síndic[oa]|sindic[oa]|vocal|alcalde|alcaldesa|edil|secretari[oa]|"
    r"suplente)[ ]$"
)
_COMPANY = re.compile(
    r"(?i),?[ ]?(?:s[.]a[.]|s[.]l[.]|s[.]c[.]|c[.]v[.]|s[.]r[.]l[.]|ltda\b|cía[.]|s[.]a[.]s\b|sac\b|srl\b)"
)
_SENTENCE = re.compile(r"(?<=[^\W\d_]{3})[.][ ](?=[^\W\d_])")
_COMMA = re.compile(r",[ ]")
_FIELD = re.compile(r"(?i)(?<!\w)(?:nombres?|apellidos?)(?:[ ]y[ ](?:nombres?|apellidos?))?[ ]*:[ ]*$")
_TITLE_WITHIN = re.compile(  # "D. Luis Soto D. Pedro Ruiz": no initial stands between two full names
    r"(?<=[^\W\d_]{3})[ ]{1,3}"
    r"(?:(?i:don|doña|dña[.]?|sr[.]|sra[.]|srta[.]|señora?|d[.]ª|dª[.]?|da[.])|[Dd][.])"
    r"[ ]?(?=[^\W\d_]{2,}[ ][^\W\d_]{2,})"
)
_AND = re.compile(r"[ ](?:[yY]|[eE])[ ](?:[dD][eE][ ])?")
_STARTS = re.compile(r"(?:^|[.!?¿¡:…\n]|[-–—•][ ])[ ]*$")
_PARTICLE_HEAD = PARTICLES | {"el", "la", "las", "los", "y", "e", "a", "al", "i"}


def bounded(text: str, finding: Finding) -> Iterator[Finding]:
    """The persons inside a finding, each in its own bounds; none when nobody is left.

    A word that no list of words knows is not cut away for the sake of tidy bounds: who is called by a rare
    name would stay readable, and a wrong mask does less harm.
    """
    kept = list(_bounded(text, finding))
    yield from kept
    if finding.rank < AS_IT_STANDS:
        yield from _left_over(text, finding, kept)


def _left_over(text: str, finding: Finding, kept: Sequence[Finding]) -> Iterator[Finding]:
    """Runs of words of the finding that are in none of ``kept`` and that nothing but a name explains."""
    begin = max(0, finding.start - 30)
    if _SAINT.search(text[begin : finding.start]) or _BODY.search(text[begin : finding.start]):
        return
    run: list[re.Match[str]] = []
    for word in WORD.finditer(text, finding.start, finding.end):
        covered = any(one.start <= word.start() and word.end() <= one.end for one in kept)
        if not covered and _is_unheard(word[0]) and not _COMPANY.match(text, word.end()):
            run.append(word)
        elif run and (covered or fold_chars(word[0]) not in PARTICLES):
            yield replace(finding, start=run[0].start(), end=run[-1].end())
            run = []
    if run:
        yield replace(finding, start=run[0].start(), end=run[-1].end())


def _is_unheard(value: str) -> bool:
    """Whether a word stands in no list: of one that is a name for some, the bounds have judged."""
    folded = fold_chars(value)
    return len(folded) > 3 and not (
        may_be_name(folded)
        or folded in never_names()
        or folded in CALLED
        or folded in _VERBS
        or folded in ABBREVIATIONS
        or folded in role_words()
        or folded in place_words()
        or is_ordinary(folded)
        or is_inflected(folded)
    )


def _bounded(text: str, finding: Finding) -> Iterator[Finding]:
    for start, end in _parts(text, finding.start, finding.end, finding.rank >= AS_IT_STANDS):
        words = list(WORD.finditer(text, start, end))
        words = _trimmed(text, words, finding)
        if words and _is_somebody(text, words, finding):
            stop = words[-1].end()
            if len(words[-1][0]) == 1 and text[stop : stop + 1] == "." and stop < finding.end:
                stop += 1
            yield replace(finding, start=words[0].start(), end=stop)


def _parts(text: str, start: int, end: int, forced: bool) -> Iterator[tuple[int, int]]:
    """The span cut where no name goes on."""
    if forced:
        yield start, end
        return
    at = start
    for cut in _BREAK.finditer(text, start, end):
        if cut[0] == "\n" and _goes_on(text, at, cut.start()):
            continue
        yield from _sentences(text, at, cut.start())
        at = cut.end()
    yield from _sentences(text, at, end)


def _goes_on(text: str, start: int, cut: int) -> bool:
    """Whether a name is broken at the end of a long line."""
    begin = text.rfind("\n", max(0, cut - 240), cut) + 1
    if text[cut - 1] == "-":
        return True
    after = WORD.search(text, cut, min(len(text), cut + 40))
    if cut - begin < 40 or after is None:
        return False
    before = text[start:cut]
    return after[0][0].isupper() or not any(map(str.isupper, before))


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for stop in _SENTENCE.finditer(text, start, end):
        word = re.search(r"[^\W\d_]+$", text[max(at, stop.start() - 20) : stop.start()])
        if word and (fold_chars(word[0]) in ABBREVIATIONS or fold_chars(word[0]) in ("fco", "fca", "gpe")):
            continue
        yield from _people(text, at, stop.start())
        at = stop.end()
    yield from _people(text, at, end)


def _people(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span cut between two people: "Ana Ruiz, Luis Soto", "Felipe Sicajá y de Marta Cuxil"."""
    at = start
    for cut in _TITLE_WITHIN.finditer(text, start, end):
        if len(_core(text, at, cut.start())) > 1:
            yield from _listed(text, at, cut.start())
            at = cut.end()
    yield from _listed(text, at, end)


def _listed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for cut in _COMMA.finditer(text, start, end):
        left, right = _core(text, at, cut.start()), _core(text, cut.end(), end)
        if left and right and _two(left, right):
            yield from _joined(text, at, cut.start())
            at = cut.end()
    yield from _joined(text, at, end)


def _joined(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for cut in _AND.finditer(text, start, end):
        left, right = _core(text, at, cut.start()), _core(text, cut.end(), end)
        if left and right and _and_two(left, right):
            yield from _words(text, at, cut.start())
            at = cut.end()
    yield from _words(text, at, end)


def _and_two(left: Sequence[str], right: Sequence[str]) -> bool:
    given = is_given(right[0]) or right[0] in given_names()
    return (
        len(left) == 1
        or (len(left) > 1 < len(right))
        or (given and (len(right) > 1 or not is_ordinary(right[0])))
    )


def _words(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span cut at words that no name has: plain ones in lower case, labels, acts ("Soto [midió]")."""
    case = case_at(text, start, end)
    capitals = any(map(str.isupper, text[start:end]))
    first = last = None
    for word in WORD.finditer(text, start, end):
        folded = fold_chars(word[0])
        if _parts_people(word[0], folded, case, capitals):
            if first is not None and last is not None:
                yield first, last
            first = last = None
            continue
        first = word.start() if first is None else first
        last = word.end() + (
            len(word[0]) == 1 and text[word.end() : word.end() + 1] == "." and word.end() < end
        )
    if first is not None and last is not None:
        yield first, last


def _parts_people(value: str, folded: str, case: str, capitals: bool) -> bool:
    if folded in PARTICLES or folded in ("y", "e", "i") or len(value) == 1:
        return False
    if (
        folded in never_names()
        or folded == "iban"
        or (value.isupper() and case == "printed" and folded in _LABELS)
    ):
        return True
    if case == "printed" and capitals:
        return value.islower() and not is_strong(folded)
    if case == "lower":
        return not may_be_name(folded) and (is_ordinary(folded) or folded in _VERBS or is_inflected(folded))
    return not may_be_name(folded) and (is_common(folded) or folded in _VERBS) and folded not in _NOUNS


def _two(left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether two people stand beside a comma, and no surname before its given name ("Soto, Luis")."""
    inverted = not is_given(left[0]) and all(map(is_given, right))
    return not inverted


def _core(text: str, start: int, end: int) -> list[str]:
    words = map(fold_chars, WORD.findall(text[start:end]))
    return [word for word in words if word not in PARTICLES and len(word) > 1]


def _trimmed(text: str, words: list[re.Match[str]], finding: Finding) -> list[re.Match[str]]:
    """The words without labels, titles and plain words at both ends."""
    forced = finding.rank >= AS_IT_STANDS
    while words and not forced:
        head = fold_chars(words[0][0])
        if len(words) > 1 and (
            head in never_names()
            or _is_title(text, words[0], head, words[1:])
            or (
                head in ("el", "la", "los", "las", "y", "e", "a", "al", "que", "del", "de", "por", "con")
                and words[0][0].islower()
            )
            or _opens_plainly(text, words, head)
        ):
            words = words[1:]
            continue
        break
    while words and not forced:
        tail = fold_chars(words[-1][0])
        if (tail in never_names() and not _behind_title(text, words)) or (
            tail in _PARTICLE_HEAD and (words[-1][0].islower() or len(tail) > 1)
        ):
            words = words[:-1]
            continue
        if len(words) > 1 and not may_be_name(tail) and is_ordinary(tail) and _leaves(words, tail):
            words = words[:-1]
            continue
        break
    for position in range(1, len(words)):
        word = fold_chars(words[position][0])
        if not forced and word in never_names():
            return _trimmed(text, words[:position], finding)
    return words


def _behind_title(text: str, words: Sequence[re.Match[str]]) -> bool:
    return (
        len(words) == 1 and _TITLED.search(text[max(0, words[0].start() - 12) : words[0].start()]) is not None
    )


_TITLED = COURTESY


def _is_title(text: str, word: re.Match[str], folded: str, rest: Sequence[re.Match[str]]) -> bool:
    """Whether a head is a title or what a person is called, with a name behind it."""
    if folded in ABBREVIATIONS and text[word.end() : word.end() + 1] == ".":
        return True
    named = may_be_name(folded)
    following = fold_chars(rest[0][0])
    if folded in _NOUNS or folded in TITLE_WORDS or folded in role_words():
        return not named or (
            word[0].islower() and case_at(text, word.start()) == "printed" and rest[0][0][0].isupper()
        )
    return folded in _PARTICLE_HEAD and word[0].islower() and following in _NOUNS


def _opens_plainly(text: str, words: Sequence[re.Match[str]], head: str) -> bool:
    """Whether a span begins with the plain word of its sentence: "Concurre Juana Ruiz"."""
    if may_be_name(head) or not (is_ordinary(head) or is_inflected(head) or words[0][0].islower()):
        return False
    rest = [w for w in words[1:] if fold_chars(w[0]) not in PARTICLES]
    if not rest or not any(is_strong(fold_chars(w[0])) or not is_ordinary(fold_chars(w[0])) for w in rest):
        return False
    if words[0][0].islower():
        return case_at(text, words[0].start()) == "printed" and rest[0][0][0].isupper()
    if text[words[0].end() : words[0].end() + 1] == ".":
        return True
    printed = case_at(text, words[0].start()) == "printed" and not words[0][0].isupper()
    follows_given = is_given(fold_chars(rest[0][0])) and not is_ordinary(fold_chars(rest[0][0]))
    return (
        printed
        and _STARTS.search(text[max(0, words[0].start() - 4) : words[0].start()]) is not None
        and follows_given
    )


def _leaves(words: Sequence[re.Match[str]], tail: str) -> bool:
    """Whether a plain last word is no surname: it is in lower case beside capitals, or an act."""
    value = words[-1][0]
    if value.islower():
        return words[0][0][0].isupper() or is_common(tail)
    return tail in _VERBS or tail in role_words()


def _is_somebody(text: str, words: Sequence[re.Match[str]], finding: Finding) -> bool:
    """Whether what is left names somebody."""
    if finding.rank >= AS_IT_STANDS:
        return True
    folded = [fold_chars(w[0]) for w in words]
    core = [w for w in folded if w not in PARTICLES and len(w) > 1]
    if not core or all(w in never_names() for w in core):
        return False
    start, end = words[0].start(), words[-1].end()
    if len(core) == 1 and (
        (core[0] in ABBREVIATIONS and text[end : end + 1] == ".")
        or (core[0] in CALLED and not may_be_name(core[0]))
    ):
        return False
    if len(core) == 1 and core[0] in _ORDINALS and _OFFICE.search(text[max(0, start - 24) : start]):
        return False
    if _COMPANY.match(text, end) and not _TITLED.search(text[max(0, start - 12) : start]):
        return False
    before = _SAINT.search(text[max(0, start - 12) : start])
    if (before or (folded[0] in ("san", "santa", "santo", "sto", "sta") and len(core) < 3)) and not (
        _TITLED.search(text[max(0, start - 20) : before.start() + max(0, start - 12) if before else start])
    ):
        return False
    if folded[0] in ("de", "del") and _BODY.search(text[max(0, start - 30) : start]):
        return False
    case = case_at(text, start, end)
    if finding.detector in ("title", "announced") and (case != "lower" or start <= finding.start + 1):
        return True
    if _FIELD.search(text[max(0, start - 40) : start]):
        return True
    if (
        folded[0] in OPENS_PLACE
        and not is_given(core[0])
        and not _full(core[1:])
        and not any(map(is_strong, core[1:]))
    ):
        return bool(_TITLED.search(text[max(0, start - 12) : start]))
    if len(core) > 1:
        if case == "printed" and text[start:end].islower():
            return any(map(is_strong, core))
        return any(may_be_name(w) or not is_ordinary(w) for w in core)
    word = core[0]
    if _TITLED.search(text[max(0, start - 12) : start]):
        return True
    if finding.detector == "speaker":
        return True
    if case == "printed" and text[start:end].islower():
        return word in given_names() and not is_ordinary(word)
    if is_strong(word) and word not in place_words():
        return True
    opens = _STARTS.search(text[max(0, start - 4) : start]) is not None
    if opens and case != "lower":
        return _acts(text, end)
    return not is_ordinary(word) or (may_be_name(word) and case == "printed")


def _full(core: Sequence[str]) -> bool:
    return len(core) > 1 and is_given(core[0]) and not is_ordinary(core[0])


def _acts(text: str, end: int) -> bool:
    """Whether what only people do, or the mark of a speaker, follows a lone word that opens a sentence."""
    after = re.match(r"[ ](?:no )?(?:se )?(?:le )?([^\W\d_]+)", text[end : end + 30])
    if after and fold_chars(after[1]) in _VERBS:
        return True
    return (
        re.match(
            r"[ ]?(?:[:;)]|>>|[.][ ]?[-–]|$|\n)|,[ ](?:[^\W\d_]+[ ]){0,2}(?:de|del|que|vecin|quien)",
            text[end : end + 30],
        )
        is not None
    )
