"""A base's own chat template: how a prompt is rendered, and on which tokens an answer ends.

Templates differ in what they do besides putting marks around a text. Thinking is switched off; a clock is
stopped, or the same corpus would give another prompt tomorrow; whether the instruction survives is tried out.
The end of a turn is what the template puts behind an answer, which need not be the tokenizer's ``eos_token``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from trainer.errors import BadBase

log = logging.getLogger("trainer")
_DATE = "2024-07-26"
_STOPPED_CLOCK = "{%- macro strftime_now(format) -%}" + _DATE + "{%- endmacro %}"
_THINK = ("<think>", "</think>")
_SYSTEM, _USER, _ANSWER = "Instrucción-7391.", "Texto-2846.", "Respuesta-5172."


# what templates ask for by name; one that does not know a name ignores it
_SETTINGS: Mapping[str, Any] = {
    "enable_thinking": False, "thinking": False, "reasoning_effort": "low", "date_string": _DATE,
}  # fmt: skip


class Chat:
    """``system``: kept, dropped (the template ignores it) or refused (it goes before the text then)."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        # Settings hold plain values alone: the clock that templates call is replaced in the template itself.
        own: str = tokenizer.get_chat_template()
        self.template = _STOPPED_CLOCK + own if "strftime_now" in own else own
        self.system = self._try_system()
        if self.system == "dropped":
            log.info("the chat template drops the system message: the instruction is not in the prompt")

    def render(self, instruction: str, text: str) -> str:
        """The prompt up to where the answer begins."""
        if self.system == "refused":
            return self._apply([{"role": "user", "content": f"{instruction}\n\n{text}"}])
        return self._apply([{"role": "system", "content": instruction}, {"role": "user", "content": text}])

    def turn_end(self) -> int | None:
        """The token that the template puts behind an answer; None when it puts none that is one token."""
        from jinja2 import TemplateError

        messages = [{"role": "user", "content": _USER}, {"role": "assistant", "content": _ANSWER}]
        try:
            rendered: str = self.tokenizer.apply_chat_template(
                messages, chat_template=self.template, tokenize=False, **_SETTINGS
            )
        except (TemplateError, TypeError, ValueError):
            return None
        _, found, tail = rendered.rpartition(_ANSWER)
        if not found or not tail.strip():
            return None
        tokens: list[int] = self.tokenizer(tail.lstrip(), add_special_tokens=False)["input_ids"]
        special = {*self.tokenizer.all_special_ids, *self.tokenizer.added_tokens_decoder}
        return tokens[0] if tokens and tokens[0] in special else None

    def _apply(self, messages: list[dict[str, str]]) -> str:
        rendered: str = self.tokenizer.apply_chat_template(
            messages, chat_template=self.template, tokenize=False, add_generation_prompt=True, **_SETTINGS
        )
        if rendered.rfind(_THINK[0]) > rendered.rfind(_THINK[1]):
            rendered = f"{rendered.rstrip()}\n\n{_THINK[1]}\n\n"  # it thinks whatever it is told: close it
        return rendered

    def _try_system(self) -> str:
        from jinja2 import TemplateError

        user = {"role": "user", "content": _USER}
        try:
            rendered = self._apply([{"role": "system", "content": _SYSTEM}, user])
        except (TemplateError, TypeError, ValueError) as error:
            try:
                rendered = self._apply([user])
            except (TemplateError, TypeError, ValueError):
                raise BadBase(f"the chat template of the tokenizer fails: {error}") from error
            if _USER not in rendered:
                raise BadBase("the chat template leaves the text out of the prompt") from error
            return "refused"
        if _USER not in rendered:
            raise BadBase("the chat template leaves the text out of the prompt")
        return "kept" if _SYSTEM in rendered else "dropped"
