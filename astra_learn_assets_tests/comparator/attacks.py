"""Files made to cost: each kind is a function of its size ``n`` and gives a draft and a final.

``python -m astra_learn_assets_tests.comparator.attacks KIND N`` compares one pair and prints what came of it,
processor seconds and the peak of memory in MB.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from astra_learn_assets.comparator.docx.chunk_ids import mint_chunk_id
from astra_learn_assets_tests.comparator.packages import hidden, p, package, part, t

Files = tuple[bytes, bytes]


def _id(n: int) -> str:
    return mint_chunk_id("d", n)


def _field(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def _start(n: int, chunk: int | None = None) -> str:
    return f'<w:bookmarkStart w:id="{n}" w:name="_astra_{_id(n if chunk is None else chunk)}"/>'


def _both(body: str, styles: str = "") -> Files:
    parts = {"styles.xml": ("styles", part("styles", styles))} if styles else None
    data = package(body, parts=parts)
    return data, data


def _words(n: int, seed: int, vocabulary: str = "palabra") -> list[str]:
    rng = random.Random(seed)
    return [f"{vocabulary}{rng.randrange(9000)}" for _ in range(n)]


def _vote(n: int, end: str = "") -> str:
    return f"El señor concejal número {n} vota a favor de la propuesta que se somete a votación ahora {end}"


def unclosed_fields(n: int) -> Files:
    return _both(p("".join(_field("begin") + _field("separate") + t("a") for _ in range(n))) + p("fin"))


def unclosed_fields_first(n: int) -> Files:
    return _both(p((_field("begin") + _field("separate")) * n + t("a") * n))


def unclosed_fields_by_paragraph(n: int) -> Files:
    return _both("".join(p(_field("begin") + _field("separate") + t(f"texto {i}")) for i in range(n)))


def deleted_fields(n: int) -> Files:
    return _both(p(f"<w:del>{_field('begin')}</w:del>{t('a')}" * n))


def long_instructions(n: int) -> Files:
    code = '<w:r><w:instrText>HYPERLINK  "</w:instrText></w:r>'
    return _both(p(_field("begin") + code * n + _field("separate") + t("a") + _field("end")))


def open_bookmarks(n: int) -> Files:
    return _both(p("".join(_start(i) + t("a") for i in range(n))))


def closed_bookmarks(n: int) -> Files:
    ends = "".join(f'<w:bookmarkEnd w:id="{i}"/>' for i in range(n))
    return _both(p("".join(_start(i) + t("a") for i in range(n)) + ends))


def bookmarks_over_paragraphs(n: int) -> Files:
    return _both("".join(_start(i) for i in range(n)) + "".join(p(f"texto {i}") for i in range(n)))


def one_bookmark_often(n: int) -> Files:
    return _both(p("".join(_start(i, 1) + t("a") for i in range(n))))


def styles_in_a_row(n: int) -> Files:
    return _both(p("a"), "".join(_style(i, i + 1) for i in range(n)))


def styles_in_a_circle(n: int) -> Files:
    return _both(p("a"), "".join(_style(i, (i + 1) % n) for i in range(n)))


def _style(n: int, above: int) -> str:
    return f'<w:style w:styleId="s{n}"><w:basedOn w:val="s{above}"/></w:style>'


def nested_controls(n: int) -> Files:
    depth = 20
    tags = [" ".join(_id(280 * k + i) for i in range(280)) for k in range(depth)]
    opening = "".join(f'<w:sdt><w:sdtPr><w:tag w:val="{tag}"/></w:sdtPr><w:sdtContent>' for tag in tags)
    return _both(opening + p("a") * n + "</w:sdtContent></w:sdt>" * depth)


def deleted_marks(n: int) -> Files:
    return _both(p(t("a"), "<w:rPr><w:del/></w:rPr>") * n + p("b"))


def ids_in_hidden_text(n: int) -> Files:
    return _both(p("".join(hidden(f"{_id(i)} ") for i in range(n)) + t("y")))


def brackets_in_hidden_text(n: int) -> Files:
    return _both(p(hidden("[( " * n + _id(1)) + t("y")))


def spaces_in_an_audio_mark(n: int) -> Files:
    return _both(p(t("[audio" + " " * n + "x") + t("[audio : " * n)))


def all_ids_on_one(n: int) -> Files:
    ids = "".join(f"[#{_id(i)}]" for i in range(n))
    draft = "".join(p(hidden(f"[#{_id(i)}]") + t(f"texto {i} uno dos")) for i in range(n))
    return package(draft), package(p(hidden(ids) + t("todo")) + p(hidden(ids) + t("nada")))


def one_id_on_all(n: int) -> Files:
    final = "".join(
        p(hidden(f"[#{_id(1)}]") + t(f"texto número {i} de la sesión {i * 7 % 13}")) for i in range(n)
    )
    draft = p(hidden(f"[#{_id(1)}]") + t("texto de la sesión")) + "".join(p(f"otro {i}") for i in range(n))
    return package(draft), package(final)


def long_paragraph(n: int) -> Files:
    words = _words(n, 1)
    changed = [word if k % 9 else "otra" for k, word in enumerate(words)]
    return package(p(" ".join(words))), package(p(" ".join(changed)))


def every_other_word(n: int) -> Files:
    words = [f"w{i}" for i in range(n)]
    return package(p(" ".join(words))), package(
        p(" ".join(w if i % 2 else f"z{w}" for i, w in enumerate(words)))
    )


def long_word(n: int) -> Files:
    rest = " ".join(_words(40, 1))
    return package(p(f"Doña {'Pérez' * n} {rest}")), package(p(f"Doña {'Gómez' * n} {rest}"))


def row_of_cells(n: int) -> Files:
    rng = random.Random(3)
    return package(_row([str(i % 100) for i in range(n)])), package(
        _row([str(rng.randrange(100)) for _ in range(n)])
    )


def row_of_alike_cells(n: int) -> Files:
    rng = random.Random(3)
    final = [f"celda número {rng.randrange(n)} x" for _ in range(n)]
    return package(_row([f"celda número {i}" for i in range(n)])), package(_row(final))


def _row(cells: list[str]) -> str:
    return f"<w:tbl><w:tr>{''.join(f'<w:tc>{p(cell)}</w:tc>' for cell in cells)}</w:tr></w:tbl>"


def alike_paragraphs(n: int) -> Files:
    return package("".join(p(_vote(i, "a")) for i in range(n))), package(
        "".join(p(_vote(i + 3, "b")) for i in range(n + 1))
    )


def alike_paragraphs_shuffled(n: int) -> Files:
    order = random.Random(5).sample(range(n), n)
    return package("".join(p(_vote(i, "a")) for i in range(n))), package(
        "".join(p(_vote(i, "b")) for i in order)
    )


def repeated_paragraphs_shuffled(n: int) -> Files:
    order = random.Random(5).sample(range(n), n)
    return package("".join(p(_vote(i % 100)) for i in range(n))), package(
        "".join(p(_vote(i % 100)) for i in order)
    )


def one_paragraph_often(n: int) -> Files:
    return package(p(_vote(1)) * n), package((p(_vote(1)) + p(_vote(1, "x"))) * (n // 2 + 2))


def all_split(n: int) -> Files:
    rows = [_words(12, i) for i in range(n)]
    halves = "".join(p(" ".join(row[:6])) + p(" ".join(row[6:])) for row in rows)
    return package("".join(p(" ".join(row)) for row in rows)), package(halves)


def all_merged(n: int) -> Files:
    draft, final = all_split(n)
    return final, draft


def nothing_in_common(n: int) -> Files:
    return package("".join(p(" ".join(_words(25, i))) for i in range(n))), package(
        "".join(p(" ".join(_words(25, n + i))) for i in range(n))
    )


def mixture(n: int, seed: int) -> Files:
    """Paragraphs in which all kinds meet, ``n`` of them, drawn by ``seed``."""
    rng = random.Random(seed)
    few = rng.sample(range(8), 4)

    def piece(i: int) -> str:
        content = f"<w:sdtContent>{t('c')}</w:sdtContent>"
        return (
            _field("begin"),
            _field("begin") + _field("separate"),
            _start(i),
            _start(i, i % 7),
            hidden(f"[#{_id(i % 50)}]"),
            f"<w:del>{_field('begin')}{t('x')}</w:del>",
            f'<w:hyperlink w:anchor="t=1#t={i}">{t("00:01")}</w:hyperlink>',
            f'<w:sdt><w:sdtPr><w:tag w:val="{_id(i)}"/></w:sdtPr>{content}</w:sdt>',
        )[rng.choice(few)]

    def paragraph(i: int) -> str:
        mark = "<w:rPr><w:del/></w:rPr>" if rng.random() < 0.2 else ""
        return p(piece(2 * i) + t(_vote(rng.randrange(60))) + piece(2 * i + 1), mark)

    return package("".join(map(paragraph, range(n)))), package("".join(map(paragraph, range(n))))


ATTACKS: dict[str, tuple[Callable[[int], Files], int]] = {
    make.__name__: (make, n)
    for make, n in (
        (unclosed_fields, 60_000),
        (unclosed_fields_first, 20_000),
        (unclosed_fields_by_paragraph, 10_000),
        (deleted_fields, 20_000),
        (long_instructions, 40_000),
        (open_bookmarks, 10_000),
        (closed_bookmarks, 10_000),
        (bookmarks_over_paragraphs, 8_000),
        (one_bookmark_often, 20_000),
        (styles_in_a_row, 20_000),
        (styles_in_a_circle, 20_000),
        (nested_controls, 10_000),
        (deleted_marks, 20_000),
        (ids_in_hidden_text, 10_000),
        (brackets_in_hidden_text, 100_000),
        (spaces_in_an_audio_mark, 20_000),
        (all_ids_on_one, 8_000),
        (one_id_on_all, 5_000),
        (long_paragraph, 20_000),
        (every_other_word, 20_000),
        (long_word, 1_900),
        (row_of_cells, 15_000),
        (row_of_alike_cells, 20_000),
        (alike_paragraphs, 10_000),
        (alike_paragraphs_shuffled, 10_000),
        (repeated_paragraphs_shuffled, 10_000),
        (one_paragraph_often, 10_000),
        (all_split, 5_000),
        (all_merged, 5_000),
        (nothing_in_common, 16_000),
    )
}
"""Kind -> its maker, and a size that costs something."""


def main() -> None:
    from astra_learn_assets.comparator.engine import compare
    from astra_learn_assets.errors import UploadRefused

    kind, n = sys.argv[1], int(sys.argv[2])
    draft, final = ATTACKS[kind][0](n)
    start = time.process_time()
    try:
        compare(draft, final, generated_id="g", final_id="f")
        result = "compared"
    except UploadRefused as error:
        result = error.reason
    seconds = time.process_time() - start
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    sys.stdout.write(f"{result} {seconds:.2f} {int(peak[1]) // 1024 if peak else 0}\n")


if __name__ == "__main__":
    main()
