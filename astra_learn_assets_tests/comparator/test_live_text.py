"""Documents of every construction at random, of which it is known word by word what is live."""

from __future__ import annotations

import random
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from io import BytesIO

import pytest

from astra_learn_assets.comparator.docx.reader import read_document
from astra_learn_assets.errors import UploadRefused

from .packages import STRICT_R, STRICT_W, R, W, p, package, part, t

VISIBLE, GONE = re.compile(r"v\d+"), re.compile(r"x\d+")


class Writer:
    """Writes XML; words it writes as live begin with v, all others with x."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.words = 0
        self.live: list[str] = []

    def word(self, alive: bool) -> str:
        self.words += 1
        word = f"{'v' if alive else 'x'}{self.words}"
        if alive:
            self.live.append(word)
        return word

    # -- inside a paragraph --------------------------------------------------------------------

    def run(self, alive: bool, tag: str = "t") -> str:
        return f'<w:r><w:{tag} xml:space="preserve">{self.word(alive)} </w:{tag}></w:r>'

    def inline(self, alive: bool, depth: int) -> str:
        """Some pieces of a paragraph."""
        return "".join(self.piece(alive, depth) for _ in range(self.rng.randint(1, 3)))

    def piece(self, alive: bool, depth: int) -> str:
        if depth <= 0:
            return self.run(alive)
        makers: list[Callable[[bool, int], str]] = [
            self.wrapped,
            self.deleted,
            self.control,
            self.field,
            self.ruby,
            self.formula,
            self.alternative,
            self.signs,
            self.box,
            self.old_box,
        ]
        return self.rng.choice(makers)(alive, depth - 1)

    def wrapped(self, alive: bool, depth: int) -> str:
        opening, name = self.rng.choice(
            [
                ('w:ins w:id="1" w:author="a"', "w:ins"),
                ('w:moveTo w:id="2" w:author="a"', "w:moveTo"),
                ('w:hyperlink w:anchor="m"', "w:hyperlink"),
                ('w:smartTag w:element="e"', "w:smartTag"),
                ('w:customXml w:element="e"', "w:customXml"),
                ('w:fldSimple w:instr="PAGE"', "w:fldSimple"),
                ('w:dir w:val="rtl"', "w:dir"),
                ('w:bdo w:val="ltr"', "w:bdo"),
            ]
        )
        return f"<{opening}>{self.inline(alive, depth)}</{name}>"

    def deleted(self, _: bool, depth: int) -> str:
        kind = self.rng.choice(["del", "moveFrom"])
        inner = self.run(False, "delText") + self.run(False) + self.inline(False, depth)
        return f'<w:{kind} w:id="3" w:author="a">{inner}</w:{kind}>'

    def control(self, alive: bool, depth: int) -> str:
        return f"<w:sdt><w:sdtPr/><w:sdtContent>{self.inline(alive, depth)}</w:sdtContent></w:sdt>"

    def field(self, alive: bool, depth: int) -> str:
        """A field with another one inside its code, whose result is no text."""

        def mark(kind: str) -> str:
            return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'

        inner = (
            mark("begin")
            + "<w:r><w:instrText>x0</w:instrText></w:r>"
            + mark("separate")
            + self.run(False)
            + mark("end")
        )
        code = "<w:r><w:instrText>IF x1</w:instrText></w:r>" + (inner if self.rng.random() < 0.5 else "")
        deleted = '<w:del w:id="4">' + self.run(False, "delText") + "</w:del>"
        return (
            mark("begin")
            + code
            + mark("separate")
            + deleted
            + self.inline(alive, min(depth, 1))
            + mark("end")
        )

    def ruby(self, alive: bool, _: int) -> str:
        return (
            f"<w:r><w:ruby><w:rubyPr/><w:rt>{self.run(alive)}</w:rt>"
            f"<w:rubyBase>{self.run(alive)}</w:rubyBase></w:ruby></w:r>"
        )

    def formula(self, alive: bool, _: int) -> str:
        numerator = f"<m:num><m:r><m:t>{self.word(alive)} </m:t></m:r></m:num>"
        return (
            f"<m:oMathPara><m:oMath><m:f>{numerator}<m:den><m:r><m:t>{self.word(alive)} </m:t></m:r></m:den>"
            "</m:f></m:oMath></m:oMathPara>"
        )

    def alternative(self, alive: bool, depth: int) -> str:
        chosen, other = self.inline(alive, depth), self.inline(False, 0)
        return (
            f'<mc:AlternateContent><mc:Choice Requires="wps">{chosen}</mc:Choice>'
            f"<mc:Fallback>{other}</mc:Fallback></mc:AlternateContent>"
        )

    def signs(self, alive: bool, _: int) -> str:
        one, two, three = (self.word(alive) for _ in range(3))
        return (
            f"<w:r><w:t>{one}</w:t><w:tab/><w:t>{two}</w:t><w:cr/><w:ptab/><w:t>{three}</w:t>"
            '<w:noBreakHyphen/><w:softHyphen/><w:br/><w:sym w:font="Symbol" w:char="F0B7"/>'
            "<w:lastRenderedPageBreak/></w:r><w:proofErr/>"
        )

    def box(self, alive: bool, depth: int) -> str:
        content = f"<w:txbxContent>{self.blocks(alive, depth)}</w:txbxContent>"
        fallback = f"<w:txbxContent>{p(self.run(False))}</w:txbxContent>"
        return (
            '<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:anchor><a:graphic>'
            f"<a:graphicData><wps:wsp><wps:txbx>{content}</wps:txbx></wps:wsp></a:graphicData></a:graphic>"
            "</wp:anchor></w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape><v:textbox>"
            f"{fallback}</v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
        )

    def old_box(self, alive: bool, depth: int) -> str:
        holder = self.rng.choice(["pict", "object"])
        return (
            f"<w:r><w:{holder}><v:group><v:rect><v:textbox><w:txbxContent>{self.blocks(alive, depth)}"
            f"</w:txbxContent></v:textbox></v:rect></v:group></w:{holder}></w:r>"
        )

    # -- paragraphs and tables -----------------------------------------------------------------

    def blocks(self, alive: bool, depth: int) -> str:
        return "".join(self.block(alive, depth) for _ in range(self.rng.randint(1, 3)))

    def block(self, alive: bool, depth: int) -> str:
        roll = self.rng.random()
        if depth <= 0 or roll < 0.45:
            mark = '<w:rPr><w:del w:id="5"/></w:rPr>' if self.rng.random() < 0.15 else ""
            return p(self.inline(alive, max(0, depth)), mark)
        if roll < 0.65:
            return self.table(alive, depth - 1)
        inner = self.blocks(alive, depth - 1)
        return self.rng.choice(
            [
                f"<w:sdt><w:sdtPr/><w:sdtContent>{inner}</w:sdtContent></w:sdt>",
                f'<w:customXml w:element="e">{inner}</w:customXml>',
                f'<mc:AlternateContent><mc:Choice Requires="w14">{inner}</mc:Choice>'
                f"<mc:Fallback>{p(self.run(False))}</mc:Fallback></mc:AlternateContent>",
                inner + '<w:altChunk r:id="rId9"/>',
                f'<w:moveFrom w:id="6">{p(self.run(False))}</w:moveFrom>{inner}',
            ]
        )

    def table(self, alive: bool, depth: int) -> str:
        rows = ""
        for _ in range(self.rng.randint(1, 2)):
            gone = self.rng.random() < 0.2
            cells = ""
            for _ in range(self.rng.randint(1, 2)):
                cell_gone = self.rng.random() < 0.1
                mark = '<w:tcPr><w:cellDel w:id="7"/></w:tcPr>' if cell_gone else ""
                cell = f"<w:tc>{mark}{self.blocks(alive and not gone and not cell_gone, depth)}</w:tc>"
                in_control = f"<w:sdt><w:sdtContent>{cell}</w:sdtContent></w:sdt>"
                cells += in_control if self.rng.random() < 0.2 else cell
            mark = '<w:trPr><w:del w:id="8"/></w:trPr>' if gone else ""
            row = f"<w:tr>{mark}{cells}</w:tr>"
            rows += row if self.rng.random() < 0.8 else f"<w:sdt><w:sdtContent>{row}</w:sdtContent></w:sdt>"
        return f"<w:tbl><w:tblPr/><w:tblGrid/>{rows}</w:tbl>"


def document(seed: int) -> tuple[bytes, list[str]]:
    """A DOCX and the words that a person sees in it."""
    writer = Writer(seed)
    body = "".join(writer.block(True, 4) for _ in range(12))
    parts = {
        "header1.xml": ("header", part("hdr", writer.blocks(True, 2))),
        "header2.xml": ("header", part("hdr", writer.blocks(True, 2))),
        "footer1.xml": ("footer", part("ftr", writer.blocks(True, 2))),
        "footnotes.xml": (
            "footnotes",
            part("footnotes", f'<w:footnote w:id="2">{writer.blocks(True, 1)}</w:footnote>'),
        ),
        "endnotes.xml": (
            "endnotes",
            part("endnotes", f'<w:endnote w:id="2">{writer.blocks(True, 1)}</w:endnote>'),
        ),
        "glossary/document.xml": ("glossaryDocument", part("glossaryDocument", p(writer.run(False)))),
    }
    # a paragraph whose mark is deleted needs one to flow into
    data = package(body + p(), parts=parts)
    if seed % 3 == 0:
        data = strict(data)
    return data, writer.live


def strict(data: bytes) -> bytes:
    """The same document in the namespaces of ISO 29500 strict."""
    buffer = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name).replace(W.encode(), STRICT_W.encode())
            content = content.replace(f'"{R}'.encode(), f'"{STRICT_R}'.encode())
            content = content.replace(
                b"http://schemas.openxmlformats.org/officeDocument/2006/math",
                b"http://purl.oclc.org/ooxml/officeDocument/math",
            )
            new.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("seed", range(60))
def test_every_live_word_is_read_once_and_no_other(seed: int) -> None:
    data, live = document(seed)
    text = "\n".join(block.text for block in read_document(data).blocks)
    assert Counter(VISIBLE.findall(text)) == Counter(live)
    assert GONE.findall(text) == []


def test_names_of_parts_are_found_in_any_case_and_with_escapes() -> None:
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{R}/header" Target="Header%201.XML"/>'
        f'<Relationship Id="r2" Type="{R}/footer" Target="/word\\footer1.xml"/></Relationships>'
    )
    data = package(
        p("cuerpo"),
        files={
            "word/_rels/document.xml.rels": relations.encode(),
            "word/header 1.xml": part("hdr", p("cabecera")).encode(),
            "word/footer1.xml": part("ftr", p("pie")).encode(),
        },
    )
    assert [b.text for b in read_document(data).blocks] == ["cuerpo", "cabecera", "pie"]


def test_paragraphs_and_formulas_out_of_place_are_read() -> None:
    body = (
        f"<w:tbl><w:tr>{p('fila sin celda')}</w:tr></w:tbl>"
        "<m:oMathPara><m:oMath><m:r><m:t>a+b</m:t></m:r></m:oMath></m:oMathPara>" + t("suelto")
    )
    assert " ".join(b.text for b in read_document(package(body)).blocks) == "fila sin celda a+bsuelto"


def test_damaged_files_end_in_text_or_a_refusal() -> None:
    rng = random.Random(5)
    kinds = Counter[str]()
    for seed in range(240):
        data, _ = document(seed % 6)
        try:
            read_document(damaged(data, rng, packed=seed % 2 == 0))
            kinds["read"] += 1
        except UploadRefused as refused:
            kinds[refused.reason] += 1
    assert kinds["read"]
    assert kinds["damaged"]


def damaged(data: bytes, rng: random.Random, *, packed: bool) -> bytes:
    """Some bytes changed, cut out, doubled or cut off: of the file itself, or of one part inside it."""
    if packed:
        return mutated(data, rng)
    buffer = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        victim = rng.choice(old.namelist())
        for name in old.namelist():
            new.writestr(name, mutated(old.read(name), rng) if name == victim else old.read(name))
    return buffer.getvalue()


def mutated(data: bytes, rng: random.Random) -> bytes:
    if not data:
        return b"<"
    if rng.random() < 0.2:
        return data[: rng.randrange(len(data))]
    changed = bytearray(data)
    for _ in range(rng.choice((1, 3, 20))):
        at = rng.randrange(len(changed))
        kind = rng.random()
        if kind < 0.5:
            changed[at] = rng.choice((0, 60, 62, 38, 255, rng.randrange(256)))
        elif kind < 0.75:
            del changed[at : at + rng.randrange(1, 200)]
            if not changed:
                return bytes(changed)
        else:
            changed[at:at] = changed[at : at + rng.randrange(1, 200)]
    return bytes(changed)
