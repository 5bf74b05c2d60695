"""The ZIP around a DOCX, always the same bytes for the same parts."""

from __future__ import annotations

import io
import zipfile

from lxml import etree

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_DOS_EPOCH = (1980, 1, 1, 0, 0, 0)


def w(name: str) -> str:
    """The tag or attribute ``name`` of WordprocessingML."""
    return f"{{{W}}}{name}"


def read_parts(data: bytes) -> dict[str, bytes]:
    """The parts of a package by name, in the order of the ZIP."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {name: package.read(name) for name in package.namelist()}


def write_parts(parts: dict[str, bytes]) -> bytes:
    """A package of ``parts``. No clock goes into it, so equal parts give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, _DOS_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            package.writestr(entry, content)
    return buffer.getvalue()


def parse(part: bytes) -> etree._Element:
    """The root of one of our own XML parts."""
    return etree.fromstring(part, etree.XMLParser(resolve_entities=False, no_network=True))


def serialize(root: etree._Element) -> bytes:
    """The part for ``root``."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def text_run(text: str, tag: str = "t") -> etree._Element:
    """A plain ``w:r`` holding ``text`` (``tag`` ``delText`` inside a tracked deletion)."""
    run = etree.Element(w("r"))
    set_text(etree.SubElement(run, w(tag)), text)
    return run


def set_text(element: etree._Element, text: str) -> None:
    """Put ``text`` into a ``w:t``, keeping the spaces at its ends."""
    element.text = text
    element.set(XML_SPACE, "preserve")
