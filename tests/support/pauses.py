"""A callback that a test gives to ``train``, so that a signal meets a training that is under way."""

import signal
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

MARKS = "paused_*"
"""Names of the files in the run's folder, one for each process that waits or has waited."""

STEP = 24


class Pause(Callback):
    """Wait for a signal once, halfway, in each process."""

    def on_train_batch_end(self, trainer: Trainer, module: LightningModule, *_: Any) -> None:
        """Wait, unless this process of an earlier training of the same run did.

        Args:
            trainer: Lightning's.
            module: What learns.
        """
        mark = Path(trainer.default_root_dir) / MARKS.replace("*", str(trainer.global_rank))
        if trainer.global_step == STEP and not mark.exists():
            mark.touch()
            signal.pause()
