"""``transformers.Trainer`` made to follow the recipe (:mod:`trainer.options`)."""

from __future__ import annotations

import json
import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

from trainer import checkpoint
from trainer.budget import Plan
from trainer.data import Encoded
from trainer.errors import NotFinite
from trainer.loss import label_losses, mean_loss, nll_by_example
from trainer.model import Placement
from trainer.options import Recipe
from trainer.packing import best_fit, collate
from trainer.pipes import Signals

if TYPE_CHECKING:
    from torch.utils.data import Sampler


LIGER = {
    "rope": True, "rms_norm": True, "swiglu": True,
    "cross_entropy": False, "fused_linear_cross_entropy": False,  # trainer.loss has its own
}  # fmt: skip


_SKIPS = 20  # halvings of the loss scale in a row: from 65,536 to a sixteenth


def liger_for(model: Any) -> dict[str, bool]:
    """Which of Liger's kernels ``model`` may get.

    Where PEFT has wrapped parameters (experts whose weights are one tensor), Liger would put the experts'
    new forward on the wrapper, which has none of their fields.
    """
    wrapped = any(type(module).__name__ == "ParamWrapper" for module in model.modules())
    return LIGER | ({"swiglu": False} if wrapped else {})


@dataclass(frozen=True)
class Checkpoints:
    """Where, of which training (:func:`trainer.checkpoint.identity`), and how many seconds apart."""

    folder: Path
    training: str
    seconds: float


class Packs:
    """The whole training as a list of packs in their order; one Trainer "epoch" runs through it once."""

    def __init__(
        self, packs: Sequence[Sequence[int]], examples: Sequence[Encoded], *, together: bool = True
    ) -> None:
        self.packs, self.examples, self.together = packs, examples, together

    def __len__(self) -> int:
        return len(self.packs)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return collate([self.examples[i] for i in self.packs[index]], alone=not self.together)


class Watch(TrainerCallback):  # type: ignore[misc]
    """Checks each step, writes the log, validates once an epoch, keeps the best adapter, stops early.

    The figures of a step are read one step later (:meth:`read`), and before anything is validated or saved.
    """

    def __init__(
        self,
        signals: Signals,
        log_file: Path,
        recipe: Recipe,
        accumulation: int,
        packs: Sequence[Sequence[int]],
        examples: Sequence[Encoded],
        validation: Sequence[Encoded],
        *,
        together: bool = True,
    ) -> None:
        self.signals, self.log_file, self.recipe = signals, log_file, recipe
        sizes = [sum(len(examples[i]) for i in pack) for pack in packs]
        self.step_tokens = [sum(sizes[i : i + accumulation]) for i in range(0, len(sizes), accumulation)]
        self.steps = len(self.step_tokens)
        times = max(1, round(recipe.epochs))
        self.validate_at = {round(self.steps * (i + 1) / times) for i in range(times)}
        capacity = max([recipe.pack_tokens // 4, *map(len, validation)])
        lengths = [len(e) for e in validation]
        parts = best_fit(lengths, capacity) if together else [[i] for i in range(len(lengths))]
        self.validation_packs = [collate([validation[i] for i in pack], alone=not together) for pack in parts]
        self.together = together
        self.validation: list[float] = []
        self.best: tuple[float, dict[str, Any]] | None = None
        self.entries: list[dict[str, Any]] = []
        self.tokens, self.seconds = 0, 0.0
        self.plan = Plan(recipe.pack_tokens)
        self.interrupted: str | None = None  # the signal's name; the step under way is finished first
        self.checkpoints: Checkpoints | None = None
        self.scaled, self.skipped = False, 0  # fp16: losses are scaled; steps left out in a row
        self.losses: list[Any] = []  # of the packs of the step under way, on the card
        self.gradient = torch.zeros(())  # its norm before the limit, likewise
        self._unread: deque[tuple[int, float, Any, Any]] = deque()
        self.began = self.reported = self.saved = time.monotonic()
        log_file.unlink(missing_ok=True)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it, for :meth:`restore`."""
        return {
            "validation": self.validation, "best": self.best, "entries": self.entries,
            "tokens": self.tokens, "seconds": self.seconds,
        }  # fmt: skip

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``, the log file included."""
        self.validation, self.entries = list(state["validation"]), list(state["entries"])
        self.best = tuple(state["best"]) if state["best"] else None
        self.tokens, self.seconds = state["tokens"], state["seconds"]
        self.log_file.write_text(
            "".join(json.dumps(entry) + "\n" for entry in self.entries), encoding="utf-8"
        )

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:  # noqa: ARG002
        self.losses.clear()
        if not self.validation:
            self._validate(model)
        self.reported = self.saved = time.monotonic()
        self.began = self.reported - self.seconds

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Keep the step's figures on the card until somebody has time to read them."""
        rate = float(kwargs["lr_scheduler"].get_last_lr()[0])
        figures = torch.stack([torch.stack(self.losses).sum(), self.gradient.to(torch.float32)])
        self.losses.clear()
        on_host = torch.empty(2, pin_memory=figures.is_cuda)
        on_host.copy_(figures, non_blocking=True)
        done = torch.cuda.current_stream().record_event() if figures.is_cuda else None
        self._unread.append((state.global_step + 1, rate, on_host, done))

    def read(self, *, but: int = 0) -> None:
        """Check and log the steps that are done, but the last ``but``.

        Reading the newest would have the card wait for its next step: what it reports is one step old.
        """
        while len(self._unread) > but:
            step, rate, figures, done = self._unread.popleft()
            if done is not None:
                done.synchronize()
            self._log(step, rate, *figures.tolist())

    def _log(self, step: int, rate: float, loss: float, gradient: float) -> None:
        norm: float | None = gradient
        if math.isfinite(loss) and math.isfinite(gradient):
            self.skipped = 0
        elif self.scaled and math.isfinite(loss) and self.skipped < _SKIPS:
            self.skipped, norm = self.skipped + 1, None  # the scaler leaves the step out and scales by less
        else:
            raise NotFinite(
                f"step {step}: loss {loss}, gradient norm {gradient}; "
                "lower --learning-rate or use --precision fp32"
            )
        self.tokens = sum(self.step_tokens[:step])
        self.seconds = time.monotonic() - self.began
        speed = self.tokens / max(1e-9, self.seconds)
        entry = {
            "step": step,
            "loss": loss,
            "learning_rate": rate,
            "gradient_norm": norm,
            "tokens_per_second": round(speed, 1),
        }
        self.entries.append(entry)
        left = sum(self.step_tokens[step:]) / max(1e-9, speed)
        told = {**entry, "steps": self.steps, "eta_seconds": round(left, 1)}
        with self.log_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")
        now = time.monotonic()
        if now - self.reported > 2 or step in (1, self.steps):
            self.reported = now
            self.signals.progress(told)

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> Any:  # noqa: ARG002
        if state.global_step in self.validate_at and self.validation_packs:
            self.read()
            self._validate(model)
            since_best = len(self.validation) - 1 - self.validation.index(min(self.validation))
            if self.recipe.patience and since_best >= self.recipe.patience:
                control.should_training_stop = True
        interrupted = self.interrupted is not None  # once: a signal may come between two looks
        if self.checkpoints is not None:
            due = time.monotonic() - self.saved > self.checkpoints.seconds
            control.should_save = due or interrupted
        if interrupted:
            control.should_training_stop = True
        last = control.should_training_stop or state.global_step == self.steps
        self.read(but=0 if control.should_save or last else 1)
        return control

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        if self.checkpoints is not None:
            folder = self.checkpoints.folder / f"checkpoint-{state.global_step}"
            checkpoint.seal(folder, self.checkpoints.training, self.state())
            self.saved = time.monotonic()

    def _validate(self, model: Any) -> None:
        """Mean loss on the validation examples; the first is that of the untouched base."""
        if not self.validation_packs:
            return
        training = model.training
        model.eval()
        self.validation.append(mean_loss(nll_by_example(model, self.validation_packs)))
        model.train(training)
        if self.validation[-1] <= min(self.validation):
            self.best = (
                self.validation[-1],
                {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad},
            )

    def finish(self, model: Any) -> None:
        """Go back to the best validation seen when the last is clearly worse (by more than 1 %)."""
        if not (self.best and self.validation[-1] > self.best[0] * 1.01 and len(self.validation) > 1):
            return
        if self.validation.index(min(self.validation)) == 0:
            return  # never better than the untouched base: leave it to the gates to say so
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name in self.best[1]:
                    parameter.copy_(self.best[1][name])
        self.validation.append(self.best[0])


class LoraTrainer(Trainer):  # type: ignore[misc]
    """Trainer with our loss, our learning rate and our order of packs."""

    warmup_share = 0.0
    watch: Watch | None = None

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:  # noqa: ARG002
        """The adapter alone; without save_embedding_layers=False PEFT asks the Hub about the base."""
        adapted: Any = self.model
        adapted.save_pretrained(output_dir, save_embedding_layers=False)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,  # noqa: ARG002 - the signature is Trainer's
        num_items_in_batch: Any = None,
    ) -> Any:
        losses, _ = label_losses(model, inputs)
        if "weights" in inputs:
            losses = losses * inputs["weights"]
        loss = losses.sum() / (num_items_in_batch if num_items_in_batch is not None else losses.numel())
        if self.watch is not None:
            self.watch.losses.append(loss.detach())
        return loss

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        """What the library limited, kept for the watch."""
        library: Any = super()
        norm = library._get_grad_norm(model, grad_norm=grad_norm)
        if self.watch is not None:
            self.watch.gradient = norm
        return norm

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Linear to zero. The library's own also starts at zero: one step alone would learn nothing."""
        from torch.optim.lr_scheduler import LambdaLR

        chosen: Any = optimizer if optimizer is not None else self.optimizer
        warmup = max(1, round(self.warmup_share * num_training_steps))

        def factor(step: int) -> float:
            return min(1.0, (step + 1) / warmup) * max(0.0, 1 - step / num_training_steps)

        self.lr_scheduler = LambdaLR(chosen, factor)
        return self.lr_scheduler

    def _get_train_sampler(self, *_: Any) -> Sampler[int]:
        from torch.utils.data import SequentialSampler

        packs: Any = self.train_dataset
        return SequentialSampler(packs)


def make_trainer(
    model: Any,
    packs: Sequence[Sequence[int]],
    examples: Sequence[Encoded],
    watch: Watch,
    recipe: Recipe,
    accumulation: int,
    placement: Placement,
    folder: Path,
) -> Any:
    """A Trainer that runs through ``packs`` once; ``folder`` takes its checkpoints, when there are any."""
    on_gpu = placement.device == "cuda"
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=1,
        gradient_accumulation_steps=accumulation,
        num_train_epochs=1,
        learning_rate=recipe.learning_rate,
        weight_decay=0.0,
        max_grad_norm=recipe.max_grad_norm,
        optim="adamw_torch_fused" if on_gpu else "adamw_torch",
        # The weights have the right type already: autocast would only add casts. fp16 needs its loss scaled.
        bf16=False,
        fp16=on_gpu and str(placement.dtype) == "torch.float16",
        use_cpu=not on_gpu,
        logging_strategy="no",  # it would ask the card for each step's loss; the watch does not wait
        logging_nan_inf_filter=False,
        save_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=on_gpu,
        seed=recipe.seed,
        data_seed=recipe.seed,
    )
    arguments._n_gpu = min(1, arguments.n_gpu)  # one card; a second one visible must not mean DataParallel
    trainer = LoraTrainer(
        model=model,
        args=arguments,
        train_dataset=Packs(packs, examples, together=watch.together),
        data_collator=lambda items: items[0],
        callbacks=[watch],
    )
    from transformers.trainer_callback import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    trainer.model_accepts_loss_kwargs = True  # so that it counts the labels of an accumulated step
    trainer.label_names = ["labels"]
    trainer.warmup_share = recipe.warmup_share
    trainer.watch = watch
    watch.scaled = arguments.fp16
    return trainer
