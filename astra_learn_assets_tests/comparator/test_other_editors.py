"""Finals that came back through Word for the web, Google Docs and WPS Writer, imitated from what is publicly
known of their files: what each adds, renames and throws away. No file of theirs is stored here."""

from __future__ import annotations

import pytest

from astra_learn_assets.comparator.docx.chunk_ids import DOCUMENT_PROPERTY, tab_positions
from astra_learn_assets.comparator.docx.reader import read_document
from astra_learn_assets.comparator.engine import compare
from astra_learn_assets.contracts import Delta
from astra_learn_assets_tests.comparator.packages import bookmark, hidden, p, package, t, tabs
from astra_learn_assets_tests.comparator.test_engine import chunk

SPEECH = [
    "Se abre la sesión por la señora alcaldesa a las nueve y media con quórum suficiente.",
    "La tesorera explica que la partida de caminos está ajotada desde octubre.",
    "El portavoz vecinal pregunta cuánto costará el tejado de la escuela.",
]
CORRECTED = SPEECH[1].replace("ajotada", "agotada")
FMTID = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"


def draft() -> bytes:
    return package(
        "".join(
            p(
                bookmark(f"_astra_{chunk(n)}", hidden(f"[#{chunk(n)}]") + t(text), n),
                tabs(tab_positions(chunk(n))),
            )
            for n, text in enumerate(SPEECH)
        )
    )


def learned(final: bytes) -> Delta:
    """The one correction is a pair of its chunk, and nothing else happened."""
    delta = compare(draft(), final, generated_id="g", final_id="f")
    assert [(x.chunk_id, x.before, x.after) for x in delta.examples] == [(chunk(1), SPEECH[1], CORRECTED)]
    assert [block.op for block in delta.blocks] == ["equal", "modified", "equal"]
    return delta


def texts() -> list[str]:
    return [SPEECH[0], CORRECTED, SPEECH[2]]


def test_word_for_the_web_cuts_runs_at_its_proofing_marks_and_keeps_every_carrier() -> None:
    def run(text: str) -> str:
        properties = '<w:rPr><w:lang w:val="es-ES"/></w:rPr>'
        return f'<w:r w:rsidR="00A1">{properties}<w:t xml:space="preserve">{text}</w:t></w:r>'

    body = ""
    for n, text in enumerate(texts()):
        head, gap, tail = text.partition("la ")
        inner = (
            f'{run(head + gap)}<w:proofErr w:type="spellStart"/>{run(tail)}<w:proofErr w:type="spellEnd"/>'
        )
        marked = bookmark(f"_astra_{chunk(n)}", hidden(f"[#{chunk(n)}]") + inner, 100 + n)
        body += p(marked, tabs(tab_positions(chunk(n)))).replace(
            "<w:p>", f'<w:p w:rsidR="00A1" w:rsidRDefault="00A1" w:rsidP="00{n}">'
        )
    body += '<w:bookmarkStart w:id="0" w:name="_GoBack"/><w:bookmarkEnd w:id="0"/>'
    learned(package(body))


@pytest.mark.parametrize("token", ["dropped", "visible"])
def test_google_docs_renames_bookmarks_and_knows_no_hidden_text_but_the_tab_positions_stay(
    token: str,
) -> None:
    body = ""
    for n, text in enumerate(texts()):
        shown = (t(f"[#{chunk(n)}]") if token == "visible" else "") + t(text, '<w:rtl w:val="0"/>')
        control = (
            f'<w:sdt><w:sdtPr><w:id w:val="{n + 77}"/><w:tag w:val="goog_rdk_{n}"/></w:sdtPr><w:sdtContent>'
            f"{shown}</w:sdtContent></w:sdt>"
        )
        body += p(bookmark(f"bookmark=id.k{n}x", control, n), tabs(tab_positions(chunk(n))))
    learned(package(body))


def test_google_docs_exports_a_suggestion_inside_a_control_around_the_tracked_change() -> None:
    first, wrong, rest = SPEECH[1].partition("ajotada")
    deleted = f"<w:r><w:delText>{wrong}</w:delText></w:r>"
    suggestion = (
        '<w:sdt><w:sdtPr><w:tag w:val="goog_rdk_4"/></w:sdtPr><w:sdtContent>'
        f'<w:del w:id="0" w:author="Ana">{deleted}</w:del></w:sdtContent></w:sdt>'
        '<w:sdt><w:sdtPr><w:tag w:val="goog_rdk_5"/></w:sdtPr><w:sdtContent>'
        f'<w:ins w:id="1" w:author="Ana">{t("agotada")}</w:ins></w:sdtContent></w:sdt>'
    )
    body = p(SPEECH[0]) + p(t(first) + suggestion + t(rest)) + p(SPEECH[2])
    learned(package(body))


def test_all_carriers_lost_as_after_a_paste_without_format_the_texts_find_each_other() -> None:
    learned(package("".join(p(text) for text in texts())))


def test_wps_writes_its_own_properties_beside_ours_and_keeps_the_document_id() -> None:
    named = (("KSOProductBuildVer", "3082-12.2"), ("ICV", "A0_13"), (DOCUMENT_PROPERTY, "acta-7"))
    listed = "".join(
        f'<property fmtid="{FMTID}" pid="{n}" name="{name}"><vt:lpwstr>{value}</vt:lpwstr></property>'
        for n, (name, value) in enumerate(named, start=2)
    )
    custom = (
        '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" '
        'xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes">'
        f"{listed}</Properties>"
    ).encode()
    body = "".join(
        p(
            bookmark(
                f"_astra_{chunk(n)}", hidden(f"[#{chunk(n)}]") + t(text, '<w:rFonts w:hint="default"/>'), n
            )
        )
        for n, text in enumerate(texts())
    )
    body += (
        '<w:sectPr/><wpsCustomData xmlns="http://www.wps.cn/officeDocument/2013/wpsCustomData">'
        "<customSectProps/></wpsCustomData>"
    )
    final = package(body, files={"docProps/custom.xml": custom})
    assert read_document(final).document_id == "acta-7"
    learned(final)


def test_wps_draws_a_text_box_twice_and_it_is_read_once() -> None:
    box = f"<w:txbxContent>{p('Sello de entrada')}</w:txbxContent>"
    drawn = (
        '<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:anchor><a:graphic><a:graphicData>'
        f"<wps:wsp><wps:txbx>{box}</wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing>"
        f"</mc:Choice><mc:Fallback><w:pict><v:shape><v:textbox>{box}</v:textbox></v:shape></w:pict></mc:Fallback>"
        "</mc:AlternateContent></w:r>"
    )
    body = [p(t(text) + (drawn if n == 0 else "")) for n, text in enumerate(texts())]
    delta = compare(draft(), package("".join(body)), generated_id="g", final_id="f")
    assert [block.after for block in delta.blocks if block.op == "inserted"] == ["Sello de entrada"]
