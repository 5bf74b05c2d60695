"""The upload gate: what may be parsed at all.

A DOCX is a ZIP of XML, and both can be made to explode: 325 KB of ZIP hold 200 MB of empty
paragraphs that need over 3 GB as a tree, whatever the parser's settings. So everything is counted
while it is inflated, before a parser sees a byte: entries, names, sizes, ratio, element and
attribute counts (their cost in memory is known), DOCTYPE, macros, encryption.
Only XML that is read later is inflated; pictures never are.

Every refusal is one :class:`UploadRefused` with a stable ``reason`` and a Spanish message that
tells the clerk what to do.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

from astra_learn_assets.errors import UploadRefused
from astra_learn_assets.settings import UPLOAD_MAX_BYTES

MAXIMUM_ENTRIES = 6_000
MAXIMUM_TOTAL_BYTES = 400_000_000  # declared, pictures included; they are never inflated
MAXIMUM_XML_BYTES = 48_000_000  # inflated, all XML parts together
MAXIMUM_RATIO = 250  # real files reach 130:1; only asked of entries above _RATIO_FROM
MAXIMUM_TREE_BYTES = 150_000_000  # estimated for the parsed tree of one part
_RATIO_FROM = 8_000_000
_ELEMENT_COST, _ATTRIBUTE_COST = 100, 130  # bytes in libxml2, measured; closing tags count as well
_CHUNK = 1 << 20

_OLE, _PDF, _RTF = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF", b"{\\rtf"
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_KNOWN_ENCODINGS = {b"utf-8", b"utf8", b"utf-16", b"us-ascii", b"ascii", b"iso-8859-1", b"windows-1252"}
_DOCTYPES = tuple("<!DOCTYPE".encode(codec) for codec in ("ascii", "utf-16-le", "utf-16-be"))

_MESSAGES = {
    "empty": "El archivo está vacío. Vuelva a guardarlo en Word o LibreOffice y súbalo de nuevo.",
    "too_large": "El archivo es demasiado grande. Quite imágenes pesadas del documento y súbalo de nuevo.",
    "encrypted": "El documento está protegido con contraseña. Quite la contraseña "
    "(Archivo > Información > Proteger documento) y súbalo de nuevo.",
    "old_format": "Este es un documento de Word antiguo (.doc). Ábralo y guárdelo como «Documento de Word "
    "(.docx)».",
    "not_docx": "El archivo no es un documento de Word (.docx). Guárdelo como «Documento de Word (.docx)» y "
    "súbalo de nuevo.",
    "damaged": "El documento está dañado o incompleto. Ábralo en Word o LibreOffice, guárdelo de nuevo como "
    ".docx y vuelva a subirlo.",
    "macros": "El documento contiene macros (.docm), que no se admiten. Guárdelo como «Documento de Word "
    "(.docx)» sin macros.",
    "suspicious": "El archivo tiene una estructura que un documento normal no tiene y no se ha abierto. "
    "Copie el texto en un documento nuevo, guárdelo como .docx y súbalo.",
    "too_long": "El documento tiene un párrafo de más de 25.000 palabras, o demasiado texto para unas actas. "
    "Divídalo en párrafos o en varios documentos y súbalo de nuevo.",
    "too_complex": "El documento es demasiado complejo para compararlo. Divídalo o quite tablas y formatos "
    "innecesarios y súbalo de nuevo.",
}


def refuse(reason: str) -> NoReturn:
    """Raise :class:`UploadRefused` with the Spanish message of ``reason``."""
    raise UploadRefused(reason, _MESSAGES[reason])


@dataclass(frozen=True)
class Package:
    """The XML parts of an admitted DOCX, inflated once; names without a leading slash."""

    parts: dict[str, bytes]

    @cached_property
    def folded(self) -> dict[str, str]:
        """Part names by their folded form: Windows wrote names in any case."""
        return {name.casefold(): name for name in self.parts}


def check_upload(data: bytes, *, max_bytes: int = UPLOAD_MAX_BYTES) -> None:
    """Let ``data`` in or say why not.

    Raises:
        UploadRefused: ``reason`` is one of empty, too_large, encrypted, old_format, not_docx, damaged,
            macros, suspicious, too_complex, too_long; the message is Spanish.
    """
    open_package(data, max_bytes=max_bytes)


def open_package(data: bytes, *, max_bytes: int = UPLOAD_MAX_BYTES) -> Package:
    """Check ``data`` and inflate its XML parts (see :func:`check_upload`)."""
    if len(data) > max_bytes:
        refuse("too_large")
    _check_magic(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_entries(entries)
            parts = _inflate(archive, entries)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError, RuntimeError):
        refuse("damaged")
    _check_kind(parts, {entry.filename for entry in entries})
    return Package(parts)


def _check_magic(data: bytes) -> None:
    if not data.strip(b"\0 \r\n\t"):
        refuse("empty")
    if data.startswith(_OLE):
        refuse("encrypted" if "EncryptedPackage".encode("utf-16-le") in data else "old_format")
    if not data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        refuse("not_docx")


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAXIMUM_ENTRIES or sum(entry.file_size for entry in entries) > MAXIMUM_TOTAL_BYTES:
        refuse("too_complex")
    seen: set[str] = set()
    previous_end = 0
    for entry in sorted(entries, key=lambda e: e.header_offset):
        name = entry.orig_filename.replace("\\", "/")
        if (
            "\0" in name
            or name.startswith("/")
            or re.match(r"[A-Za-z]:", name)
            or ".." in name.split("/")
            or name.casefold() in seen
            or entry.header_offset < previous_end
        ):
            refuse("suspicious")
        seen.add(name.casefold())
        previous_end = entry.header_offset + entry.compress_size
        if entry.flag_bits & 0x1:
            refuse("encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            refuse("suspicious")
        if entry.file_size > _RATIO_FROM and entry.file_size > MAXIMUM_RATIO * max(entry.compress_size, 1):
            refuse("suspicious")


_UNREAD = re.compile(
    r"(^|/)(?:(?:theme|charts|diagrams|embeddings|media|fonts|customXml|glossary|ink|activeX)/"
    r"|(?:stylesWithEffects|webSettings|settings|fontTable|numbering)\.xml$)"
)


def _wanted(name: str) -> bool:
    return name.endswith((".xml", ".rels")) and not _UNREAD.search(name)


def _inflate(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> dict[str, bytes]:
    """All XML parts that are read, counted while they come out of the ZIP."""
    parts: dict[str, bytes] = {}
    total = 0
    for entry in entries:
        if not _wanted(entry.filename):
            continue
        pieces: list[bytes] = []
        elements = attributes = size = 0
        tail = b""
        with archive.open(entry) as stream:
            while piece := stream.read(_CHUNK):
                size += len(piece)
                elements += piece.count(b"<")
                attributes += piece.count(b"=")
                if total + size > MAXIMUM_XML_BYTES:
                    refuse("too_complex")
                if elements * _ELEMENT_COST + attributes * _ATTRIBUTE_COST > MAXIMUM_TREE_BYTES:
                    refuse("too_complex")
                if any(doctype in tail + piece for doctype in _DOCTYPES):
                    refuse("suspicious")
                tail = piece[-20:]
                pieces.append(piece)
        part = b"".join(pieces)
        _check_encoding(part)
        parts[entry.filename.replace("\\", "/")] = part
        total += size
    return parts


def _check_encoding(part: bytes) -> None:
    """Only encodings in which the counts above mean what they say."""
    if part.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")):
        return
    start = part.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start and not start.startswith(b"<"):
        refuse("damaged")
    declared = _ENCODING.match(start[:300])
    if declared and declared.group(1).lower() not in _KNOWN_ENCODINGS:
        refuse("suspicious")


def _check_kind(parts: dict[str, bytes], names: set[str]) -> None:
    if "[Content_Types].xml" not in parts:
        refuse("not_docx")
    types = parts["[Content_Types].xml"]
    if b"macroEnabled" in types or any(n.rsplit("/", 1)[-1].lower() == "vbaproject.bin" for n in names):
        refuse("macros")
    if b"wordprocessingml" not in types and "word/document.xml" not in parts:
        refuse("not_docx")
