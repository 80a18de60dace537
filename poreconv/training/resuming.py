"""What a training run needs to be continued: the models that it began with, and checkpoints that are whole."""

import shutil
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from poreconv.config import TrainConfig
from poreconv.errors import ConfigError
from poreconv.models.shipped import find_bundle
from poreconv.runtime.files import sha256
from poreconv.runtime.records import from_json, to_plain
from poreconv.training.distributed import is_first

LAST, BEST = "last.ckpt", "best.ckpt"
"""Names of the checkpoints: of the last validation, and of the one with the best score."""

MODELS = ("start_from", "teacher")
"""Settings that name a model's file."""


def models_begun_with(config: TrainConfig) -> dict[str, str]:
    """Return the SHA-256 of each model's file that a training reads, by the setting that names it.

    Args:
        config: Of the training.

    Raises:
        BundleError: There is no such file.
    """
    named = {setting: getattr(config, setting) for setting in MODELS}
    return {setting: sha256([find_bundle(model)]) for setting, model in named.items() if model is not None}


def check_same(described: Path, plan: dict[str, Any], *, begun: bool) -> None:
    """Check that a folder holds no other training run.

    Args:
        described: What the training run in the folder is, ``run.json``.
        plan: What this one is.
        begun: Whether the folder has a bundle or checkpoints; then they must be this training run's.

    Raises:
        ConfigError: It holds another one.
    """
    remedy = "--overwrite replaces it, or choose another --out"
    try:
        before = from_json(described.read_bytes(), dict[str, Any], str(described))
    except FileNotFoundError:
        before = None
    except ConfigError as exc:
        raise ConfigError(f"{exc}: damaged; {remedy}") from exc
    if before is None and not begun:
        return
    now = to_plain(plan)
    if before is not None and before | {"models": {}} == now | {"models": {}}:
        models = before.get("models", {})
        if changed := [setting for setting in MODELS if models.get(setting) != now["models"].get(setting)]:
            raise ConfigError(
                f"{described.parent}: this training run began with another file as {changed[0]}, which was changed"
                f" since; put that file back, or {remedy}"
            )
    if before != now:
        raise ConfigError(f"{described.parent}: holds a training run with other stores or settings; {remedy}")


def checkpoint_to_resume(folder: Path) -> Path | None:
    """Return the checkpoint from which to go on; None: from the start.

    A checkpoint that a loss of power damaged counts as missing, with a warning. Without the best one the last is of no
    use: the bundle is made of the best.

    Args:
        folder: Of the checkpoints.
    """
    last, best = folder / LAST, folder / BEST
    damaged = [path for path in (last, best) if path.exists() and not _is_sound(path)]
    if not damaged:
        return last if last.exists() else None
    usable = best if best.exists() and best not in damaged else None
    if is_first():
        after = f"goes on after {BEST}" if usable else "starts anew"
        warnings.warn(f"{damaged[0]}: damaged; the training {after}", stacklevel=2)
    return usable


def forget_if_empty(out: Path, names: Iterable[str]) -> None:
    """Remove what a training run has written that was refused before its first checkpoint, so that another can follow.

    Args:
        out: Folder of the training run.
        names: What a training run writes there.
    """
    if any(path.suffix in {".ckpt", ".safetensors"} for path in out.rglob("*")):
        return
    for path in [out / name for name in names]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if out.is_dir() and not any(out.iterdir()):
        out.rmdir()


def _is_sound(checkpoint: Path) -> bool:
    try:
        with zipfile.ZipFile(checkpoint) as file:  # as torch writes it, with a checksum of each tensor
            return file.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False
