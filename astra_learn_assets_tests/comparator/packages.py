"""DOCX files written by hand, down to the XML that word processors leave behind."""

from __future__ import annotations

import io
import zipfile

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_W = "http://purl.oclc.org/ooxml/wordprocessingml/main"
STRICT_R = "http://purl.oclc.org/ooxml/officeDocument/relationships"
NAMESPACES = (
    f'xmlns:w="{W}" xmlns:r="{R}" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
)
MAIN_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def package(
    body: str,
    *,
    parts: dict[str, tuple[str, str]] | None = None,
    links: dict[str, str] | None = None,
    files: dict[str, bytes] | None = None,
    main_type: str = MAIN_TYPE,
    root: str = "document",
) -> bytes:
    """A DOCX whose body is ``body``.

    ``parts``: file name below word/ -> (relationship type's last word, XML); ``links``: relationship id ->
    external target; ``files``: further files by full name, replacing those made here.
    """
    relations = [
        f'<Relationship Id="rId{n}" Type="{R}/{kind}" Target="{name}"/>'
        for n, (name, (kind, _)) in enumerate((parts or {}).items(), start=100)
    ]
    relations += [
        f'<Relationship Id="{key}" Type="{R}/hyperlink" Target="{target}" TargetMode="External"/>'
        for key, target in (links or {}).items()
    ]
    names: dict[str, bytes] = {
        "[Content_Types].xml": (
            '<?xml version="1.0" encoding="UTF-8"?><Types '
            'xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{main_type}"/></Types>'
        ).encode(),
        "_rels/.rels": (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="rId1" Type="{R}/officeDocument" Target="word/document.xml"/></Relationships>'
        ).encode(),
        "word/_rels/document.xml.rels": (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            + "".join(relations)
            + "</Relationships>"
        ).encode(),
        "word/document.xml": f"<w:{root} {NAMESPACES}><w:body>{body}</w:body></w:{root}>".encode(),
    }
    for name, (_, xml) in (parts or {}).items():
        names[f"word/{name}"] = xml.encode()
    names.update(files or {})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def p(inner: str = "", properties: str = "") -> str:
    """A paragraph; plain text is wrapped in a run."""
    if inner and "<" not in inner:
        inner = t(inner)
    return f"<w:p>{f'<w:pPr>{properties}</w:pPr>' if properties else ''}{inner}</w:p>"


def t(text: str, properties: str = "") -> str:
    """A run of text."""
    run = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r>{run}<w:t xml:space="preserve">{text}</w:t></w:r>'


def hidden(text: str) -> str:
    """A hidden run."""
    return t(text, "<w:vanish/>")


def bookmark(name: str, inner: str, identifier: int = 1) -> str:
    """``inner`` inside a bookmark."""
    return (
        f'<w:bookmarkStart w:id="{identifier}" w:name="{name}"/>{inner}<w:bookmarkEnd w:id="{identifier}"/>'
    )


def tabs(positions: tuple[int, ...]) -> str:
    """Tab stops for a paragraph's properties."""
    stops = [f'<w:tab w:val="left" w:pos="{n}"/>' for n in positions]
    return f"<w:tabs>{''.join(stops)}</w:tabs>"


def part(tag: str, inner: str) -> str:
    """A header, footer, notes or comments part."""
    return f"<w:{tag} {NAMESPACES}>{inner}</w:{tag}>"
