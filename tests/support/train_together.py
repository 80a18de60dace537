"""A program that trains, as a user would write one.

Tests call it, and start it; Lightning starts it again for each further process.

Usage: train_together.py OUT DEVICES STORE...
"""

import sys
from dataclasses import replace
from pathlib import Path

from poreconv.commands.train import train
from poreconv.config import AugmentConfig, TrainConfig
from poreconv.dataset.store import Store
from poreconv.models.architectures import Unet
from poreconv.training.run import TrainingRun

NETWORK = Unet(channels=(4, 6, 8), batch_norm=False)
CONFIG = TrainConfig(
    max_steps=48,
    batch_size=9,
    chunk_samples=300,
    learning_rate=0.005,
    validate_every=3,
    precision="32",
    accelerator="cpu",
    augment=AugmentConfig(noise=0.1, scale=0.05, shift=0.05, stretch=0.05),
)


def train_all(out: Path, devices: int, stores: list[Path]) -> None:
    """Train on each store, into a folder of its name; the first gets a report."""
    config = replace(CONFIG, devices=devices)
    for store in stores:
        first, out_here = store == stores[0], out / store.parent.name
        train(store, out=out_here, network="unet", settings=NETWORK, config=config, with_report=first)


def train_in_time(out: Path, devices: int, store: Path) -> None:
    """Train for two seconds; each process writes down the learning rates that it had."""
    config = replace(CONFIG, devices=devices, max_steps=10**6, max_time="00:00:00:02")
    run, rates = TrainingRun([Store(store)], out / "in_time", "unet", NETWORK, config), []

    def note(share: float, words: str) -> None:
        if words.startswith("step"):
            rates.append(str(run.module.lr_schedulers().get_last_lr()[0]))

    run.fit(note)
    (out / f"rates_{run.module.global_rank}.txt").write_text("\n".join(rates))


if __name__ == "__main__":
    folder, n, *rest = sys.argv[1:]
    train_all(Path(folder), int(n), [Path(path) for path in rest])
    train_in_time(Path(folder), int(n), Path(rest[0]))
