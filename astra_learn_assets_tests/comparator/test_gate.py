"""Nothing hostile reaches a parser, and whoever is refused reads why in Spanish."""

from __future__ import annotations

import io
import random
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from astra_learn_assets.comparator.docx.admission import check_upload
from astra_learn_assets.comparator.docx.reader import read_document
from astra_learn_assets.errors import UploadRefused
from astra_learn_assets_tests.comparator.packages import W, p, package, t

GOOD = package(p("texto"))


def refusal(data: bytes, **options: int) -> str:
    with pytest.raises(UploadRefused) as raised:
        check_upload(data, **options)
    assert len(str(raised.value)) > 20
    return raised.value.reason


def rezip(data: bytes, *, rename: dict[str, str] | None = None, add: dict[str, bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr((rename or {}).get(entry.filename, entry.filename), old.read(entry))
        for name, content in (add or {}).items():
            new.writestr(name, content)
    return buffer.getvalue()


def test_an_ordinary_document_is_let_in() -> None:
    check_upload(GOOD)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\0" * 100, "empty"),
        (b"%PDF-1.7 ...", "not_docx"),
        (b"{\\rtf1 hola}", "not_docx"),
        (b"Acta en texto", "not_docx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old_format"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"),
            "encrypted",
        ),
        (b"PK\x03\x04" + b"rubbish" * 40, "damaged"),
        (GOOD[: len(GOOD) // 2], "damaged"),
        (rezip(GOOD, add={"../../etc/passwd": b"x"}), "suspicious"),
        (rezip(GOOD, add={"/abs.xml": b"<x/>"}), "suspicious"),
        (rezip(GOOD, add={"C:\\x.xml": b"<x/>"}), "suspicious"),
        (rezip(GOOD, add={"WORD/Document.XML": b"<x/>"}), "suspicious"),
        (rezip(GOOD, add={"word/vbaProject.bin": b"macro"}), "macros"),
        (package(p("x"), main_type="application/vnd.ms-word.document.macroEnabled.main+xml"), "macros"),
        (rezip(GOOD, rename={"[Content_Types].xml": "types.xml"}), "not_docx"),
        (rezip(GOOD, rename={"word/document.xml": "word/elsewhere.xml"}), "damaged"),
    ],
)
def test_what_is_no_clean_docx_is_refused_for_a_stated_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UploadRefused) as raised:
        read_document(data)
    assert raised.value.reason == reason


def test_too_many_bytes_are_refused_before_anything_is_opened() -> None:
    assert refusal(GOOD, max_bytes=10) == "too_large"


def test_a_doctype_is_refused_in_any_encoding() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb">]><w:document><w:body/></w:document>'
    for data in (
        bomb.encode(),
        ('<?xml version="1.0" encoding="UTF-16"?>' + bomb).encode("utf-16"),
        b" " * ((1 << 20) - 5) + bomb.encode(),  # across the border of two reads
    ):
        assert refusal(package("", files={"word/document.xml": data})) == "suspicious"


def test_an_encoding_in_which_nothing_can_be_counted_is_refused() -> None:
    xml = '<?xml version="1.0" encoding="UTF-7"?><a/>'
    assert refusal(package("", files={"word/document.xml": xml.encode()})) == "suspicious"
    assert refusal(package("", files={"word/document.xml": xml.encode("cp037")})) == "damaged"


def test_password_protected_entries_are_refused() -> None:
    data = bytearray(GOOD)
    position = data.find(b"PK\x01\x02")
    while position >= 0:
        data[position + 8] |= 1
        position = data.find(b"PK\x01\x02", position + 4)
    assert refusal(bytes(data)) == "encrypted"


def test_a_wrong_checksum_is_damage() -> None:
    data = bytearray(package(p("texto" * 50), files={}))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        entry = archive.getinfo("word/document.xml")
    data[entry.header_offset + 60] ^= 0xFF
    assert refusal(bytes(data)) == "damaged"


BOMBS: dict[str, Callable[[], bytes]] = {
    "empty_paragraphs": lambda: b"<w:p/>" * 7_000_000,
    "attributes": lambda: b"<w:p " + b" ".join(b'a%d="1"' % n for n in range(1_000_000)) + b"/>",
    "prefixes": lambda: b"".join(b'<w:p xmlns:a%d="u%d"/>' % (n, n) for n in range(550_000)),
    "deep": lambda: b"<w:p>" * 100_000 + b"</w:p>" * 100_000,
    "deep_but_parsable": lambda: b"<w:ins>" * 200 + b"</w:ins>" * 200,
    "long_text": lambda: b"<w:p><w:r><w:t>" + b"x" * 45_000_000 + b"</w:t></w:r></w:p>",
    # below the limits of the gate, and without the regularity that its ratio would catch
    "paragraphs": lambda: _noise(b"<w:p/>", b"<w:tbl/>", 1_100_000),
    "breaks": lambda: b"<w:p><w:r>" + _noise(b"<w:br/>", b"<w:tab/>", 1_100_000) + b"</w:r></w:p>",
    "words": lambda: _noise(b"<w:p><w:r><w:t>a</w:t></w:r></w:p>", b"<w:p/>", 250_000),
}

READ_LIMITED = """
import re, sys
sys.path.insert(0, {root!r})
from astra_learn_assets.comparator.docx.reader import read_document
from astra_learn_assets.errors import UploadRefused
data = open({path!r}, "rb").read()
try:
    read_document(data)
    result = "read"
except UploadRefused as error:
    result = error.reason
print(result, int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


def _noise(a: bytes, b: bytes, count: int) -> bytes:
    rng = random.Random(1)
    return b"".join(rng.choice((a, b)) for _ in range(count))


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_are_refused_within_three_hundred_megabytes(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    xml = b'<w:document xmlns:w="' + W.encode() + b'"><w:body>' + BOMBS[kind]() + b"</w:body></w:document>"
    path.write_bytes(package("", files={"word/document.xml": xml}))
    code = READ_LIMITED.format(root=str(Path(__file__).parents[2]), path=str(path))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    result, megabytes = done.stdout.split()
    assert result in ("too_complex", "suspicious", "damaged")
    assert int(megabytes) < 300


def test_a_paragraph_of_two_hundred_thousand_characters_is_compared_in_bounded_memory() -> None:
    from astra_learn_assets.comparator.engine import compare

    words = [f"palabra{n % 5000}" for n in range(20_000)]
    long, changed = " ".join(words), " ".join(w for n, w in enumerate(words) if n % 97)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    delta = compare(package(p(t(long))), package(p(t(changed))), generated_id="g", final_id="f")
    assert delta.blocks[0].op == "modified"
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024 < 300
