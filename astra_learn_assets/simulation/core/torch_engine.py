"""The model of the reference CORE: one base in memory, adapters beside it, one request after the other.

Adapters are loaded under their own immutable id from a private copy of the bytes that were checked, and the
least recently used go when there are more than ``keep``. Prompt and stop tokens are the adapter's own, from
its signed manifest: CORE and trainer cannot disagree about them. transformers and peft are imported when an
engine is made.
"""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from astra_learn_assets.datasets.instruct import INSTRUCTION
from astra_learn_assets.errors import AdapterRefused
from astra_learn_assets.serving.served_adapter import ServedAdapter

_ANSWER_FACTOR, _ANSWER_EXTRA = 1.5, 16  # as the trainer bounds its own answers


class TorchEngine:
    """``base``: folder of the base model; ``identity``: its name and revision as in an adapter's manifest."""

    def __init__(self, base: Path, identity: tuple[str, str | None], *, keep: int = 8) -> None:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer

        if not torch.cuda.is_available():
            # One token after the other: a second thread saves nothing and spins while it waits, which on
            # busy cores costs four times the processor's time of the answer itself.
            torch.set_num_threads(1)
        self._identity = identity
        self._keep = keep
        self._tokenizer: Any = AutoTokenizer.from_pretrained(base)
        model: Any = AutoModelForCausalLM.from_pretrained(base)
        self._base = model.eval()
        self._model: Any = None  # the base with adapters, once there is one
        self._names: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.RLock()
        self._with_adapters: Any = PeftModel
        self.answer(None, ".")  # what is loaded and compiled at first use is no session's wait

    def load(self, served: ServedAdapter) -> bool:
        """Have ``served`` in memory; True when it was not before.

        Raises:
            AdapterRefused: it is of another base, or its files changed since they were checked.
        """
        manifest = served.manifest
        if (manifest.base_model, manifest.base_revision) != self._identity:
            raise AdapterRefused(f"{served.adapter_id} is of {manifest.base_model}, not of this base model")
        with self._lock:
            if served.adapter_id in self._names:
                self._names.move_to_end(served.adapter_id)
                return False
            self._load(served)
            self._names[served.adapter_id] = None
            while len(self._names) > self._keep:
                oldest, _ = self._names.popitem(last=False)
                self._model.delete_adapter(oldest)
            return True

    def answer(self, served: ServedAdapter | None, text: str) -> str:
        """Greedy, as in the evaluation that let the adapter in."""
        import torch

        prompt, stops = self._prompt(served, text)
        # not inference_mode: an adapter that was loaded in it could not be selected later
        with self._lock, torch.no_grad():
            if served is not None:
                self.load(served)  # a long session may have outlived it here
            model = self._base
            if self._model is not None:
                model = self._model
                if served is not None:
                    self._model.set_adapter(served.adapter_id)
            given = self._tokenizer(prompt, add_special_tokens=False, return_tensors="pt")
            length = int(given["input_ids"].shape[1])
            settings: dict[str, Any] = {
                "input_ids": given["input_ids"],
                "attention_mask": given["attention_mask"],
                "max_new_tokens": int(_ANSWER_FACTOR * length) + _ANSWER_EXTRA,
                "do_sample": False,
                "eos_token_id": stops,
                "pad_token_id": stops[0],
            }
            if served is None and self._model is not None:
                with self._model.disable_adapter():
                    made = model.generate(**settings)
            else:
                made = model.generate(**settings)
        answer: str = self._tokenizer.decode(made[0, length:], skip_special_tokens=True)
        return answer

    def _prompt(self, served: ServedAdapter | None, text: str) -> tuple[str, list[int]]:
        for token in self._tokenizer.all_special_tokens:  # a text that spells one must not end the prompt
            if len(token) > 1:
                text = text.replace(token, f"{token[0]} {token[1:]}")
        if served is None:  # the base model says itself how it is asked
            asked = [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": text}]
            rendered: str = self._tokenizer.apply_chat_template(
                asked, tokenize=False, add_generation_prompt=True
            )
            return rendered, [int(self._tokenizer.eos_token_id)]
        return served.prompt(INSTRUCTION, text), list(served.stop_token_ids)

    def _load(self, served: ServedAdapter) -> None:
        with tempfile.TemporaryDirectory(prefix="astra-core-") as work:
            folder = served.copy_to(Path(work, "adapter"))
            if self._model is None:
                self._model = self._with_adapters.from_pretrained(
                    self._base, folder, adapter_name=served.adapter_id
                )
                self._model.eval()
            else:
                self._model.load_adapter(folder, adapter_name=served.adapter_id)
