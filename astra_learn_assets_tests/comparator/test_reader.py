"""Every trap of real DOCX files that loses text, doubles it, or lets deleted text back in."""

from __future__ import annotations

import io

import docx
import pytest

from astra_learn_assets.comparator.docx.chunk_ids import (
    mint_chunk_id,
    tab_positions,
    write_chunk_id,
    write_document_id,
)
from astra_learn_assets.comparator.docx.reader import read_document
from astra_learn_assets.errors import UploadRefused
from astra_learn_assets_tests.comparator.packages import (
    STRICT_R,
    STRICT_W,
    R,
    W,
    bookmark,
    hidden,
    p,
    package,
    part,
    t,
    tabs,
)

A, B, C = (mint_chunk_id("acta-1", n) for n in range(3))


def texts(data: bytes) -> list[str]:
    return [block.text for block in read_document(data).blocks]


def ids(data: bytes) -> list[tuple[str, ...]]:
    return [block.chunk_ids for block in read_document(data).blocks]


def test_text_is_found_in_nested_tables_in_document_order() -> None:
    inner = f"<w:tbl><w:tr><w:tc>{p('dentro')}</w:tc></w:tr></w:tbl>"
    table = f"<w:tbl><w:tr><w:tc>{p('uno')}</w:tc><w:tc>{p('dos')}{inner}{p('tras')}</w:tc></w:tr></w:tbl>"
    document = read_document(package(p("antes") + table + p("después")))
    assert [b.text for b in document.blocks] == ["antes", "uno", "dos", "dentro", "tras", "después"]
    assert document.blocks[3].location.cells == ((0, 0, 1), (1, 0, 0))
    assert document.blocks[5].location.cells == ()


def test_headers_footers_notes_and_comments_are_read_and_say_where_they_stand() -> None:
    note = '<w:footnote w:id="2">' + p("nota al pie") + "</w:footnote>"
    separator = '<w:footnote w:id="0" w:type="separator">' + p("-----") + "</w:footnote>"
    data = package(
        p(t("cuerpo") + '<w:r><w:footnoteReference w:id="2"/></w:r>'),
        parts={
            "header1.xml": ("header", part("hdr", p("cabecera"))),
            "footer1.xml": ("footer", part("ftr", p("pie"))),
            "footnotes.xml": ("footnotes", part("footnotes", separator + note)),
            "endnotes.xml": ("endnotes", part("endnotes", f'<w:endnote w:id="1">{p("final")}</w:endnote>')),
            "comments.xml": (
                "comments",
                part("comments", f'<w:comment w:id="1">{p("un comentario")}</w:comment>'),
            ),
        },
    )
    found = {b.location.part: b.text for b in read_document(data).blocks}
    assert found == {
        "body": "cuerpo",
        "header": "cabecera",
        "footer": "pie",
        "footnote": "nota al pie",
        "endnote": "final",
        "comment": "un comentario",
    }


def test_a_footnote_whose_reference_was_deleted_is_gone() -> None:
    reference = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    notes = part("footnotes", f'<w:footnote w:id="2">{p("borrada")}</w:footnote>')
    data = package(
        p(t("texto") + f"<w:del>{reference}</w:del>"), parts={"footnotes.xml": ("footnotes", notes)}
    )
    assert texts(data) == ["texto"]


def test_content_controls_links_and_fields_show_their_text_but_not_their_codes() -> None:
    control = f"<w:sdt><w:sdtPr/><w:sdtContent>{p('control')}</w:sdtContent></w:sdt>"
    inline = f"<w:sdt><w:sdtContent>{t('en línea')}</w:sdtContent></w:sdt>"
    link = f'<w:hyperlink r:id="rId1">{t("enlace")}</w:hyperlink>'
    field = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>PAGE</w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        + t("7")
        + '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )
    simple = f'<w:fldSimple w:instr="DATE">{t("hoy")}</w:fldSimple>'
    body = control + p(inline) + p(link) + p(t("página ") + field) + p(simple)
    assert texts(package(body, links={"rId1": "https://example.org"})) == [
        "control",
        "en línea",
        "enlace",
        "página 7",
        "hoy",
    ]


def test_an_unclosed_field_does_not_hide_the_rest_of_the_document() -> None:
    broken = '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>TOC</w:instrText></w:r>'
    assert texts(package(p(broken) + p("sigue") + p("y sigue"))) == ["sigue", "y sigue"]


@pytest.mark.parametrize(
    "deleted",
    [(), (0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)],
    ids=lambda marks: "".join(("begin ", "separate ", "end ")[n] for n in marks) or "none",
)
def test_a_field_with_some_of_its_marks_deleted_still_shows_its_live_result(deleted: tuple[int, ...]) -> None:
    marks = [f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")]
    for n in deleted:
        marks[n] = f'<w:del w:id="9">{marks[n]}</w:del>'
    body = p(marks[0] + marks[1] + t("resultado") + marks[2] + t(" y más"))
    assert [b.text for b in read_document(package(body)).blocks] == ["resultado y más"]


def test_text_boxes_are_read_once_although_they_are_stored_twice() -> None:
    box = f"<w:txbxContent>{p('recuadro')}</w:txbxContent>"
    drawing = (
        "<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wp:inline><a:graphic><a:graphicData>"
        f"<wps:wsp><wps:txbx>{box}</wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing>"
        f"</mc:Choice><mc:Fallback><w:pict><v:shape><v:textbox>{box}</v:textbox></v:shape></w:pict>"
        "</mc:Fallback></mc:AlternateContent></w:r>"
    )
    document = read_document(package(p(t("ancla") + drawing) + p("después")))
    assert [b.text for b in document.blocks] == ["ancla", "recuadro", "después"]
    assert "textbox" in document.blocks[1].flags
    only_fallback = (
        f"<w:r><mc:AlternateContent><mc:Fallback><w:pict><v:shape><v:textbox>{box}</v:textbox></v:shape>"
        "</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    assert texts(package(p(only_fallback))) == ["recuadro"]


def test_text_imported_from_another_part_is_not_read_and_counted_as_such() -> None:
    data = package(
        p("antes")
        + '<w:altChunk r:id="rIdA"/>'
        + p("después")
        + f"<w:tbl><w:tr><w:tc>{CHUNK}</w:tc></w:tr></w:tbl>",
        files={"word/f.html": b"<html><body>importado</body></html>"},
    )
    document = read_document(data)
    assert [block.text for block in document.blocks] == ["antes", "después"]
    assert document.unread == {"altchunk": 2}


CHUNK = '<w:altChunk r:id="rIdB"/>'


@pytest.mark.parametrize(
    ("uri", "element", "what"),
    [
        ("http://schemas.openxmlformats.org/drawingml/2006/chart", "chart", "chart"),
        ("http://purl.oclc.org/ooxml/drawingml/chart", "chart", "chart"),
        ("http://schemas.microsoft.com/office/drawing/2014/chartex", "chart", "chart"),
        ("http://schemas.openxmlformats.org/drawingml/2006/diagram", "relIds", "smartart"),
    ],
)
def test_charts_and_smartart_are_counted_as_not_read(uri: str, element: str, what: str) -> None:
    drawing = (
        f'<w:r><w:drawing><wp:inline><a:graphic><a:graphicData uri="{uri}"><x:{element} xmlns:x="{uri}" '
        'r:id="rId7"/></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>'
    )
    both = (
        f"<w:r><mc:AlternateContent><mc:Choice Requires='x'>{drawing[5:-6]}</mc:Choice><mc:Fallback>"
        f"{drawing[5:-6]}</mc:Fallback></mc:AlternateContent></w:r>"
    )
    assert read_document(package(p(t("antes") + drawing))).unread == {what: 1}
    assert read_document(package(p(t("antes") + both))).unread == {what: 1}
    assert read_document(package(p(f"<w:del>{drawing}</w:del>" + t("antes")))).unread == {}


def test_an_embedded_object_and_a_subdocument_are_counted_as_not_read() -> None:
    ole = '<w:r><w:object><o:OLEObject xmlns:o="urn:schemas-microsoft-com:office:office"/></w:object></w:r>'
    document = read_document(package(p(t("antes") + ole) + '<w:subDoc r:id="rId8"/>'))
    assert document.unread == {"embedded": 1, "subdocument": 1}


def test_wordart_says_its_text_in_an_attribute() -> None:
    art = (
        '<w:r><w:pict><v:shape><v:path textpathok="t"/><v:textpath on="t" string="GRAN FIESTA DEL AGUA"/>'
        "</v:shape></w:pict></w:r>"
    )
    (before, drawn) = read_document(package(p(t("antes") + art))).blocks
    assert (before.text, drawn.text, drawn.flags) == ("antes", "GRAN FIESTA DEL AGUA", {"textbox"})


def test_symbols_tabs_breaks_and_hyphens_count() -> None:
    run = (
        "<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t>"
        '<w:softHyphen/><w:t>e</w:t><w:sym w:font="Symbol" w:char="03B1"/><w:cr/><w:t>f</w:t></w:r>'
    )
    assert texts(package(p(run))) == ["a\tb\nc-deα\nf"]


def test_formulas_keep_their_letters() -> None:
    assert texts(package(p(t("sea ") + "<m:oMath><m:r><m:t>x+1</m:t></m:r></m:oMath>"))) == ["sea x+1"]


def test_insertions_are_in_and_deletions_out_even_inside_a_link() -> None:
    body = p(
        t("El ")
        + f"<w:ins>{t('nuevo ')}</w:ins><w:del><w:r><w:delText>viejo </w:delText></w:r></w:del>"
        + f'<w:hyperlink r:id="x"><w:ins>{t("enlace")}</w:ins><w:del>{t("fuera")}</w:del></w:hyperlink>'
        + f"<w:ins><w:del>{t('ni uno ni otro')}</w:del></w:ins>"
    )
    document = read_document(package(body))
    assert document.blocks[0].text == "El nuevo enlace"
    assert "tracked_changes" in document.blocks[0].flags


def test_moves_of_word_and_of_libreoffice_7_are_read_at_their_target_only() -> None:
    # LibreOffice 7.4 writes w:t, not w:delText, inside w:moveFrom.
    source = p(f"<w:moveFrom>{t('se mueve')}</w:moveFrom>", "<w:rPr><w:moveFrom/></w:rPr>")
    target = p(f"<w:moveTo>{t('se mueve')}</w:moveTo>", "<w:rPr><w:moveTo/></w:rPr>")
    assert texts(package(p("uno") + source + p("dos") + target)) == ["uno", "dos", "se mueve"]


def test_moves_of_libreoffice_25_mark_only_the_paragraph_and_use_del_and_ins() -> None:
    source = p(f"<w:del>{t('se mueve')}</w:del>", "<w:rPr><w:moveFrom/></w:rPr>")
    target = p(f"<w:ins>{t('se mueve')}</w:ins>", "<w:rPr><w:moveTo/></w:rPr>")
    assert texts(package(source + p("uno") + target)) == ["uno", "se mueve"]


def test_a_paragraph_whose_mark_is_deleted_flows_into_the_next_and_keeps_both_ids() -> None:
    first = p(bookmark(f"_astra_{A}", t("Primera parte ")), "<w:rPr><w:del/></w:rPr>")
    second = p(bookmark(f"_astra_{B}", t("y segunda."), 2))
    document = read_document(package(first + second))
    assert [b.text for b in document.blocks] == ["Primera parte y segunda."]
    assert document.blocks[0].chunk_ids == (A, B)
    assert "merged" in document.blocks[0].flags


def test_deleted_table_rows_and_cells_are_gone() -> None:
    row = f"<w:tr><w:trPr><w:del/></w:trPr><w:tc>{p('fila borrada')}</w:tc></w:tr>"
    gone = f"<w:tc><w:tcPr><w:cellDel/></w:tcPr>{p('celda borrada')}</w:tc>"
    cell = f"<w:tr>{gone}<w:tc>{p('queda')}</w:tc></w:tr>"
    assert texts(package(f"<w:tbl>{row}{cell}</w:tbl>")) == ["queda"]


def test_old_properties_in_change_records_are_not_believed() -> None:
    run = "<w:r><w:rPr><w:rPrChange><w:rPr><w:vanish/></w:rPr></w:rPrChange></w:rPr><w:t>visible</w:t></w:r>"
    assert texts(package(p(run))) == ["visible"]


def test_hidden_text_stays_out_and_says_so() -> None:
    document = read_document(package(p(t("visible") + hidden(" secreto"))))
    assert document.blocks[0].text == "visible"
    assert "hidden_dropped" in document.blocks[0].flags
    off = t("se ve", '<w:vanish w:val="0"/>')
    assert texts(package(p(off))) == ["se ve"]


def test_text_hidden_by_a_style_stays_out() -> None:
    styles = part(
        "styles",
        '<w:style w:type="character" w:styleId="Oculto"><w:name w:val="Oculto"/>'
        "<w:rPr><w:vanish/></w:rPr></w:style>",
    )
    data = package(
        p(t("visible") + t("oculto", '<w:rStyle w:val="Oculto"/>')), parts={"styles.xml": ("styles", styles)}
    )
    assert texts(data) == ["visible"]


def test_text_typed_into_the_hidden_id_is_kept_and_flagged() -> None:
    for runs in (hidden(f"[#{A}]Buenos días. "), hidden(f"[#{A}]") + hidden("Buenos días. ")):
        block = read_document(package(p(runs + t("Se abre la sesión.")))).blocks[0]
        assert block.text == "Buenos días. Se abre la sesión."
        assert block.chunk_ids == (A,)
        assert "hidden_inherited" in block.flags


def test_an_id_made_visible_by_clear_formatting_is_no_text() -> None:
    block = read_document(package(p(t(f"[#{A}]") + t("Texto.")))).blocks[0]
    assert (block.text, block.chunk_ids) == ("Texto.", (A,))


def test_a_token_with_a_broken_checksum_is_ordinary_text() -> None:
    broken = A[:-1] + ("0" if A[-1] != "0" else "1")
    block = read_document(package(p(t(f"[#{broken}] Texto.")))).blocks[0]
    assert block.chunk_ids == ()
    assert broken in block.text


def test_strict_documents_are_read() -> None:
    xml = (
        f'<w:document xmlns:w="{STRICT_W}" xmlns:r="{STRICT_R}"><w:body>'
        f"{p(t('Estricto'), tabs(tab_positions(A)))}</w:body></w:document>"
    )
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{STRICT_R}/officeDocument" Target="/word/document.xml"/>'
        "</Relationships>"
    )
    block = read_document(
        package("", files={"word/document.xml": xml.encode(), "_rels/.rels": rels.encode()})
    ).blocks[0]
    assert (block.text, block.chunk_ids) == ("Estricto", (A,))


def test_a_main_part_with_another_name_is_found_by_its_relationship() -> None:
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{R}/officeDocument" Target="word/document2.xml"/></Relationships>'
    )
    xml = f'<w:document xmlns:w="{W}"><w:body>{p("otro nombre")}</w:body></w:document>'
    data = package("", files={"word/document2.xml": xml.encode(), "_rels/.rels": rels.encode()})
    assert texts(data) == ["otro nombre"]


def test_dangling_relationships_are_harmless() -> None:
    data = package(p("texto"), parts={"header1.xml": ("header", part("hdr", p("cabecera")))})
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId9" Type="{R}/header" Target="missing.xml"/>'
        f'<Relationship Id="rId8" Type="{R}/image" Target="NULL"/></Relationships>'
    )
    assert texts(package(p("texto"), files={"word/_rels/document.xml.rels": rels.encode()})) == ["texto"]
    assert texts(data) == ["texto", "cabecera"]


def test_utf16_parts_are_read() -> None:
    body = f'<w:document xmlns:w="{W}"><w:body>{p("año")}</w:body></w:document>'
    xml = f'<?xml version="1.0" encoding="UTF-16"?>{body}'
    assert texts(package("", files={"word/document.xml": xml.encode("utf-16")})) == ["año"]


def test_the_audio_link_is_no_text_but_what_was_typed_into_it_is() -> None:
    links = {"rIdA": "https://audio.example/sesion.mp3#t=83"}
    link = f'<w:hyperlink r:id="rIdA">{t("▶ 00:01:23")}</w:hyperlink>'
    block = read_document(package(p(link + t(" Se abre la sesión.")), links=links)).blocks[0]
    assert block.text == "Se abre la sesión."
    assert "audio_link" in block.flags
    # LibreOffice turns the next paragraph's text into the link when a paragraph that ends with one is joined.
    swallowed = f'<w:hyperlink r:id="rIdA">{t("▶ 00:01:23")}{t(" El señor alcalde saluda.")}</w:hyperlink>'
    assert texts(package(p(swallowed), links=links)) == ["El señor alcalde saluda."]
    # "Remove hyperlink" leaves its label as plain text.
    assert texts(package(p(t("▶ 00:01:23 Se abre.")))) == ["Se abre."]
    field = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>HYPERLINK "https://x.example/a.ogg#t=9"'
        '</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        + t("00:00:09")
        + '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
        + t(" Hola.")
    )
    assert texts(package(p(field))) == ["Hola."]


def test_a_time_somebody_wrote_is_text() -> None:
    assert texts(package(p("La sesión comienza a las 19:30 horas."))) == [
        "La sesión comienza a las 19:30 horas."
    ]


def test_a_paragraph_with_nothing_but_an_audio_link_is_no_block() -> None:
    link = f'<w:hyperlink r:id="rIdA">{t("▶ 00:01:23")}</w:hyperlink>'
    assert texts(package(p(link) + p("x"), links={"rIdA": "https://audio.example/#t=83"})) == ["x"]


def test_all_three_carriers_are_written_and_read_by_a_real_library() -> None:
    document = docx.Document()
    for n, text in enumerate(("Uno", "Dos\tcon tabulador")):
        write_chunk_id(document.add_paragraph(text)._p, (A, B)[n], bookmark_id=n)
    write_document_id(document, "acta-1")
    write_document_id(document, "acta-2")
    buffer = io.BytesIO()
    document.save(buffer)
    found = read_document(buffer.getvalue())
    assert found.document_id == "acta-2"
    assert [c.carrier for c in found.blocks[0].claims] == ["bookmark", "hidden", "tab"]
    assert [c.carrier for c in found.blocks[1].claims] == ["bookmark", "hidden"], "a tab would leave the page"
    assert [b.chunk_ids for b in found.blocks] == [(A,), (B,)]


@pytest.mark.parametrize(
    ("paragraph", "survivor"),
    [
        (p(bookmark(f"_astra_{A}", t("texto"))), "bookmark"),
        (p(hidden(f"[#{A}]") + t("texto")), "hidden"),
        (p(t("texto"), tabs(tab_positions(A))), "tab"),
    ],
)
def test_each_carrier_alone_is_enough(paragraph: str, survivor: str) -> None:
    block = read_document(package(paragraph)).blocks[0]
    assert block.chunk_ids == (A,)
    assert block.claims[0].carrier == survivor


def test_tab_stops_leaked_by_enter_do_not_claim_the_new_paragraph() -> None:
    own = p(bookmark(f"_astra_{A}", t("original")), tabs(tab_positions(A)))
    leaked = p(t("añadido con Intro"), tabs(tab_positions(A)))
    assert ids(package(own + leaked)) == [(A,), ()]


def test_a_retyped_paragraph_is_found_by_its_tab_stops_once() -> None:
    retyped = p(t("escrito de nuevo"), tabs(tab_positions(A)))
    assert ids(package(retyped + p(t("y otro"), tabs(tab_positions(A))))) == [(A,), ()]


def test_pasted_copies_are_recognised_by_their_suffix() -> None:
    document = read_document(package(p(bookmark(f"_astra_{A}_Copy_1", t("pegado")))))
    assert document.blocks[0].chunk_ids == (A,)
    assert "copy" in document.blocks[0].flags


def test_an_unclosed_bookmark_claims_its_own_paragraph_only() -> None:
    start = f'<w:bookmarkStart w:id="1" w:name="_astra_{A}"/>'
    assert ids(package(p(start + t("uno")) + p("dos") + p("tres"))) == [(A,), (), ()]


def test_a_bookmark_over_a_split_paragraph_claims_both_halves() -> None:
    first = p(f'<w:bookmarkStart w:id="1" w:name="_astra_{A}"/>' + t("primera"))
    second = p(t("segunda") + '<w:bookmarkEnd w:id="1"/>')
    assert ids(package(first + second + p("tercera"))) == [(A,), (A,), ()]


def test_a_bookmark_that_libreoffice_started_twice_claims_all_parts_of_a_paragraph_split_in_three() -> None:
    start = '<w:bookmarkStart w:id="{}" w:name="_astra_' + A + '"/>'
    first = p(start.format(1) + t("primera"))
    third = p(start.format(2) + t("tercera") + '<w:bookmarkEnd w:id="2"/>')
    assert ids(package(first + p("segunda") + third + p("cuarta"))) == [(A,), (A,), (A,), ()]


def test_a_paragraph_pasted_between_the_halves_of_a_split_one_keeps_its_own_id_only() -> None:
    first = p(f'<w:bookmarkStart w:id="1" w:name="_astra_{A}"/>' + t("primera"))
    pasted = p(bookmark(f"_astra_{B}", hidden(f"[#{B}]") + t("pegada"), 2))
    last = p(t("segunda") + '<w:bookmarkEnd w:id="1"/>')
    assert ids(package(first + pasted + last)) == [(A,), (B,), (A,)]
    before_it = p(
        f'<w:bookmarkStart w:id="1" w:name="_astra_{A}"/>' + bookmark(f"_astra_{B}", t("pegada"), 2)
    )
    assert ids(package(before_it + p("primera") + last)) == [(B,), (A,), (A,)]


def test_a_split_paragraph_joined_to_its_neighbour_keeps_both_ids() -> None:
    first = p(f'<w:bookmarkStart w:id="1" w:name="_astra_{A}"/>' + t("primera"))
    joined = p(t("segunda ") + '<w:bookmarkEnd w:id="1"/>' + bookmark(f"_astra_{B}", t("otra"), 2))
    assert ids(package(first + joined)) == [(A,), (A, B)]


def test_a_ghost_paragraph_and_a_bookmark_around_nothing_claim_nothing() -> None:
    ghost = p(bookmark(f"_astra_{A}", hidden(f"[#{A}]")), tabs(tab_positions(A)))
    collapsed = p(bookmark(f"_astra_{B}", "") + t("texto de otro"))
    document = read_document(package(ghost + collapsed))
    assert [(b.text, b.chunk_ids) for b in document.blocks] == [("texto de otro", ())]


def test_older_drafts_carried_the_id_in_controls_comments_fields_and_links() -> None:
    control = (
        f'<w:sdt><w:sdtPr><w:tag w:val="astra:{A}"/></w:sdtPr><w:sdtContent>{p("uno")}</w:sdtContent></w:sdt>'
    )
    commented = p('<w:commentRangeStart w:id="5"/>' + t("dos") + '<w:commentRangeEnd w:id="5"/>')
    link = p(f'<w:hyperlink r:id="rIdL">{t("tres")}</w:hyperlink>')
    comments = part("comments", f'<w:comment w:id="5">{p(B)}</w:comment>')
    data = package(
        control + commented + link,
        parts={"comments.xml": ("comments", comments)},
        links={"rIdL": f"https://astra.example/c/{C}"},
    )
    assert [b.chunk_ids for b in read_document(data).blocks if b.location.part == "body"] == [
        (A,),
        (B,),
        (C,),
    ]


def test_ids_of_another_form_count_when_the_manifest_knows_them() -> None:
    data = package(
        f'<w:sdt><w:sdtPr><w:tag w:val="chunk-7"/></w:sdtPr><w:sdtContent>{p("uno")}</w:sdtContent></w:sdt>'
        + p(bookmark("_astra_chunk-8_Copy_2", t("dos")))
    )
    assert ids(data) == [(), ()]
    found = read_document(data, known_ids={"chunk-7", "chunk-8"})
    assert [b.chunk_ids for b in found.blocks] == [("chunk-7",), ("chunk-8",)]


def test_headings_make_the_path_and_lists_have_levels() -> None:
    styles = part(
        "styles",
        '<w:style w:styleId="Ttulo1"><w:name w:val="heading 1"/></w:style>'
        '<w:style w:styleId="Punto"><w:basedOn w:val="Ttulo1"/>'
        '<w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>',
    )
    body = (
        p("Orden del día", '<w:pStyle w:val="Ttulo1"/>')
        + p("Obras", '<w:pStyle w:val="Punto"/>')
        + p("asfaltado", '<w:numPr><w:ilvl w:val="2"/><w:numId w:val="1"/></w:numPr>')
    )
    blocks = read_document(package(body, parts={"styles.xml": ("styles", styles)})).blocks
    assert blocks[2].location.heading_path == ("Orden del día", "Obras")
    assert blocks[2].location.list_level == 2
    assert (blocks[0].location.heading_level, blocks[1].location.heading_level) == (1, 2)


def test_broken_xml_is_refused_with_words_for_a_clerk() -> None:
    with pytest.raises(UploadRefused, match="dañado") as refusal:
        read_document(package("<w:p><w:r>"))
    assert refusal.value.reason == "damaged"
