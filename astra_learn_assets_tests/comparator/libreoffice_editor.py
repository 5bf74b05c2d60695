"""A clerk at LibreOffice: runs under the system's Python, which has ``uno``, not under the project's.

    python3 libreoffice_editor.py edit IN.docx OUT.docx SEED EDITS
    python3 libreoffice_editor.py track IN.docx OUT.docx SEED EDITS    also OUT.accepted.docx
    python3 libreoffice_editor.py make OUT.docx SEED
    python3 libreoffice_editor.py compare DRAFT.docx FINAL.docx OUT.docx

``edit`` changes words, retypes, splits, joins, moves, copies, inserts and deletes paragraphs, and prints
as JSON the ids that each paragraph with text should have in the end. ``track`` records its changes and
saves a second file with all of them accepted. ``make`` writes text into every corner of a document and
prints what it wrote. ``compare`` lets LibreOffice compare two documents, saves its tracked changes and
prints the seconds of the comparison alone.
"""

import contextlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.lang import DisposedException
from com.sun.star.text.ControlCharacter import PARAGRAPH_BREAK
from com.sun.star.text.TextContentAnchorType import AS_CHARACTER

TOKEN = re.compile(r"\[#(c[0-9a-z]{12})\]")
WORDS = [
    "acuerdo",
    "vecinos",
    "obra",
    "plazo",
    "informe",
    "moción",
    "barrio",
    "fuente",
    "pliego",
    "gasto",
    "empleo",
    "agua",
    "parque",
    "muro",
    "vertido",
    "tasa",
]


def say(answer):
    sys.stdout.write(json.dumps(answer))


def setting(name, value):
    made = PropertyValue()
    made.Name, made.Value = name, value
    return made


class Office:
    """A headless LibreOffice of its own, with its own profile."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        pipe = f"astra{os.getpid()}"
        self.process = subprocess.Popen(
            [
                "soffice",
                "--headless",
                "--norestore",
                "--nologo",
                f"-env:UserInstallation=file://{self.folder.name}",
                f"--accept=pipe,name={pipe};urp;",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        local = uno.getComponentContext()
        resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
        for attempt in range(120):
            try:
                context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
                break
            except NoConnectException:
                if attempt == 119:
                    raise
                time.sleep(0.5)
        self.manager = context.ServiceManager
        self.context = context
        self.desktop = self.manager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
        return self

    def __exit__(self, *_):
        with contextlib.suppress(DisposedException):
            self.desktop.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.folder.cleanup()

    def open(self, path):
        url = uno.systemPathToFileUrl(os.path.abspath(path)) if path else "private:factory/swriter"
        return self.desktop.loadComponentFromURL(url, "_blank", 0, (setting("Hidden", True),))

    def dispatch(self, document, command, *settings):
        helper = self.manager.createInstanceWithContext("com.sun.star.frame.DispatchHelper", self.context)
        helper.executeDispatch(document.CurrentController.Frame, command, "", 0, settings)

    @staticmethod
    def save(document, path):
        url = uno.systemPathToFileUrl(os.path.abspath(path))
        document.storeToURL(url, (setting("FilterName", "MS Word 2007 XML"),))


def paragraphs(document):
    enumeration = document.Text.createEnumeration()
    found = []
    while enumeration.hasMoreElements():
        element = enumeration.nextElement()
        found.append(element if element.supportsService("com.sun.star.text.Paragraph") else None)
    return found


def visible(text):
    return TOKEN.sub("", text)


class Clerk:
    """Keeps, beside the document, which ids each top-level paragraph should have."""

    def __init__(self, office, document, rng):
        self.office, self.document, self.rng = office, document, rng
        self.text = document.Text
        self.ids = [set(TOKEN.findall(p.String)) if p else None for p in paragraphs(document)]
        self.done = {}

    def chosen(self, *, least=1):
        """A paragraph with an id and some words, and its place."""
        now = paragraphs(self.document)
        if len(now) != len(self.ids):
            raise RuntimeError(f"{len(now)} paragraphs, expected {len(self.ids)}")
        fitting = [
            n
            for n, p in enumerate(now)
            if p is not None and self.ids[n] and len(visible(p.String).split()) >= least
        ]
        place = self.rng.choice(fitting)
        return now, place

    def body_start(self, paragraph):
        """Characters before the visible text: hidden token, and the audio link with its space."""
        match = re.match(r"(?:\[#c[0-9a-z]{12}\])?(?:\W*[\d:.,]+\s)?", paragraph.String)
        return match.end() if match else 0

    def cursor(self, paragraph, start, length):
        cursor = self.text.createTextCursorByRange(paragraph.Start)
        cursor.goRight(start, False)
        cursor.goRight(length, True)
        return cursor

    def some(self, count):
        return " ".join(self.rng.choice(WORDS) for _ in range(count))

    def word(self):
        now, place = self.chosen(least=4)
        paragraph = now[place]
        begin = self.body_start(paragraph)
        shown = TOKEN.sub(lambda hidden: "0" * len(hidden[0]), paragraph.String)
        spans = [m.span() for m in re.finditer(r"[^\W\d_]+", shown) if m.start() >= begin]
        if spans:
            start, end = self.rng.choice(spans)
            self.cursor(paragraph, start, end - start).setString(self.rng.choice(WORDS))

    def retype(self):
        """Select all of the paragraph, hidden things included, and type it anew."""
        now, place = self.chosen(least=4)
        text = visible(now[place].String).split()
        cursor = self.text.createTextCursorByRange(now[place].Start)
        cursor.gotoEndOfParagraph(True)
        cursor.setString(" ".join(text[2:]) + " " + self.some(2))

    def split(self):
        now, place = self.chosen(least=10)
        paragraph = now[place]
        begin = self.body_start(paragraph)
        gaps = [m.start() for m in re.finditer(r"(?<=\w) (?=\w)", paragraph.String) if m.start() > begin + 15]
        if gaps:
            cursor = self.cursor(paragraph, self.rng.choice(gaps), 1)
            cursor.setString("")
            self.text.insertControlCharacter(cursor, PARAGRAPH_BREAK, False)
            self.ids.insert(place + 1, set(self.ids[place]))

    def join(self):
        now, place = self.chosen(least=3)
        if place + 1 < len(now) and now[place + 1] is not None and self.ids[place + 1]:
            cursor = self.text.createTextCursorByRange(now[place].End)
            cursor.goRight(1, True)
            cursor.setString(" ")
            self.ids[place] = self.ids[place] | self.ids.pop(place + 1)

    def enter_new(self):
        now, place = self.chosen()
        cursor = self.text.createTextCursorByRange(now[place].End)
        self.text.insertControlCharacter(cursor, PARAGRAPH_BREAK, False)
        self.text.insertString(cursor, "Nuevo: " + self.some(9), False)
        self.ids.insert(place + 1, set())

    def delete(self):
        now, place = self.chosen()
        if place + 1 < len(now) and now[place + 1] is not None:
            self._whole(now, place).setString("")
            self.ids.pop(place)

    def move(self):
        self._carry(cut=True)

    def copy(self):
        self._carry(cut=False)

    def _whole(self, now, place):
        cursor = self.text.createTextCursorByRange(now[place].Start)
        cursor.gotoEndOfParagraph(True)
        cursor.goRight(1, True)
        return cursor

    def _carry(self, *, cut):
        """Select a paragraph with its mark, cut or copy it, and paste it at the start of another."""
        now, place = self.chosen(least=3)
        if place + 1 >= len(now) or now[place + 1] is None:
            return
        controller = self.document.CurrentController
        selection = self._whole(now, place)
        controller.select(selection)
        carried = controller.getTransferable()
        ids = set(self.ids[place])
        if cut:
            selection.setString("")
            self.ids.pop(place)
        now, target = self.chosen()
        controller.ViewCursor.gotoRange(now[target].Start, False)
        controller.insertTransferable(carried)
        self.ids.insert(target, ids)

    def edit(self, count):
        acts = [self.word] * 8 + [self.move] * 3 + [self.retype, self.split, self.join] * 2
        acts += [self.enter_new] * 2 + [self.delete, self.copy]
        for _ in range(count):
            act = self.rng.choice(acts)
            act()
            self.done[act.__name__] = self.done.get(act.__name__, 0) + 1

    def truth(self):
        rows = []
        for paragraph, ids in zip(paragraphs(self.document), self.ids, strict=True):
            if paragraph is not None and visible(paragraph.String).strip():
                rows.append({"text": visible(paragraph.String), "ids": sorted(ids)})
        return {"paragraphs": rows, "edits": self.done}


def write_everywhere(document, rng):
    """Text in body, list, nested tables, notes, frames, header, footer, link, section; what was written."""
    text = document.Text
    cursor = text.createTextCursor()
    written = []

    def words(label):
        made = f"{label} " + " ".join(f"{rng.choice(WORDS)}{rng.randrange(10_000)}" for _ in range(8))
        written.append(made)
        return made

    def line(label):
        text.insertString(cursor, words(label), False)
        text.insertControlCharacter(cursor, PARAGRAPH_BREAK, False)

    def create(service):
        return document.createInstance(f"com.sun.star.text.{service}")

    styles = document.StyleFamilies.getByName("PageStyles").getByName("Standard")
    for side in ("Header", "Footer"):
        setattr(styles, f"{side}IsOn", True)
        getattr(styles, f"{side}Text").setString(words(side))
    for n in range(6):
        line(f"cuerpo{n}")
    cursor.ParaStyleName = "Heading 1"
    line("título")
    cursor.ParaStyleName = "List 1"
    line("lista")
    cursor.ParaStyleName = "Standard"
    table = create("TextTable")
    table.initialize(3, 2)
    text.insertTextContent(cursor, table, False)
    for name in table.CellNames:
        table.getCellByName(name).setString(words(f"celda{name}"))
    inner = create("TextTable")
    inner.initialize(1, 2)
    cell = table.getCellByName("B3")
    cell.insertTextContent(cell.createTextCursor(), inner, False)
    for name in inner.CellNames:
        inner.getCellByName(name).setString(words(f"dentro{name}"))
    for service in ("Footnote", "Endnote"):
        line(f"antes{service}")
        note = create(service)
        text.insertTextContent(cursor, note, False)
        note.setString(words(service))
        line("tras la nota")
    frame = create("TextFrame")
    frame.AnchorType = AS_CHARACTER
    frame.Width = 9000
    text.insertTextContent(cursor, frame, False)
    frame.setString(words("marco"))
    line("tras el marco")
    box = document.createInstance("com.sun.star.drawing.TextShape")
    box.Size = uno.createUnoStruct("com.sun.star.awt.Size")
    box.Size.Width, box.Size.Height = 9000, 2000
    box.AnchorType = AS_CHARACTER
    text.insertTextContent(cursor, box, False)
    box.setString(words("cuadro"))
    line("tras el cuadro")
    text.insertString(cursor, "véase ", False)
    link = text.createTextCursorByRange(cursor)
    text.insertString(link, words("enlace"), True)
    link.HyperLinkURL = "https://ayuntamiento.example/pleno"
    cursor.gotoEnd(False)
    text.insertControlCharacter(cursor, PARAGRAPH_BREAK, False)
    cursor.HyperLinkURL = ""
    section = create("TextSection")
    text.insertTextContent(cursor, section, False)
    cursor.gotoRange(section.Anchor.Start, False)
    text.insertString(cursor, words("sección"), False)
    cursor.gotoEnd(False)
    for service, key in (("Input", "Content"), ("Annotation", "Content")):
        text.insertString(cursor, words(f"antes{service}") + " ", False)
        field = document.createInstance(f"com.sun.star.text.textfield.{service}")
        setattr(field, key, words(service))
        text.insertTextContent(cursor, field, False)
        text.insertControlCharacter(cursor, PARAGRAPH_BREAK, False)
    text.insertString(cursor, words("control"), False)
    inside = text.createTextCursorByRange(cursor)
    inside.goLeft(len(written[-1]), True)
    control = document.createInstance("com.sun.star.text.ContentControl")
    text.insertTextContent(inside, control, True)
    cursor.gotoEnd(False)
    text.insertControlCharacter(cursor, PARAGRAPH_BREAK, False)
    styles.FirstIsShared = False
    styles.HeaderTextFirst.setString(words("primera"))
    line("columnas\tcon tabulador y\u00a0duro")
    line("guion\u2011duro y suave")
    return written


def main():
    kind = sys.argv[1]
    with Office() as office:
        if kind == "make":
            document = office.open(None)
            say(write_everywhere(document, random.Random(int(sys.argv[3]))))
            office.save(document, sys.argv[2])
            document.close(True)
            return
        if kind == "compare":
            document = office.open(sys.argv[3])
            start = time.perf_counter()
            url = uno.systemPathToFileUrl(os.path.abspath(sys.argv[2]))
            office.dispatch(
                document, ".uno:CompareDocuments", setting("URL", url), setting("NoAcceptDialog", True)
            )
            say({"seconds": time.perf_counter() - start})
            office.save(document, sys.argv[4])
            document.close(True)
            return
        source, target, seed, edits = sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
        document = office.open(source)
        clerk = Clerk(office, document, random.Random(seed))
        if kind == "edit":
            clerk.edit(edits)
            say(clerk.truth())
            office.save(document, target)
        else:
            document.RecordChanges = True
            for _ in range(edits):
                clerk.rng.choice([clerk.word, clerk.word, clerk.retype])()
            office.save(document, target)
            office.dispatch(document, ".uno:AcceptAllTrackedChanges")
            office.save(document, target.removesuffix(".docx") + ".accepted.docx")
            say({})
        document.close(True)


if __name__ == "__main__":
    main()
