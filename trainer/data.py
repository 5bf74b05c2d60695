"""From JSONL lines to token sequences with the loss on the response only.

A line is ``{"instruction", "input", "output", "meta": {"example_id", "tenant_id", "document_id", ...}}``.
The prompt is rendered with the tokenizer's chat template; what the model must learn is the answer
and the end-of-sequence token after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from trainer.chat import Chat
from trainer.errors import BadBase, BadData

REPLAY_TENANT = "replay"
IGNORED = -100


@dataclass(frozen=True)
class Record:
    """One line of the file; ``line`` counts from 1."""

    line: int
    example_id: str
    document_id: str
    tenant_id: str
    instruction: str
    input: str
    output: str


@dataclass(frozen=True)
class Encoded:
    """``tokens[:prompt]`` is read, ``tokens[prompt:]`` (the answer and EOS) is learned.

    ``weights``: of each learned token in the loss; empty = all alike.
    """

    tokens: tuple[int, ...]
    prompt: int
    weights: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.tokens)


def read_records(file: Path, *, tenant_id: str, replay_allowed: bool = True) -> list[Record]:
    """Every line of ``file``, checked.

    Raises :class:`BadData` with the line number for a line that is not such an object, for an empty
    input or output, for another tenant's line, for an example id that comes twice, and for no line at all.
    """
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise BadData(f"cannot be read ({error.strerror})", file=str(file)) from error
    records: list[Record] = []
    seen: dict[str, int] = {}
    raw = raw.removeprefix(b"\xef\xbb\xbf")  # the mark that some editors put before UTF-8
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line.strip():
            continue
        record = _record(line, number, file.name)
        if record.tenant_id != tenant_id and not (replay_allowed and record.tenant_id == REPLAY_TENANT):
            raise BadData(
                f"belongs to tenant {record.tenant_id!r}, not to {tenant_id!r}", file=file.name, line=number
            )
        if record.example_id in seen:
            raise BadData(
                f"repeats the example of line {seen[record.example_id]}", file=file.name, line=number
            )
        seen[record.example_id] = number
        records.append(record)
    if not records:
        raise BadData("holds no example", file=file.name)
    return records


def _record(line: bytes, number: int, name: str) -> Record:
    def bad(message: str) -> BadData:
        return BadData(message, file=name, line=number)

    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise bad("is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise bad(f"is not JSON ({error.msg})") from error
    if not isinstance(value, dict) or not isinstance(value.get("meta"), dict):
        raise bad("must be an object with instruction, input, output and meta")
    texts = {key: value.get(key) for key in ("instruction", "input", "output")}
    ids = {key: value["meta"].get(key) for key in ("example_id", "document_id", "tenant_id")}
    for key, text in (texts | ids).items():
        if not isinstance(text, str):
            raise bad(f"{key} must be text")
        if not text.strip() and key != "instruction":
            raise bad(f"{key} is empty")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise bad(f"{key} holds half a character (a lone surrogate)")
    checked: dict[str, str] = texts | ids  # type: ignore[assignment]
    return Record(line=number, **checked)


def split_validation(records: Sequence[Record], share: float) -> tuple[list[Record], list[Record]]:
    """(train, validation) of the tenant's own records, decided by each id's hash and nothing else.

    Replay always trains: it must not make the validation loss look better than it is for the tenant.
    With 20 examples or more at least one validates; training always keeps most.
    """
    own = [r for r in records if r.tenant_id != REPLAY_TENANT]
    replay = [r for r in records if r.tenant_id == REPLAY_TENANT]
    if share <= 0 or len(own) < 20:
        return own + replay, []

    def place(record: Record) -> float:
        return int.from_bytes(hashlib.sha256(record.example_id.encode()).digest()[:8], "big") / 2**64

    validation = [r for r in own if place(r) < share]
    if not validation:
        validation = [min(own, key=place)]
    kept = {r.example_id for r in validation}
    return [r for r in own if r.example_id not in kept] + replay, validation


class Template:
    """Renders prompts and encodes examples for one tokenizer.

    Text that spells a special token (``<eos>``, say) is defused with a space, so that no example
    can end a prompt early or teach the model to stop.
    """

    def __init__(self, tokenizer: Any, generation: Any = None) -> None:
        """``generation``: the base's generation config, whose end tokens stop an answer as well."""
        self.tokenizer = tokenizer
        self.chat = Chat(tokenizer) if tokenizer.chat_template else None
        end = self.chat.turn_end() if self.chat else None
        named = getattr(generation, "eos_token_id", None)
        others = [named] if isinstance(named, int) else list(named or ())
        chosen = [t for t in (end, tokenizer.eos_token_id, *others) if t is not None]
        if not chosen:
            raise BadBase(
                "the tokenizer has no end-of-sequence token; set eos_token in tokenizer_config.json"
            )
        self.eos: int = chosen[0]
        self.stops: frozenset[int] = frozenset(chosen)
        self.pad: int = _padding(tokenizer, self.stops)
        self._special = sorted(t for t in tokenizer.all_special_tokens if len(t) > 1)

    def _defused(self, text: str) -> str:
        for token in self._special:
            if token in text:
                text = text.replace(token, token[0] + " " + token[1:])
        return text

    def prompt(self, instruction: str, text: str) -> str:
        """The rendered prompt, up to where the answer begins."""
        instruction, text = self._defused(instruction), self._defused(text)
        if self.chat is None:
            return f"{instruction}\n\nTexto transcrito: {text}\nTexto corregido: "
        return self.chat.render(instruction, text)

    def described(self) -> dict[str, str]:
        """What is worth knowing of it for whoever serves the adapter: the prompt, and how an answer ends."""
        return {
            "prompt": self.prompt("{instruction}", "{input}"),
            "system_message": self.chat.system if self.chat else "no template",
            "turn_end": str(self.tokenizer.convert_ids_to_tokens(self.eos)),
            # one value, as everything in a signed manifest is: ids are what a server stops at
            "stop_token_ids": " ".join(map(str, sorted(self.stops))),
        }

    def prompt_tokens(self, record: Record) -> list[int]:
        tokens: list[int] = self.tokenizer(
            self.prompt(record.instruction, record.input), add_special_tokens=not self.tokenizer.chat_template
        )["input_ids"]
        while tokens and tokens[-1] in self.stops:  # some tokenizers close every text
            tokens.pop()
        return tokens

    def encode(self, record: Record, *, changed_weight: float = 1.0) -> Encoded:
        """Prompt and answer tokenized apart: the prompt's tokens are a prefix at training as at use.

        ``changed_weight``: of the answer's tokens that the input does not have at that place.
        """
        prompt = self.prompt_tokens(record)
        answer: list[int] = self.tokenizer(self._defused(record.output), add_special_tokens=False)[
            "input_ids"
        ]
        tokens = (*prompt, *answer, self.eos)
        if changed_weight == 1:
            return Encoded(tokens, len(prompt))
        given = self.tokenizer(self._defused(record.input), add_special_tokens=False)["input_ids"]
        return Encoded(tokens, len(prompt), _weights(given, answer, changed_weight))

    def decode(self, tokens: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(tokens, skip_special_tokens=True)
        return text


def _weights(given: Sequence[int], answer: Sequence[int], changed: float) -> tuple[float, ...]:
    """1 for tokens copied from ``given``, ``changed`` for new ones and the one after what was left out."""
    weights = [1.0] * (len(answer) + 1)
    for tag, _, _, first, last in SequenceMatcher(None, given, answer, autojunk=False).get_opcodes():
        if tag != "equal":
            for at in range(first, max(last, first + 1)):
                weights[at] = changed
    return tuple(weights)


def _padding(tokenizer: Any, stops: frozenset[int]) -> int:
    """A token to fill gaps with that ends nothing: gaps are masked, but EOS there invites mistakes."""
    for candidate in (tokenizer.pad_token_id, tokenizer.unk_token_id, tokenizer.bos_token_id, 0):
        if candidate is not None and candidate not in stops:
            return int(candidate)
    return next(token for token in range(1, len(stops) + 2) if token not in stops)
