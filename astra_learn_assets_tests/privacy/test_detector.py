"""The model reads the words around what could be a name and nothing else; loading needs no deep learning."""

from __future__ import annotations

import subprocess
import sys

from astra_learn_assets.privacy.identifiers.countries import identity_rules
from astra_learn_assets.privacy.identifiers.rules import RuleSet
from astra_learn_assets.privacy.ner.views import AROUND, name_windows
from astra_learn_assets.privacy.people.persons import addressed

FILLER = "se aprueba la propuesta de la comisión para la obra de la plaza y el camino del agua "


def test_a_sentence_of_everyday_words_is_not_shown_to_the_model() -> None:
    assert name_windows((FILLER * 3).strip()) == ()


def test_the_model_sees_the_words_on_both_sides_of_what_could_be_a_name() -> None:
    text = f"{FILLER * 3}habla Zulanor Pextimel {FILLER * 3}".strip()
    ((start, end),) = name_windows(text)
    before, after = text[start : text.index("Zulanor")], text[text.index("Pextimel") + 8 : end]
    assert (len(before.split()), len(after.split())) == (AROUND, AROUND)


def test_names_that_stand_close_share_one_window() -> None:
    text = f"{FILLER * 3}habla Zulanor con doña Pextimel {FILLER * 3}".strip()
    assert len(name_windows(text)) == 1


def test_an_everyday_given_name_is_a_person_where_it_is_spoken_to() -> None:
    said = {
        "No, Concepción, eso no.": ["Concepción"],
        "como ha dicho antes Consuelo, vence": ["Consuelo"],
        "buenas tardes soy encarna y vivo aquí": ["encarna"],
        "La Inmaculada Concepción es fiesta.": [],
        "El consuelo de muchos, dice el refrán.": [],
    }
    assert {text: [text[f.start : f.end] for f in addressed(text)] for text in said} == said


def test_a_remembered_neighbourhood_gives_the_same_findings_at_its_new_place() -> None:
    rules = RuleSet(identity_rules("es"))
    text = f"Consta el DNI 12345678Z aquí. {FILLER}El DNI 12.345.678-Z otra vez. {FILLER}"
    for shifted in (text, "x " + text, f"{FILLER}{text}"):
        assert rules.find(shifted) == RuleSet(identity_rules("es")).find(shifted)
    assert len(rules.find(text)) >= 2


def test_the_commands_load_the_shipped_model_without_torch_and_leave_it_importable() -> None:
    code = (
        "import sys\n"
        "from astra_learn_assets.privacy.ner.light import without_deep_learning\n"
        "with without_deep_learning():\n"
        "    from astra_learn_assets.privacy.pseudonymizer import Pseudonymizer\n"
        "    from astra_learn_assets.privacy.scan.residual import ResidualScanner\n"
        "    first, second = Pseudonymizer(), ResidualScanner()\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules\n"
        "text = 'Habla Pedro Ruiz.'\n"
        "assert second.scan_text(text) and 'Ruiz' not in first.text(text, 1)[0]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
