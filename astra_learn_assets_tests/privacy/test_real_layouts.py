# ruff: noqa: E501  (tables: one row, one line)
"""Kinds that real minutes taught: rosters, announcements, nicknames, initials, labels that stay, towns."""

from __future__ import annotations

import pytest

from astra_learn_assets_tests.privacy.conftest import engine

# (country, text, words that must go, words that must stay)
CASES = [
    ("co", "Intervino de la comunidad Hortensia Roldán Pulgarín:", ["Hortensia", "Roldán", "Pulgarín"], ["comunidad"]),
    ("ar", "11-BERTOLINI, OSVALDO A.\n12-QUINTEROS, MARTA E.", ["BERTOLINI", "OSVALDO", "MARTA"], ["11", "12"]),
    ("es", "la ministra ribera y el señor planas responden a la señora alegría", ["ribera", "planas", "alegría"], ["responden"]),
    ("mx", "el señor primitivo sueldo vivas pide que conste en acta", ["primitivo", "sueldo", "vivas"], ["conste en acta"]),
    ("es", "Luz pide que se arregle la luz de su calle.", ["Luz pide"], ["luz de su calle"]),
    ("es", "la concejala alegría luna cruz responde que sí", ["alegría", "luna", "cruz"], ["responde"]),
    ("es", "E d u v i g e s Roldán firmó; también X_Roldán y EduvigesRoldán.", ["E d u v i g e s", "Roldán"], ["firmó"]),
    ("es", "Intervino María\nJosefa\nCondori.", ["Josefa", "Condori"], ["Intervino"]),
    ("es", "Participan Inti Yupanqui Quispe, Sumaq Huamán y Killari Choquehuanca.", ["Sumaq", "Killari"], ["Participan"]),
    ("es", "Admitidos: A.G.R., L.M.P., N.B., I. Z. U.; lista de espera: T.H.", ["A.G.R", "N.B", "I. Z", "T.H"], ["lista de espera"]),
    ("do", "CONSIDERANDO: que el señor Ramón Emilio Marte (a) Monchín enseñó a leer", ["Marte", "Monchín"], ["enseñó"]),
    ("bo", "Cra. Wara Villca Mamani: apoya a la hermana Condori.", ["Wara", "Villca", "Condori"], ["Cra.", "apoya"]),
    ("es", "Pregonero: Olegario Conde, «Garbancito». Se pagarán 60 euros.", ["Olegario", "Garbancito"], ["Pregonero", "euros"]),
    ("pe", "2) HUAMÁN SULCA KUSI      DNI 43218766   1 niño", ["HUAMÁN", "KUSI"], ["DNI", "niño"]),
    ("es", "Presenta el DNI en la ventanilla y su IBAN.", [], ["DNI", "IBAN"]),
    ("ec", "San José de los Arrayanes, 21 de Abril de 2023", [], ["San José de los Arrayanes", "Abril"]),
    ("es", "Certificación de la sesión. Miren ustedes, etc.", [], ["Miren", "etc"]),
    ("bo", "CONCEJO MUNICIPAL DE PUERTO SUÁREZ VIEJO\nEn Puerto Suárez Viejo, siendo las 9:00", [], ["PUERTO SUÁREZ", "Puerto Suárez"]),
    ("es", "nacida el catorce de marzo de mil novecientos sesenta y dos", ["novecientos"], ["nacida"]),
    ("uy", "1. Mensaje N° 711/19 S.G., la I.M. remite el pedido al H.C.D. por 20 pesos 00/100 M.N. al edil Saúl Ferreira.", ["Ferreira"], ["S.G.", "I.M.", "H.C.D.", "M.N."]),
    ("py", "S E S I Ó N O R D I N A R I A\nO R D E N D E L D Í A\nFirma R O D R Í G U E Z y E d u v i g e s.", ["R O D R Í G U E Z", "E d u v i g e s"], ["S E S I Ó N O R", "O R D E N"]),
    ("py", "pide lomadas en la calle Tte. Garay y en la avenida Mcal. López; firma Elvio Sugasti Ruiz", ["Sugasti"], ["calle Tte. Garay", "Mcal. López"]),
    ("do", "Se informa a los presentes que el contén y el caño de la calle\nDuarte los está limpiando la brigada; lo pide Bienvenido Reinoso Peña.", ["Reinoso"], ["Duarte"]),
    ("pe", "Visto el informe N° 031-2023-MDP/DOAJ, lo sustenta Iber Otarte Ccorahua.", ["Otarte"], ["MDP", "DOAJ"]),
    ("cl", "el camión aljibe, el royalty y los comodatos quedan pendientes; responde don Milenko Ávalos", ["Milenko", "Ávalos"], ["aljibe", "royalty", "comodatos"]),
    ("pe", "la avenida muiba y el barrio kennedy; lo pide mirtha cuéllar melgar", ["mirtha cuéllar"], ["avenida muiba", "kennedy"]),
    ("es", "beneficiarios: 12 A.G.R., 450 euros; 13 L.M.P., 300 euros", ["A.G.R", "L.M.P"], ["euros"]),
    ("es", "contesta la concejala ana del valle soto que el valle soto no existe", ["ana del valle soto"], ["contesta"]),
    ("co", "llega a Santa Rita del Penderisco el señor Jairo Agudelo", ["Agudelo"], ["Santa Rita del Penderisco"]),
    ("es", "luisa.gamarra [at] gmail [dot] com", ["luisa", "gamarra"], []),
    ("ar", 'En la sala de sesiones "Arturo Illia" la edil Soledad Retamar izó la bandera.', ["Soledad", "Retamar"], ["Arturo", "Illia"]),
    ("cr", "en el Salón de Sesiones “Ricardo Jiménez Oreamuno”, una vez comprobado el quórum.", [], ["Ricardo", "Oreamuno"]),
    ("ar", "Nos vimos en la plaza. Teniente Garay dice que no.", ["Garay"], ["plaza"]),
    ("ar", "Nota del Hospital J.J. de Urquiza agradeciendo la donación.", [], ["J.J.", "Urquiza"]),
    ("cl", "Sra. Gisela Barraza, MINVU; Sr. Cristian Carmelo, SERVIU; sr. Rene Robledo.", ["Gisela", "Barraza", "Carmelo", "Robledo"], ["MINVU", "SERVIU"]),
    ("cl", "SRA. GISELA BARRAZA, MINVU, SEÑALA QUE LA OBRA SIGUE.", ["GISELA", "BARRAZA"], ["MINVU", "OBRA"]),
    ("pe", "visto el memorando n° 055-2023-mdp/dopp emitido por la oficina", [], ["dopp", "mdp"]),
    ("mx", "LA REGIDORA ANAHÍ MONROY CUESTIONÓ EL SOBRECOSTO DEL BACHEO.", ["ANAHÍ", "MONROY"], ["CUESTIONÓ"]),
]  # fmt: skip


@pytest.mark.parametrize(("country", "text", "hidden", "kept"), CASES, ids=[case[1][:30] for case in CASES])
def test_a_layout_of_real_minutes_hides_its_people_and_nothing_else(
    country: str, text: str, hidden: list[str], kept: list[str]
) -> None:
    masked, _ = engine(country).text(text, "seed")
    assert [word for word in hidden if word in masked] == []
    assert [word for word in kept if word not in masked] == []


def test_two_people_beside_each_other_are_two_placeholders() -> None:
    masked, counts = engine("py").text(
        "Aconsejan aprobar: Vicente Potí, Rocío Mbaibé y Óscar Zárate.", "seed"
    )
    assert len(counts) == 3, masked


def test_an_hour_misheard_is_no_person_on_either_side() -> None:
    (pair,) = engine("es").pairs([("se levanta a las ocho y diaz", "Se levanta a las ocho y diez.", 1)])
    assert pair.after == "Se levanta a las ocho y diez."


def test_a_long_text_is_read_in_pieces_and_a_name_is_known_in_all_of_them() -> None:
    filler = "La obra sigue su curso y la acera se repara. " * 500
    masked, _ = engine("es").text(
        f"Habla doña Eufrasia Ñancupil.\n{filler}\nContesta Ñancupil que no.", "seed"
    )
    assert "upil" not in masked
    assert masked.count("La obra sigue su curso y la acera se repara.") == 500
