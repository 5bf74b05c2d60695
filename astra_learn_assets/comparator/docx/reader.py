"""From a DOCX to its blocks: all live text, in document order.

python-docx sees 84 % of the live text of real documents; the rest stands in tables, notes,
content controls, links, text boxes and tracked insertions. So this module opens the package
itself (:mod:`gate` first), finds the parts by their relationships, and lets :mod:`walker` go
through the XML of each.

Comments are read too, as blocks whose ``location.part`` is ``comment``: they are text a person can
see, but never what somebody said, so the comparison leaves them out.

What stands in parts that are not read (imported text, charts, SmartArt, embedded objects) is counted, and
the comparison says so.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace
from urllib.parse import unquote

from lxml import etree

from astra_learn_assets.comparator.docx import chunk_ids
from astra_learn_assets.comparator.docx.admission import Package, open_package, refuse
from astra_learn_assets.comparator.docx.arbitration import arbitrate
from astra_learn_assets.comparator.docx.blocks import Block, Document, PartKind, Unread
from astra_learn_assets.comparator.docx.inline import Budget, Story
from astra_learn_assets.comparator.docx.styles import Styles, parse_styles
from astra_learn_assets.comparator.docx.walker import walk
from astra_learn_assets.settings import UPLOAD_MAX_BYTES

_PART_KINDS: dict[str, PartKind] = {
    "header": "header",
    "footer": "footer",
    "footnotes": "footnote",
    "endnotes": "endnote",
    "comments": "comment",
}
_known_styles: dict[bytes, Styles] = {}
_ORDER: tuple[PartKind, ...] = ("header", "footer", "footnote", "endnote", "comment")


def read_document(
    data: bytes, *, known_ids: Collection[str] = (), max_bytes: int = UPLOAD_MAX_BYTES
) -> Document:
    """All text of a DOCX as blocks; empty paragraphs make none.

    ``known_ids`` are chunk ids of a manifest that need not have our form: they are recognised where
    a bookmark, content control tag or link holds one exactly.

    Raises:
        UploadRefused: the file is not let in (see ``gate.check_upload``) or its XML is broken.
    """
    package = open_package(data, max_bytes=max_bytes)
    main = _main_part(package)
    relations = _relations(package, main)
    styles = _styles(package, main, relations)
    known = frozenset(known_ids)

    blocks: list[Block] = []
    live_notes: dict[str, set[str]] = {}
    dead_notes: dict[str, set[str]] = {}
    comment_ids: dict[str, list[str]] = {}
    comments = _part_names(relations, "comment")
    for name in comments:
        if name in package.parts:
            comment_ids.update(_comment_chunk_ids(_parse(package.parts[name]), known))

    budget = Budget()
    unread: Counter[Unread] = Counter()

    def read(name: str, kind: PartKind) -> None:
        story = Story(
            kind=kind,
            styles=styles,
            links={key: target for key, (_, target) in _relations(package, name).items()},
            comment_ids=comment_ids,
            known_ids=known,
            budget=budget,
            dead_notes=dead_notes.get(kind, set()) - live_notes.get(kind, set()),
            unread=unread,
        )
        blocks.extend(walk(_parse(package.parts[name]), story))
        for target, found in ((live_notes, story.live_refs), (dead_notes, story.dead_refs)):
            for note_kind, ids in found.items():
                target.setdefault(note_kind, set()).update(ids)

    read(main, "body")
    for kind in _ORDER:
        for name in _part_names(relations, kind):
            if name in package.parts:
                read(name, kind)
    resolved = arbitrate([block.claims for block in blocks])
    return Document(
        document_id=_document_id(package),
        blocks=tuple(
            replace(block, chunk_ids=ids) if ids else block
            for block, ids in zip(blocks, resolved, strict=True)
        ),
        unread=dict(unread),
    )


def _parse(data: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        refuse("damaged")
    if root.getroottree().docinfo.internalDTD is not None:
        refuse("suspicious")
    return root


def _main_part(package: Package) -> str:
    """The main document by the package's relationships, else by content type, else by its usual name."""
    for kind, target in _relations(package, "").values():
        if kind == "officeDocument" and target in package.parts:
            return target
    types = _parse(package.parts["[Content_Types].xml"])
    for element in types:
        if "wordprocessingml" in element.get("ContentType", "") and element.get("ContentType", "").endswith(
            "main+xml"
        ):
            name = element.get("PartName", "").lstrip("/")
            if name in package.parts:
                return name
    if "word/document.xml" not in package.parts:
        refuse("damaged")
    return "word/document.xml"


def _relations(package: Package, part: str) -> dict[str, tuple[str, str]]:
    """Relationships of ``part``: id -> (last word of the type, target); internal targets as part names.

    Dangling targets are common in real files and harmless: nobody insists on them.
    """
    folder, name = posixpath.split(part)
    data = package.parts.get(posixpath.join(folder, "_rels", f"{name}.rels"))
    if data is None:
        return {}
    relations: dict[str, tuple[str, str]] = {}
    for element in _parse(data):
        identifier, kind, target = element.get("Id"), element.get("Type", ""), element.get("Target", "")
        if identifier is None:
            continue
        if element.get("TargetMode") != "External":
            target = unquote(target.replace("\\", "/"))
            target = (
                target.lstrip("/")
                if target.startswith("/")
                else posixpath.normpath(posixpath.join(folder, target))
            )
            target = target if target in package.parts else package.folded.get(target.casefold(), target)
        relations[identifier] = (kind.rsplit("/", 1)[-1], target)
    return relations


def _part_names(relations: dict[str, tuple[str, str]], kind: PartKind) -> list[str]:
    wanted = {word for word, k in _PART_KINDS.items() if k == kind}
    names = {target for word, target in relations.values() if word in wanted}
    return sorted(names, key=lambda name: [int(s) if s.isdigit() else s for s in re.split(r"(\d+)", name)])


def _styles(package: Package, main: str, relations: dict[str, tuple[str, str]]) -> Styles:
    name = next((target for word, target in relations.values() if word == "styles"), None)
    name = name or posixpath.join(posixpath.dirname(main), "styles.xml")
    if name not in package.parts:
        return Styles({})
    data = package.parts[name]
    digest = hashlib.sha256(data).digest()  # a council's drafts and finals share one template
    if digest not in _known_styles:
        if len(_known_styles) >= 64:
            _known_styles.clear()
        _known_styles[digest] = parse_styles(_parse(data))
    return _known_styles[digest]


def _comment_chunk_ids(root: etree._Element, known: frozenset[str]) -> dict[str, list[str]]:
    """Chunk ids that older drafts kept in comments, by comment id."""
    found: dict[str, list[str]] = {}
    for comment in root:
        identifier = next((v for k, v in comment.attrib.items() if str(k).endswith("}id")), None)
        text = _text(comment).strip()
        ids = [text] if text in known else chunk_ids.find_chunk_ids(text)
        if identifier is not None and ids:
            found[str(identifier)] = ids
    return found


def _document_id(package: Package) -> str | None:
    """``astra_document_id`` of ``docProps/custom.xml``; a broken one is as good as none."""
    data = package.parts.get("docProps/custom.xml")
    if data is None or chunk_ids.DOCUMENT_PROPERTY.encode() not in data:
        return None
    for element in _properties(_parse(data)):
        value = _text(element).strip()
        if value and len(value) <= 200:
            return value
    return None


def _properties(root: etree._Element) -> Iterator[etree._Element]:
    return (e for e in root if e.get("name") == chunk_ids.DOCUMENT_PROPERTY)


def _text(element: etree._Element) -> str:
    return "".join(str(text) for text in element.itertext())
