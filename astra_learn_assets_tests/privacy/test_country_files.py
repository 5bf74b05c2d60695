"""A new country is one file; what is missing or wrong in it is said in one sentence, before any run."""

from __future__ import annotations

import importlib
import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from astra_learn_assets.errors import BadConfiguration, BadInput
from astra_learn_assets.privacy.detector import Detector
from astra_learn_assets.privacy.identifiers import check, countries
from astra_learn_assets.privacy.identifiers.pack import CountryPack
from astra_learn_assets.privacy.identifiers.samples import spellings
from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer
from astra_learn_assets.privacy.scan.canary import run_canaries
from astra_learn_assets.privacy.scan.residual import ResidualScanner
from astra_learn_assets_tests.privacy.conftest import NamesNobody

HEAD = '''"""Zamunda, invented: six digits and a letter, the digits' sum modulo ten."""

import random
import re

from astra_learn_assets.privacy.identifiers.forms import B, grouped, rule
from astra_learn_assets.privacy.identifiers.pack import *
from astra_learn_assets.privacy.identifiers.rules import words
from astra_learn_assets.privacy.identifiers.samples import digits

MADE = []


def civil(number: str) -> bool:
    return number[:6].isdigit() and number[6] == "ABCDEFGHJK"[sum(map(int, number[:6])) % 10]


def make(rng: random.Random) -> str:
    number = digits(rng, 6)
    MADE.append(f"{number[:3]}-{number[3:]}-{'ABCDEFGHJK'[sum(map(int, number)) % 10]}")
    return MADE[-1]


FORM = B + grouped(3, 3)
CIVIL = re.compile(r"\\d{6}[A-K]")
'''
PARTS = {
    "kind": '"CIVIL"',
    "identity_words": 'words("civilnum")',
    "rules": '(rule("CIVIL", rf"{FORM}[ .\\-–]{{0,3}}[A-Ka-k](?!\\w)", civil, strong=True, rank=62),)',
    "abroad": '(rule("CIVIL", rf"{FORM}-[A-K](?!\\w)", civil, context=words("civilnum"), rank=58),)',
    "compact": '(CompactForm("CIVIL", CIVIL, civil, hyphen=False),)',
    "phone": 'PhonePlan("PT", bare=re.compile(r"9[1236]\\d{7}"))',
    "samples": '(Sample("CIVIL", "civilnum", Alone.ALWAYS, make),)',
    "examples": "()",
}  # fmt: skip
Add = Callable[..., None]


def source(**parts: str | None) -> str:
    """A country file with these parts instead of its own; None leaves a part out."""
    kept = {name: text for name, text in {**PARTS, **parts}.items() if text is not None}
    return HEAD + "\n\nPACK = CountryPack(\n" + "".join(f"    {n}={t},\n" for n, t in kept.items()) + ")\n"


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Add]:
    """Puts one file where the country files are looked for, and forgets it afterwards."""

    def forget() -> None:
        for cached in (countries.country_packs, countries.identity_words, countries.identity_rules):
            cached.cache_clear()
        importlib.invalidate_caches()

    def write(text: str, name: str = "zz") -> None:
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        forget()

    monkeypatch.setattr(countries, "__path__", [*countries.__path__, str(tmp_path)])
    yield write
    monkeypatch.undo()
    forget()
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(f"{countries.__name__}.{path.stem}", None)
        vars(countries).pop(path.stem, None)


def test_every_country_file_does_what_it_says() -> None:
    assert check.faults() == []
    assert check.main() == 0


def test_an_invented_country_is_one_file(add: Add) -> None:
    with pytest.raises(BadInput, match="no country pack 'zz'"):
        countries.country_code("zz")
    add(source())
    assert countries.country_code(" ZZ") == "zz"
    assert check.faults() == []

    detector = Detector(NamesNobody(), country="zz")
    (sample,) = countries.country_pack("zz").samples
    for value in spellings(sample.make(random.Random(1))):
        text = f"Consta {value} en el escrito"
        ((found,),) = detector.find([text])
        assert (found.kind, text[found.start : found.end]) == ("CIVIL", value)
    ((found,),) = detector.find(["El documento 123456789 consta"])
    assert found.kind == "CIVIL", "what follows 'documento' is the personal id of the country"
    text = "Consta el 912345678 en el escrito"
    ((found,),) = detector.find([text])
    assert (found.kind, text[found.start : found.end]) == ("TELEFONO", "912345678")


def test_a_visitor_from_the_invented_country_is_masked_elsewhere_behind_its_word_only(
    add: Add,
) -> None:
    text = "Consta el civilnum 123-456-B en el escrito"
    assert "CIVIL" not in {f.kind for f in Detector(NamesNobody(), country="es").find([text])[0]}
    add(source())
    detector = Detector(NamesNobody(), country="es")
    assert [f.kind for f in detector.find([text])[0]] == ["CIVIL"]
    assert detector.find([text.replace("civilnum", "expediente")]) == [[]]


def test_the_canaries_plant_the_invented_country_s_numbers_and_find_them(add: Add) -> None:
    add(source())
    made = sys.modules[f"{countries.__name__}.zz"].MADE if countries.country_packs() else []
    result = run_canaries(
        ["El pleno aprueba la propuesta de <PERSONA_1>."],
        pseudonymizer=Pseudonymizer(country="zz"),
        scanner=ResidualScanner(country="zz"),
        seed="zz",
    )
    assert len(made) == 5
    assert result.missed_identifiers == 0


@pytest.mark.parametrize("part", [part.name for part in fields(CountryPack)])
def test_leaving_out_a_part_of_a_country_names_the_part_and_the_country(
    add: Add, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    add(source(**{part: None}))
    sentence = f"country 'zz' (zz.py): the pack lacks {part}"
    with pytest.raises(BadConfiguration, match=f"^{re.escape(sentence)}$"):
        countries.country_packs()
    with pytest.raises(BadConfiguration, match=re.escape(sentence)):
        Detector(NamesNobody(), country="es")
    assert check.main() == 1
    assert capsys.readouterr().err == sentence + "\n"


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"samples": "()"}, "the pack's part samples is empty"),
        ({"rules": "()"}, "the pack's part rules is empty"),
        ({"identity_words": "frozenset()"}, "the pack's part identity_words is empty"),
        ({"samples": f"{PARTS['samples']} * 2"}, "the pack's part samples has the kind CIVIL twice"),
        ({"compact": f"{PARTS['compact']} * 2"}, "the pack's part compact has the kind CIVIL twice"),
        ({"rules": f"{PARTS['rules']} * 2"}, "the pack has one rule twice"),
        ({"kind": '"civil"'}, "the kind 'civil' is no placeholder's word"),
        ({"kind": '"PAPER"'}, "the pack's part samples has none of the personal id, PAPER"),
        ({"rules": '(rule("CIVIL", "(", rank=62),)'}, "missing ), unterminated subpattern"),
    ],
)
def test_a_part_that_cannot_be_right_is_an_error_at_import(
    add: Add, parts: dict[str, str], sentence: str
) -> None:
    add(source(**parts))
    with pytest.raises(BadConfiguration, match=re.escape(f"country 'zz' (zz.py): {sentence}")):
        countries.country_packs()


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"phone": 'PhonePlan("QQ", bare=None)'}, "phone: libphonenumber knows no region 'QQ'"),
        (
            {"rules": '(rule("CIVIL", r"[A-K]\\d{6}", civil, strong=True, rank=62),)', "compact": "()"},
            "is not masked alone, as it promises",
        ),
        ({"rules": '(rule("CIVIL", r"[A-K]\\d{6}", civil, strong=True, rank=62),)'}, "rules: CIVIL '[A-K]"),
        ({"abroad": '(rule("CARD", r"Q\\d{6}", rank=62),)'}, "abroad: CARD 'Q"),
        (
            {"compact": '(CompactForm("CARD", re.compile("x"), None, hyphen=False),)'},
            "compact: CARD 'x' fires on no sample and no example",
        ),
    ],
)
def test_a_part_that_does_not_do_what_it_says_is_named_by_the_check(
    add: Add, parts: dict[str, str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    add(source(**parts))
    found = check.faults()
    assert any(sentence in fault for fault in found), found
    assert all(fault.startswith("country 'zz' (zz.py): ") for fault in found)
    assert check.main() == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "name", "sentence"),
    [
        ("", "zz", "country 'zz' (zz.py): no PACK, a CountryPack with every part"),
        ("PACK = {'kind': 'CIVIL'}\n", "zz", "country 'zz' (zz.py): no PACK, a CountryPack with every part"),
        (source(), "zamunda", "country file zamunda.py: name it by two lower-case letters, as 'es.py'"),
    ],
)
def test_a_file_that_is_no_country_is_refused(add: Add, text: str, name: str, sentence: str) -> None:
    add(text, name)
    with pytest.raises(BadConfiguration, match=re.escape(sentence)):
        countries.country_packs()
