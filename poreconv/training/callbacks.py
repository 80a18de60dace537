"""Callbacks of a training: time limit, stopping, progress, Ctrl-C."""

import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, Timer

from poreconv.errors import ConfigError
from poreconv.runtime.progress import Progress
from poreconv.training.module import SCORE


class Clock(Timer):
    """The time limit. Of several processes the first one's clock counts, so that all do the same at each step.

    Args:
        limit: The time after which training ends.
    """

    def __init__(self, limit: timedelta) -> None:
        super().__init__(limit, interval="step", verbose=False)

    def on_train_start(self, trainer: L.Trainer, pl_module: Any) -> None:
        """Continue from the time that was spent before the training run was resumed.

        Args:
            trainer: Lightning's trainer.
            pl_module: The `SampleModule` that is trained.
        """
        super().on_train_start(trainer, pl_module)
        self._share_with(trainer, pl_module)

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        """Update the share of the time limit that is spent; `Stop` acts on it.

        Args:
            trainer: Lightning's trainer.
            pl_module: The `SampleModule` that is trained.
        """
        self._share_with(trainer, pl_module)

    def _share_with(self, trainer: L.Trainer, pl_module: Any) -> None:
        elapsed, remaining = self.time_elapsed(), self.time_remaining() or 0.0
        pl_module.spent = trainer.strategy.broadcast(elapsed / max(elapsed + remaining, 1e-9))


class Stop(EarlyStopping):
    """Stops when the score no longer improves, and when the steps or the time are spent.

    Lightning's own `max_steps` would skip the validation of the last steps.
    """

    def on_train_start(self, trainer: L.Trainer, pl_module: Any) -> None:
        """Keep a training run stopped that was killed after it had stopped.

        Args:
            trainer: Lightning's trainer.
            pl_module: The `SampleModule` that is trained.
        """
        trainer.should_stop |= self.wait_count >= self.patience or pl_module.progress(trainer.global_step) >= 1

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        """Stop after the last step.

        Args:
            trainer: Lightning's trainer.
            pl_module: The `SampleModule` that is trained.
        """
        trainer.should_stop |= pl_module.progress(trainer.global_step) >= 1


class RefuseNotFinite(Callback):
    """Ends a training whose weights have become NaN or infinite, before they are judged or saved: they stay so."""

    def on_validation_start(self, trainer: L.Trainer, pl_module: Any) -> None:
        """Check the weights.

        Args:
            trainer: Lightning's trainer.
            pl_module: The `SampleModule` that is trained.

        Raises:
            ConfigError: One is not finite.
        """
        if not all(torch.isfinite(weight).all() for weight in pl_module.network.state_dict().values()):
            raise ConfigError(
                f"train: the weights are no longer finite after step {trainer.global_step:,}; train anew (--overwrite)"
                " with a lower learning_rate"
            )


class ReportProgress(Callback):
    """Reports how far the training is, with loss and score.

    Args:
        progress: Called after each step.
        max_steps: Steps of the training, if no time limit ends it before.
    """

    def __init__(self, progress: Progress, max_steps: int) -> None:
        self._progress, self._max_steps = progress, max_steps

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        """Report the share of the training that is done, the step, loss and score.

        Args:
            trainer: Lightning's trainer.
            pl_module: The `SampleModule` that is trained.
        """
        metrics = trainer.callback_metrics
        numbers = [f"{name} {float(metrics[key]):.4f}" for key, name in SHOWN.items() if key in metrics]
        steps = f"step {trainer.global_step:,} of {self._max_steps:,}"
        self._progress(pl_module.progress(trainer.global_step), ", ".join([steps, *numbers]))


SHOWN = {"train_loss": "loss", SCORE: "validation"}
"""Logged metrics in the progress -> their names there."""


class KeepHandler(Callback):
    """Keeps the handler of SIGTERM, if the program has one; Lightning's can wait for the other processes for ever."""

    def __init__(self) -> None:
        self._before = signal.getsignal(signal.SIGTERM)

    def on_train_start(self, trainer: L.Trainer, pl_module: Any) -> None:
        """Put it in the place of Lightning's.

        Args:
            trainer: Lightning's trainer.
            pl_module: The `SampleModule` that is trained.
        """
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and self._before not in {None, signal.SIG_DFL}:
            signal.signal(signal.SIGTERM, self._before)


class BundleOnInterrupt(Callback):
    """Writes a usable bundle on Ctrl-C; the checkpoints stay, so that the same command resumes the training run.

    Args:
        write: Writes the bundle.
    """

    def __init__(self, write: Callable[[], None]) -> None:
        self._write = write

    def on_exception(self, trainer: L.Trainer, pl_module: Any, exception: BaseException) -> None:
        """Write the bundle if the exception is Ctrl-C, in the first process.

        Args:
            trainer: Lightning's trainer.
            pl_module: The `SampleModule` that is trained.
            exception: What ended the training.
        """
        if isinstance(exception, KeyboardInterrupt) and trainer.is_global_zero:
            self._write()
