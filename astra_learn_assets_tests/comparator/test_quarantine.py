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
