"""What goes along with a training: its clock, its end, its progress, Ctrl-C."""

from collections.abc import Callable
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback, EarlyStopping, Timer

from poreconv.runtime.progress import Report
from poreconv.training.module import SCORE


class Clock(Timer):
    """The time limit. Of several processes the first one's clock counts, so that all do the same at each step."""

    def __init__(self, max_time: str) -> None:
        super().__init__(max_time, interval="step", verbose=False)

    def on_train_start(self, trainer: L.Trainer, pl_module: Any) -> None:
        """Go on from what was spent before."""
        super().on_train_start(trainer, pl_module)
        self._tell(trainer, pl_module)

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        """Tell how much is spent; `Stop` stops."""
        self._tell(trainer, pl_module)

    def _tell(self, trainer: L.Trainer, pl_module: Any) -> None:
        elapsed, remaining = self.time_elapsed(), self.time_remaining() or 0.0
        pl_module.spent = trainer.strategy.broadcast(elapsed / max(elapsed + remaining, 1e-9))


class Stop(EarlyStopping):
    """Stops when nothing gets better, and when steps or time are spent.

    Lightning's own `max_steps` would leave out the validation of the last steps.
    """

    def on_train_start(self, trainer: L.Trainer, pl_module: Any) -> None:
        """A run that was killed when it had stopped does not go on."""
        trainer.should_stop |= self.wait_count >= self.patience or pl_module.progress(trainer.global_step) >= 1

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        """Stop after the last step."""
        trainer.should_stop |= pl_module.progress(trainer.global_step) >= 1


class Watch(Callback):
    """Tells the progress bar how far the training is, and how good."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        """Share of the training, step, loss and score."""
        metrics = trainer.callback_metrics
        numbers = [f"{name} {float(metrics[key]):.4f}" for key, name in SHOWN.items() if key in metrics]
        self._report(pl_module.progress(trainer.global_step), f"step {trainer.global_step:,}  {'  '.join(numbers)}")


SHOWN = {"train_loss": "loss", SCORE: "validation"}


class BundleOnInterrupt(Callback):
    """Ctrl-C leaves a usable bundle; the checkpoints stay, so the same command goes on."""

    def __init__(self, write: Callable[[], None]) -> None:
        self._write = write

    def on_exception(self, trainer: L.Trainer, pl_module: Any, exception: BaseException) -> None:
        """Write what there is."""
        if isinstance(exception, KeyboardInterrupt) and trainer.is_global_zero:
            self._write()
