"""Which documents are kept out as a whole, and which ordinary edits are not."""

from __future__ import annotations

from astra_learn_assets.comparator.quarantine import Change, Evidence, reason_to_quarantine

SPEECH = "El señor {0} pregunta por las obras de la plaza y la señora {1} responde que acaban en mayo."
PLAIN = "Se aprueba por unanimidad el expediente de contratación del servicio de limpieza viaria número {0}."
COUNCIL = (("Becerra", "Salazar"), ("Castelao", "Ferrer"), ("Ugarte", "Gallego"), ("Quesada", "Murillo"))


def reason(changes: list[Change]) -> str | None:
    evidence = Evidence(changes, inserted=(), deleted=(), other_document_id=False, confidence=1.0)
    return reason_to_quarantine(evidence, confidence_minimum=0.5)


def unchanged(count: int) -> list[Change]:
    texts = [PLAIN.format(number) for number in range(count)]
    return [Change(text, text, similarity=1.0) for text in texts]


def renamed(names: tuple[tuple[str, str], ...]) -> list[Change]:
    (first, second), (third, fourth) = names
    return [Change(SPEECH.format(first, third), SPEECH.format(second, fourth), similarity=0.9)]


def test_a_council_whose_names_all_became_other_names_is_kept_out() -> None:
    found = reason([*unchanged(12), *renamed(COUNCIL[:2]), *renamed(COUNCIL[2:])])
    assert found is not None
    assert "nombres propios" in found


def test_a_clerk_who_puts_two_wrong_speakers_right_is_believed() -> None:
    assert reason([*unchanged(12), *renamed(COUNCIL[:2])]) is None


def test_four_wrong_speakers_in_a_long_document_are_believed() -> None:
    assert reason([*unchanged(60), *renamed(COUNCIL[:2]), *renamed(COUNCIL[2:])]) is None


def test_misheard_names_are_believed_however_many_there_are() -> None:
    misheard = (("Echeverria", "Etxeberria"), ("Gonsales", "González"))
    more = (("Bolibar", "Bolívar"), ("Jimenes", "Jiménez"))
    assert reason([*unchanged(4), *renamed(misheard), *renamed(more)]) is None


def test_letters_of_another_script_among_ours_keep_a_document_out() -> None:
    cyrillic = SPEECH.format("Becerra", "Salazar").replace("obras", "оbras").replace("plaza", "plаza")
    changed = Change(SPEECH.format("Becerra", "Salazar"), cyrillic, similarity=0.95)
    found = reason([*unchanged(12), changed])
    assert found is not None
    assert "otro alfabeto" in found


def test_a_word_written_in_another_script_altogether_is_no_disguise() -> None:
    greek = SPEECH.format("Becerra", "Salazar").replace("mayo", "μάιος")
    assert (
        reason([*unchanged(12), Change(SPEECH.format("Becerra", "Salazar"), greek, similarity=0.95)]) is None
    )


ACCENTED = "La votación del día trató la petición número {0} de la señora Gutiérrez según el informe técnico."
BARE = "La votacion del dia trato la peticion numero {0} de la señora Gutierrez segun el informe tecnico."


def test_a_document_that_lost_its_accents_is_kept_out_and_one_that_got_them_is_believed() -> None:
    lost = [Change(ACCENTED.format(n), BARE.format(n), similarity=0.95) for n in range(3)]
    found = reason([*unchanged(12), *lost])
    assert found is not None
    assert "tildes" in found
    gained = [Change(BARE.format(n), ACCENTED.format(n), similarity=0.95) for n in range(3)]
    assert reason([*unchanged(12), *gained]) is None
    one = Change(PLAIN.format(1), PLAIN.format(1).replace("número", "numero"), similarity=0.99)
    assert reason([*unchanged(12), one]) is None
