# ruff: noqa: E501  (tables: one row, one line)
"""What must never be read again, and what must stay readable."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astra_learn_assets.errors import BadConfiguration
from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer
from astra_learn_assets.spanish.fold import fold_chars
from astra_learn_assets.spanish.placeholder import PLACEHOLDER
from astra_learn_assets.spanish.visible import clean
from astra_learn_assets_tests.privacy.conftest import engine

_HARD = [
    json.loads(line)
    for name in ("hard_sentences.jsonl", "blind_sentences.jsonl")  # blind: written before the first run
    for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
]
_NAMES = ["Lucía", "Pedro", "Carmen", "Beñat", "Wayra", "Mohamed", "Aitziber", "Jordi"]
_SURNAMES = ["Ortega", "Quispe Mamani", "Etxeberria", "García López", "Puigdemont", "Benali", "Tordesillas"]
_FRAMES = [
    "Tiene la palabra {0}.",
    "El señor {0} pregunta por la calle Mayor.",
    "Responde doña {0} y se levanta la sesión.",
    "Votan a favor {0} y {1}.",
    "gracias {0} tiene la palabra",
    "{0}: Buenas tardes a todos.",
]


@pytest.mark.parametrize("case", _HARD, ids=lambda case: case["text"][:40])
def test_a_hard_sentence_reads_as_expected(case: dict[str, str]) -> None:
    masked, _ = engine(case.get("country", "es")).text(case["text"], "seed")
    assert PLACEHOLDER.sub(lambda m: f"<{m[1]}>", masked) == case["expected"]


def test_there_are_a_hundred_hard_sentences() -> None:
    assert len(_HARD) >= 100


def test_a_corrected_name_becomes_the_same_placeholder_and_the_pair_identical(
    pseudonymizer: Pseudonymizer,
) -> None:
    (pair,) = pseudonymizer.pairs(
        [("responde la concejala Lusia Hortega", "responde la concejala Lucía Ortega", 1)]
    )
    assert pair.identical
    assert pair.entities == {"<PERSONA_1>": 2}


def test_a_name_only_the_clerk_wrote_is_masked_where_the_draft_misheard_it(
    pseudonymizer: Pseudonymizer,
) -> None:
    (pair,) = pseudonymizer.pairs(
        [("habla el señor kispe de las ovras", "Habla el señor Quispe de las obras.", 2)]
    )
    assert "kispe" not in pair.before
    assert pair.before == "habla el señor <PERSONA_1> de las ovras"


def test_full_name_surname_and_first_name_are_one_person(pseudonymizer: Pseudonymizer) -> None:
    text = "Lucía Ortega Prado pregunta. El señor Quispe contesta. La concejala Ortega insiste y Lucía calla."
    masked, counts = pseudonymizer.text(text, 3)
    assert sorted(counts.values()) == [1, 3]
    assert re.sub(r"_\d", "", masked) == (
        "<PERSONA> pregunta. El señor <PERSONA> contesta. La concejala <PERSONA> insiste y <PERSONA> calla."
    )


def test_an_identifier_spelled_two_ways_is_one_placeholder(pseudonymizer: Pseudonymizer) -> None:
    (pair,) = pseudonymizer.pairs([("dni 12345678z del vecino", "DNI 12.345.678-Z del vecino", 4)])
    assert pair.entities == {"<DNI_1>": 2}


def test_the_same_input_gives_the_same_output_alone_and_in_a_batch(pseudonymizer: Pseudonymizer) -> None:
    items = [
        (f"habla {a} con {b}", f"Habla {a} con {b}.", i)
        for i, (a, b) in enumerate(zip(_NAMES, _SURNAMES, strict=False))
    ]
    together = pseudonymizer.pairs(items)
    assert together == [Pseudonymizer().pairs([item])[0] for item in items]


def test_numbers_are_shuffled_by_the_seed_so_that_none_comes_to_mean_the_mayor(
    pseudonymizer: Pseudonymizer,
) -> None:
    text = "La alcaldesa, Carmen Núñez, da la palabra a Pedro Quispe y a Beñat Etxeberria."
    first = {re.findall(r"<PERSONA_\d>", pseudonymizer.text(text, seed)[0])[0] for seed in range(12)}
    assert first == {"<PERSONA_1>", "<PERSONA_2>", "<PERSONA_3>"}


def test_existing_placeholders_are_kept_and_their_numbers_not_reused(pseudonymizer: Pseudonymizer) -> None:
    masked, counts = pseudonymizer.text("<PERSONA_1> saluda a Pedro Quispe y <DNI_4> consta.", 5)
    assert masked == "<PERSONA_1> saluda a <PERSONA_2> y <DNI_4> consta."
    assert counts == {"<DNI_4>": 1, "<PERSONA_1>": 1, "<PERSONA_2>": 1}


_SPELLINGS = [
    "Lucía Ortega Prado", "LUCIA ORTEGA PRADO", "lucia ortega prado", "Lucía  Ortega\u00a0Prado", "Ortega Prado, Lucía", "ORTEGA PRADO, LUCIA",
    "Lucía Ortega", "L. Ortega Prado", "Lucía Ortega-Prado", "Ortega", "ORTEGA", "la concejala Ortega", "la edil Ortega Prado", "Lucía",
    "Lu\u200bcía Or\u200dtega", unicodedata.normalize("NFD", "Lucía Ortega Prado"), "Luсía Оrtega", "Luc&iacute;a Ortega", "<b>Lucía</b> Ortega",
    "lucia.ortega", "LuciaOrtegaPrado", "Lucía_Ortega_Prado", "L U C Í A O R T E G A", "L\u00fac\u00eda Ortega", "Lucía\nOrtega",
    "Ｌｕｃｉａ Ｏｒｔｅｇａ", "𝐋𝐮𝐜𝐢𝐚 𝐎𝐫𝐭𝐞𝐠𝐚", "doña Lucía", "los Ortega", "Lucía O\u00adrtega",
]  # fmt: skip


@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_a_blocklisted_name_never_passes_however_it_is_spelled(spelling: str) -> None:
    tenant = Pseudonymizer(mask_terms=["alcaldesa Lucía Ortega Prado"])
    masked, _ = tenant.text(f"Se avisa a {spelling} de que la fuente no funciona.", 6)
    visible = fold_chars(clean(PLACEHOLDER.sub(" ", masked)).text)
    assert "ortega" not in re.sub(r"[\W_]", "", visible)
    assert "lucia" not in re.sub(r"[\W_]", "", visible)
    assert "de que la fuente no funciona." in masked


def test_a_street_named_after_a_person_stays_when_allowed_and_goes_when_blocked() -> None:
    text = "Se asfalta la calle Lucía Ortega."
    assert Pseudonymizer(allow_terms=["calle Lucía Ortega"]).text(text, 7)[0] == text
    assert "Ortega" not in Pseudonymizer(mask_terms=["Lucía Ortega"]).text(text, 7)[0]


def test_an_allowed_institution_stays_even_where_the_model_sees_a_person() -> None:
    tenant = Pseudonymizer(allow_terms=["Eugenio Espejo"])
    assert tenant.text("Donación al Eugenio Espejo de Quito.", 8)[0] == "Donación al Eugenio Espejo de Quito."


def test_a_model_that_is_not_there_is_a_clear_error_and_never_a_download() -> None:
    with pytest.raises(BadConfiguration, match="nothing is downloaded"):
        Pseudonymizer(model="es_core_news_enormous")


def test_a_country_without_a_pack_is_refused() -> None:
    with pytest.raises(BadConfiguration, match="no country pack 'xx': use one of ar, bo, "):
        Pseudonymizer(country="xx")


def test_offsets_hold_after_emoji_and_combining_marks(pseudonymizer: Pseudonymizer) -> None:
    text = "👩‍👩‍👧 " + unicodedata.normalize("NFD", "señor García: áéí ") + "y Pedro Quispe 🎉 fin"
    masked, _ = pseudonymizer.text(text, 9)
    assert masked.startswith("👩‍👩‍👧 " + unicodedata.normalize("NFD", "señor "))
    assert unicodedata.normalize("NFD", "áéí ") in masked
    assert masked.endswith("🎉 fin")


def test_empty_and_blank_texts_come_back_unchanged(pseudonymizer: Pseudonymizer) -> None:
    for text in ("", " ", "\n\n", "\x00", "<", "&", "…"):
        assert pseudonymizer.text(text, 10) == (text, {})


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(_FRAMES),
    st.sampled_from(_NAMES),
    st.sampled_from(_SURNAMES),
    st.sampled_from(_SURNAMES),
    st.sampled_from([str, str.upper, str.lower]),
)
def test_no_word_of_a_found_person_survives_and_a_second_pass_changes_nothing(
    frame, first, last, other, case
) -> None:  # type: ignore[no-untyped-def]
    text = case(frame.format(f"{first} {last}", other)) + f" Según {last}, falta luz."
    pair = engine().pairs([(text.lower(), text, 11)])[0]
    for start, end, kind in engine().findings(text):
        if kind == "PERSONA":
            for word in re.findall(r"\w{4,}", fold_chars(text[start:end])):
                assert not re.search(rf"(?<!\w){word}(?!\w)", fold_chars(PLACEHOLDER.sub(" ", pair.after)))
    assert engine().pairs([(pair.before, pair.after, 12)])[0] == pair
    assert {m[0] for m in PLACEHOLDER.finditer(pair.before)} == {
        m[0] for m in PLACEHOLDER.finditer(pair.after)
    }


@settings(max_examples=120, deadline=None)
@given(st.text(max_size=120), st.text(max_size=120))
def test_any_text_is_masked_without_error_and_masking_is_idempotent(before: str, after: str) -> None:
    pair = engine().pairs([(before, after, 13)])[0]
    assert engine().pairs([(pair.before, pair.after, 14)])[0] == pair
