"""From two DOCX files to what may be learned, and to what must not be."""

from __future__ import annotations

from collections.abc import ItemsView, Sequence

import pytest

from astra_learn_assets.comparator.docx.chunk_ids import mint_chunk_id, tab_positions
from astra_learn_assets.comparator.draft_manifest import parse_manifest
from astra_learn_assets.comparator.engine import ENGINE_VERSION, compare
from astra_learn_assets.comparator.report import render_html
from astra_learn_assets.contracts import Delta, Manifest, ManifestChunk, Pair
from astra_learn_assets.errors import BadManifest, UploadRefused
from astra_learn_assets_tests.comparator.packages import bookmark, hidden, p, package, part, t, tabs

DOCUMENT = "acta-2026-01"
SPEECH = [
    "El señor alcalde abre la sesión y saluda a los vecinos que han venido al salón de plenos.",
    "La interventora explica que el presupuesto del ejercicio crece un cuatro por ciento.",
    "El concejal de obras informa de que el arreglo de la calle Mayor terminará en verano.",
    "La portavoz de la oposición pregunta por el coste de la nueva biblioteca municipal.",
    "El arquitecto responde que el proyecto está pendiente del informe de la comisión técnica.",
    "Se acuerda dejar el asunto sobre la mesa hasta la próxima reunión del grupo de trabajo.",
    "Una vecina pide que se repare cuanto antes el alumbrado del parque junto a la escuela.",
    "El secretario da lectura a los escritos recibidos desde la última convocatoria ordinaria.",
    "El teniente de alcalde agradece el trabajo de la policía local durante las fiestas.",
    "No habiendo más asuntos que tratar se levanta la sesión a las nueve de la noche.",
]
PENDING = "[AUDIO_PENDING]"


def chunk(n: int) -> str:
    return mint_chunk_id(DOCUMENT, n)


def block(text: str, n: int) -> str:
    """A paragraph as the Builder writes it."""
    link = f'<w:hyperlink r:id="rIdAudio">{t("▶ 00:00:0" + str(n % 10))}</w:hyperlink>'
    inner = bookmark(f"_astra_{chunk(n)}", hidden(f"[#{chunk(n)}]") + link + t(" " + text), n)
    return p(inner, tabs(tab_positions(chunk(n))))


def draft(texts: Sequence[str] = SPEECH, extra: str = "") -> bytes:
    return document([block(text, n) for n, text in enumerate(texts)], extra)


def document(paragraphs: Sequence[str], extra: str = "", document_id: str = DOCUMENT) -> bytes:
    custom = (
        '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" '
        'xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes">'
        '<property fmtid="{D5CDD505-2E9C-101B-9397-08002B2CF9AE}" pid="2" name="astra_document_id">'
        f"<vt:lpwstr>{document_id}</vt:lpwstr></property></Properties>"
    )
    return package(
        p("ACTA DE LA SESIÓN ORDINARIA") + "".join(paragraphs) + extra,
        links={"rIdAudio": "https://audio.example/sesion.mp3#t=1"},
        files={"docProps/custom.xml": custom.encode()},
    )


def manifest(count: int = len(SPEECH), pending: Sequence[int] = (), asr: str = "") -> Manifest:
    return Manifest(
        document_id=DOCUMENT,
        session_id="s1",
        version=1,
        chunks=tuple(
            ManifestChunk(
                chunk_id=chunk(n),
                audio_uri="s3://audio/s1.mp3",
                start_ms=1000 * n,
                end_ms=1000 * n + 900,
                asr_text=asr if n in pending else SPEECH[n % len(SPEECH)],
                status="AUDIO_PENDING" if n in pending else "OK",
            )
            for n in range(count)
        ),
    )


def run(generated: bytes, final: bytes, *, chunks: Manifest | None = None, **options: object) -> Delta:
    return compare(
        generated,
        final,
        generated_id="g",
        final_id="f",
        manifest=chunks or manifest(),
        **options,  # type: ignore[arg-type]
    )


def edited(n: int, text: str) -> bytes:
    return draft([text if k == n else old for k, old in enumerate(SPEECH)])


def reasons(delta: Delta) -> dict[str, int]:
    return {r.reason: r.count for r in delta.rejected}


def test_an_unchanged_final_teaches_nothing() -> None:
    delta = run(draft(), draft())
    assert delta.metrics.counts == {"equal": 11}
    assert (delta.metrics.wer, delta.examples, delta.entity_changes, delta.rejected) == (0.0, (), (), ())
    assert (delta.base_id, delta.document_id, delta.engine_version) == ("g", DOCUMENT, ENGINE_VERSION)


def test_a_corrected_sentence_is_a_pair_with_its_audio_and_without_its_audio_label() -> None:
    after = SPEECH[1].replace("crece", "creció")
    delta = run(draft(), edited(1, after))
    assert delta.examples == (
        Pair(
            chunk_id=chunk(1),
            route=1,
            before=SPEECH[1],
            after=after,
            audio_uri="s3://audio/s1.mp3",
            start_ms=1000,
            end_ms=1900,
        ),
    )
    changed = next(b for b in delta.blocks if b.op == "modified")
    assert (changed.route, changed.chunk_ids, changed.start_ms) == (1, (chunk(1),), 1000)
    assert changed.wer == pytest.approx(1 / 13)


def test_numbers_and_votes_are_content_and_still_a_pair() -> None:
    delta = run(draft(), edited(1, SPEECH[1].replace("cuatro", "cinco")))
    assert [pair.route for pair in delta.examples] == [1]
    assert delta.entity_changes == ()


def test_a_block_with_nothing_but_a_name_fix_goes_to_the_dictionary_and_makes_no_pair() -> None:
    texts = [*SPEECH[:2], SPEECH[2].replace("calle Mayor", "calle Bolibar"), *SPEECH[3:]]
    final = [*SPEECH[:2], SPEECH[2].replace("calle Mayor", "calle Bolívar"), *SPEECH[3:]]
    delta = run(draft(texts), draft(final))
    assert delta.examples == ()
    assert [(c.wrong, c.right, c.kind, c.chunk_id) for c in delta.entity_changes] == [
        ("Bolibar", "Bolívar", "place", chunk(2))
    ]
    assert next(b for b in delta.blocks if b.op == "modified").route == 2


class Counted(dict[str, str]):
    """A dictionary that counts how often all of it is read."""

    read = 0

    def items(self) -> ItemsView[str, str]:
        self.read += 1
        return super().items()


def test_a_dictionary_of_thousands_is_read_once_and_not_for_each_changed_paragraph() -> None:
    tenants = Counted({"el concejal de obras": "El Concejal de Obras"})
    final = draft([text.replace(" la ", " una ") for text in SPEECH])
    delta = compare(draft(), final, generated_id="g", final_id="f", dictionary=tenants)
    assert sum(block.op == "modified" for block in delta.blocks) > 5
    assert tenants.read == 1


def test_a_mixed_change_gives_both() -> None:
    texts = [*SPEECH[:2], SPEECH[2].replace("calle Mayor", "calle Bolibar"), *SPEECH[3:]]
    final = [*SPEECH[:2], SPEECH[2].replace("calle Mayor", "calle Bolívar") + " Hay acuerdo.", *SPEECH[3:]]
    delta = run(draft(texts), draft(final))
    assert [c.right for c in delta.entity_changes] == ["Bolívar"]
    assert [(pair.route, pair.after) for pair in delta.examples] == [(1, final[2])]


def test_pending_audio_that_was_typed_in_is_route_three_even_without_link_and_carriers() -> None:
    texts = [*SPEECH[:4], PENDING, *SPEECH[5:]]
    retyped = p(t(SPEECH[4]), tabs(tab_positions(chunk(4))))  # only the tab stops are left
    final = document([retyped if n == 4 else block(text, n) for n, text in enumerate(SPEECH)])
    delta = run(draft(texts), final, chunks=manifest(pending=[4]))
    assert [(x.route, x.chunk_id, x.before, x.after, x.start_ms) for x in delta.examples] == [
        (3, chunk(4), "", SPEECH[4], 4000)
    ]
    heard = run(draft(texts), final, chunks=manifest(pending=[4], asr="el arqitecto responde"))
    assert heard.examples[0].before == "el arqitecto responde"


def test_pending_audio_found_by_its_place_alone() -> None:
    texts = [*SPEECH[:4], PENDING, *SPEECH[5:]]
    final = document([p(SPEECH[4]) if n == 4 else block(text, n) for n, text in enumerate(SPEECH)])
    delta = run(draft(texts), final, chunks=manifest(pending=[4]))
    assert [(x.route, x.chunk_id) for x in delta.examples] == [(3, chunk(4))]


def test_text_typed_beside_the_placeholder_counts_and_an_untouched_placeholder_does_not() -> None:
    texts = [*SPEECH[:4], PENDING, *SPEECH[5:]]
    beside = [*SPEECH[:4], f"{PENDING} {SPEECH[4]}", *SPEECH[5:]]
    delta = run(draft(texts), draft(beside), chunks=manifest(pending=[4]))
    assert [(x.route, x.after) for x in delta.examples] == [(3, SPEECH[4])]
    assert run(draft(texts), draft(texts), chunks=manifest(pending=[4])).examples == ()


def test_moved_split_and_joined_text_is_learned_only_when_words_changed() -> None:
    cut = SPEECH[6].index("alumbrado")
    first, second = SPEECH[6][: cut - 1], SPEECH[6][cut:]
    moved = [*SPEECH[1:6], first, second, *SPEECH[7:], SPEECH[0]]
    numbers = [1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 0]
    final = document([block(text, n) for text, n in zip(moved, numbers, strict=True)])
    delta = run(draft(), final)
    ops = {b.chunk_ids[0]: b for b in delta.blocks if b.chunk_ids}
    assert ops[chunk(0)].op == "moved"
    assert ops[chunk(0)].moved_from == 1  # the heading is block 0
    assert ops[chunk(6)].after_parts == (first, second)
    assert delta.examples == ()

    joined = f"{SPEECH[3]} {SPEECH[4].replace('pendiente', 'a la espera')}"
    parts = [block(text, n) for n, text in enumerate(SPEECH)]
    parts[3:5] = [p(t(joined), tabs(tab_positions(chunk(3))))]
    delta = run(draft(), document(parts))
    merged = next(b for b in delta.blocks if b.op == "merged")
    assert merged.chunk_ids == (chunk(3), chunk(4))
    assert (merged.start_ms, merged.end_ms) == (3000, 4900)
    assert [(x.before, x.after) for x in delta.examples] == [(f"{SPEECH[3]} {SPEECH[4]}", joined)]


def test_new_text_rewritten_text_and_copies_are_not_learned_and_say_why() -> None:
    parts = [block(text, n) for n, text in enumerate(SPEECH)]
    parts[2] = block("Nada que ver: cenamos pizza viendo llover sobre Buenos Aires ayer.", 2)
    parts.insert(5, p("Un párrafo completamente nuevo que nadie dijo en la sesión grabada."))
    parts.append(block("Otro texto pegado con la marca del párrafo nueve.", 9))
    delta = run(draft(), document(parts))
    assert delta.examples == ()
    assert reasons(delta) == {"duplicate_chunk": 1, "no_chunk": 1, "replaced": 1}


def test_text_without_chunk_in_a_draft_with_chunks_is_no_example_but_its_names_count() -> None:
    generated = draft(extra=p("Certifica: don Jhon Salazar, secretario accidental de la corporación local."))
    final = draft(extra=p("Certifica: don John Salazar, secretario accidental de la corporación local."))
    delta = run(generated, final)
    assert [c.right for c in delta.entity_changes] == ["John"]
    changed = draft(extra=p("Certifica: don Jhon Salazar, secretario titular de la corporación local."))
    assert reasons(run(generated, changed)) == {"no_chunk": 1}


def test_deleted_text_is_no_example() -> None:
    parts = [block(text, n) for n, text in enumerate(SPEECH) if n != 5]
    delta = run(draft(), document(parts))
    assert delta.metrics.counts["deleted"] == 1
    assert delta.examples == ()


def test_two_plain_documents_are_compared_as_well() -> None:
    before, after = [p(text) for text in SPEECH], [p(text.replace("calle", "vía")) for text in SPEECH]
    delta = compare(package("".join(before)), package("".join(after)), generated_id="g", final_id="f")
    assert [(x.chunk_id, x.route) for x in delta.examples] == [(None, 1)]
    assert delta.document_id is None


def test_ids_the_manifest_does_not_know_are_not_learned() -> None:
    delta = run(draft(), edited(1, SPEECH[1].replace("crece", "creció")), chunks=manifest(1))
    assert reasons(delta) == {"unknown_chunk": 1}


def test_ids_of_the_final_are_a_strangers_word() -> None:
    foreign = mint_chunk_id("otra-acta", 1)
    parts = [block(text, n) for n, text in enumerate(SPEECH)]
    parts[1] = p(bookmark(f"_astra_{foreign}", t(SPEECH[1].replace("crece", "creció"))))
    delta = run(draft(), document(parts))
    assert [x.chunk_id for x in delta.examples] == [chunk(1)]


def test_a_manifest_of_another_document_is_refused() -> None:
    other = manifest().model_copy(update={"document_id": "otra"})
    with pytest.raises(BadManifest, match="does not belong"):
        run(draft(), draft(), chunks=other)


def test_one_wrong_spelling_with_two_corrections_is_doubted() -> None:
    texts = [f"El señor Jhon {n} habla del asunto número {n} del orden del día." for n in "abc"]
    final = [
        texts[0].replace("Jhon", "John"),
        texts[1].replace("Jhon", "John"),
        texts[2].replace("Jhon", "Jon"),
    ]
    delta = run(draft(texts), draft(final), chunks=manifest(3))
    assert [(c.right, c.confidence) for c in delta.entity_changes] == [("John", 0.5)]


OTHER = [
    "La cooperativa agraria celebró su asamblea anual con la asistencia de doscientos socios.",
    "El gerente presentó las cuentas y anunció inversiones en la almazara y en la bodega.",
    "Los socios debatieron largamente sobre el precio de la aceituna y los costes del riego.",
    "Se nombró una nueva junta rectora con mayoría de jóvenes agricultores de la comarca.",
    "El acto terminó con una comida de hermandad y la entrega de diplomas a los jubilados.",
] * 2
QUARANTINED = {
    "another document": ([p(text) for text in OTHER], "otra"),
    "another document with the same id": ([p(text) for text in OTHER], DOCUMENT),
    "almost everything deleted": ([block(SPEECH[0], 0)], DOCUMENT),
    "keyboard mash": (
        [block("asdf jklñ qwer xcvb zxcvb fghj poiu wert", n) for n in range(10)],
        DOCUMENT,
    ),
    "different mash each": (
        [block(" ".join(f"xk{chr(97 + n)}{w[::-1]}q" for w in SPEECH[n].split()), n) for n in range(10)],
        DOCUMENT,
    ),
    "an insult appended everywhere": (
        [block(f"{text} Menudo payaso, este alcalde es idiota.", n) for n, text in enumerate(SPEECH)],
        DOCUMENT,
    ),
    "one sentence everywhere": (
        [block(f"{text} Compre relojes baratos en nuestra página.", n) for n, text in enumerate(SPEECH)],
        DOCUMENT,
    ),
    "a word replaced everywhere": (
        [block(text.replace("la ", "zapato "), n) for n, text in enumerate(SPEECH)],
        DOCUMENT,
    ),
    "words shuffled": (
        [block(" ".join(sorted(text.split(), key=lambda w: w[::-1])), n) for n, text in enumerate(SPEECH)],
        DOCUMENT,
    ),
    "all rewritten": ([block(OTHER[n], n) for n in range(10)], DOCUMENT),
}


@pytest.mark.parametrize("kind", QUARANTINED)
def test_hostile_and_careless_documents_are_quarantined_with_a_reason(kind: str) -> None:
    parts, document_id = QUARANTINED[kind]
    delta = run(draft(), document(parts, document_id=document_id))
    assert delta.quarantined
    assert "revis" in delta.quarantined or "suba" in delta.quarantined or "compruebe" in delta.quarantined
    assert (delta.examples, delta.entity_changes) == ((), ())
    assert delta.rejected[0].reason == "quarantined"


@pytest.mark.parametrize(
    "texts",
    [
        [text.upper() for text in SPEECH],
        [text.replace("a", "á", 1) for text in SPEECH],
        [text.replace("señor", "Sr.") for text in SPEECH],
        [text.replace("sesión", "reunión") for text in SPEECH],
        SPEECH[:6],
    ],
)
def test_thorough_but_honest_corrections_are_not_quarantined(texts: list[str]) -> None:
    assert run(draft(), draft(texts)).quarantined is None


def test_a_name_put_right_in_every_paragraph_is_no_vandalism() -> None:
    texts = [f"El señor Echeberia dice: {text}" for text in SPEECH]
    delta = run(draft(texts), draft([text.replace("Echeberia", "Echeverría") for text in texts]))
    assert delta.quarantined is None
    assert [c.right for c in delta.entity_changes] == ["Echeverría"]


def test_a_final_without_text_is_refused_in_words_for_a_clerk() -> None:
    with pytest.raises(UploadRefused, match="no contiene texto") as refusal:
        run(draft(), package(p("")))
    assert refusal.value.reason == "no_text"


def test_comments_are_no_part_of_the_comparison() -> None:

    comments = {
        "comments.xml": ("comments", part("comments", f'<w:comment w:id="1">{p("ojo aquí")}</w:comment>'))
    }
    plain = package("".join(p(text) for text in SPEECH))
    commented = package("".join(p(text) for text in SPEECH), parts=comments)
    assert compare(plain, commented, generated_id="g", final_id="f").metrics.counts == {"equal": 10}


def test_the_report_escapes_text_shows_audio_times_and_loads_nothing() -> None:
    texts = [*SPEECH[:1], '<script>alert("x")</script> & más cosas de las que se habló hoy.', *SPEECH[2:]]
    escaped = [text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for text in texts]
    moved = document([block(text, n) for n, text in list(enumerate(escaped))[1:]] + [block(escaped[0], 0)])
    page = render_html(run(draft(), moved), title="Acta <1>")
    assert "Acta &lt;1&gt;" in page
    assert "<script>alert" not in page
    assert 'data-from="1"' in page
    assert 'id="origen-1"' in page
    assert "00:00:00" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page


def test_a_quarantined_report_says_so() -> None:
    parts, _ = QUARANTINED["all rewritten"]
    assert "Documento retenido" in render_html(run(draft(), document(parts)), title="t")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "document"),
        (b"\xff\xfe", "document"),
        (b"[]", "document"),
        (b'{"document_id": "a", "session_id": "s", "version": 0}', "version"),
        (b'{"document_id": "a", "session_id": "s", "version": 1, "x": 1}', "x"),
        (
            b'{"document_id": "a", "session_id": "s", "version": 1, "chunks": '
            b'[{"chunk_id": "k", "start_ms": 2, "end_ms": 1}]}',
            "end_ms",
        ),
        (
            b'{"document_id": "a", "session_id": "s", "version": 1, "chunks": '
            b'[{"chunk_id": "k", "start_ms": 0, "end_ms": 1}, '
            b'{"chunk_id": "k", "start_ms": 0, "end_ms": 1}]}',
            "more than once",
        ),
    ],
)
def test_a_bad_manifest_names_what_is_wrong(data: bytes, words: str) -> None:
    with pytest.raises(BadManifest, match=words):
        parse_manifest(data)


def test_a_good_manifest_is_read_with_or_without_byte_order_mark() -> None:
    data = manifest().model_dump_json().encode()
    assert parse_manifest(data) == parse_manifest(b"\xef\xbb\xbf" + data) == manifest()


FORMULA = "No se producen más intervenciones sobre {}, y la presidencia pasa al siguiente asunto."


def test_pending_audio_that_was_filled_does_not_take_in_a_deleted_neighbour_it_resembles() -> None:
    gone, typed = FORMULA.format("el dictamen de la comisión"), FORMULA.format("el aval de la contratista")
    texts = [*SPEECH[:4], gone, PENDING, *SPEECH[6:]]
    written = [*SPEECH[:4], gone, typed, *SPEECH[6:]]
    final = document([block(text, n) for n, text in enumerate(written) if n != 4])
    delta = run(draft(texts), final, chunks=manifest(pending=[5], asr="no se producen mas"))
    ops = {b.chunk_ids: (b.op, b.route) for b in delta.blocks if b.op != "equal"}
    assert ops == {(chunk(4),): ("deleted", None), (chunk(5),): ("modified", 3)}
    assert [(x.chunk_id, x.before, x.after) for x in delta.examples] == [
        (chunk(5), "no se producen mas", typed)
    ]


def test_pending_audio_typed_as_two_paragraphs_that_both_carry_its_id_is_one_pair() -> None:
    texts = [*SPEECH[:4], PENDING, *SPEECH[5:]]
    two = [block(SPEECH[4], 4), block("Y añade que el plazo de entrega no cambia.", 4)]
    rows = [row for n, text in enumerate(SPEECH) for row in (two if n == 4 else [block(text, n)])]
    delta = run(draft(texts), document(rows), chunks=manifest(pending=[4]))
    assert [(x.route, x.chunk_id, x.after) for x in delta.examples] == [
        (3, chunk(4), f"{SPEECH[4]} Y añade que el plazo de entrega no cambia.")
    ]


def test_pending_audio_never_takes_a_paragraph_that_only_moved_there() -> None:
    texts = [*SPEECH[:4], PENDING, *SPEECH[5:]]
    moved = [*SPEECH[:2], *SPEECH[3:4], SPEECH[2], *SPEECH[5:]]
    numbers = [0, 1, 3, 2, *range(5, 10)]
    final = document([block(text, n) for text, n in zip(moved, numbers, strict=True)])
    delta = run(draft(texts), final, chunks=manifest(pending=[4]))
    assert delta.examples == ()
    assert [b.before for b in delta.blocks if b.op == "deleted"] == [PENDING]


def test_what_was_not_read_is_told_so_that_nobody_takes_the_documents_for_whole() -> None:
    parts = [block(text, n) for n, text in enumerate(SPEECH)]
    delta = run(draft(), document([*parts[:2], '<w:altChunk r:id="rId1"/>', *parts[2:]]))
    assert reasons(delta) == {"unread_altchunk": 1}


def test_two_entries_that_would_undo_each_other_are_none() -> None:
    texts = [f"Habla el señor {name} del asunto número {n}." for n, name in enumerate(("Sabogal", "Savogal"))]
    final = [texts[0].replace("Sabogal", "Savogal"), texts[1].replace("Savogal", "Sabogal")]
    delta = run(draft([*texts, *SPEECH]), draft([*final, *SPEECH]), chunks=manifest(2 + len(SPEECH)))
    assert delta.entity_changes == ()


def test_one_wrong_spelling_put_right_in_two_ways_as_often_is_no_entry() -> None:
    texts = [f"El señor Jhon {n} habla del asunto número {n} del orden del día." for n in "ab"]
    final = [texts[0].replace("Jhon", "John"), texts[1].replace("Jhon", "Jon")]
    delta = run(draft([*texts, *SPEECH]), draft([*final, *SPEECH]), chunks=manifest(2 + len(SPEECH)))
    assert delta.entity_changes == ()
