"""What users bring to a training besides a network: loss, transforms of windows, Lightning's callbacks and loggers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger
from numpy.typing import NDArray
from torch import Tensor, nn

from poreconv.config import require
from poreconv.errors import ConfigError
from poreconv.events.tasks.task import Task
from poreconv.runtime.registry import brought, called, errors_of, name_of, parameters_of, sent, source_of

# B batch, C classes, T samples

LossFunction = Callable[[Tensor, Tensor], Tensor]
"""Returns the mean loss, a scalar, of a network's outputs ``(B, C, T)`` float32 and targets ``(B, T)``: int64 classes,
-1 where nothing is known; of task `value` float32, NaN where nothing is known."""

Transform = Callable[..., tuple[NDArray[np.float32], NDArray[Any]]]
"""Changes a training window: ``(x, y) -> (x, y)``, normalised signal and targets, shape ``(T,)`` each, before and
after. One with a parameter ``rng`` is given a generator, the same for the same seed, step and window."""

WINDOW = 256
"""Samples of the window on which a loss is tried."""


@dataclass(frozen=True)
class Plugins:
    """What a user brings to a training, by name (``my.py:Mine``, ``package.module:Mine``) or as the object itself."""

    loss: str | LossFunction | type[nn.Module] | None = None
    """In place of the task's loss: a function or module, see `LossFunction`, of which a copy is used; or the class of
    such modules, which is called with ``n_classes=`` where it has that parameter."""
    transforms: Sequence[str | Transform] = ()
    """Applied to each training window in turn, after the augmentation that the settings ask for."""
    callbacks: Sequence[str | Callback | Callable[[], Callback]] = ()
    """Lightning's callbacks; a class, or a function without parameters, is called for each training."""
    loggers: Sequence[str | Logger | Callable[[], Logger]] = ()
    """Lightning's loggers, besides those of CSV files and of TensorBoard; made as callbacks are."""

    def __bool__(self) -> bool:
        """Return whether there is anything of the user's own."""
        return self.loss is not None or any((self.transforms, self.callbacks, self.loggers))

    def described(self) -> dict[str, Any]:
        """Return what decides on the trained weights, as JSON types: a resumed training must have the same."""
        loss = None if self.loss is None else [name_of(self.loss), source_of(self.loss)]
        return {"loss": loss, "transforms": [[name_of(each), source_of(each)] for each in self.transforms]}

    def make_loss(self, n_classes: int, task: Task) -> OwnLoss | None:
        """Make the loss, and try it on one window; None: that of the task.

        Args:
            n_classes: Number of the network's outputs.
            task: What is learnt.

        Raises:
            ConfigError: It cannot be made, or fails.
        """
        if self.loss is None:
            return None
        own, name = brought(self.loss, kind="loss"), name_of(self.loss)
        if inspect.isclass(own):
            with errors_of(name, "making it"):
                own = called(own, n_classes=n_classes)
        require(callable(own), f"loss {name}: a {type(own).__name__}; give a function, a module or its class")
        loss = OwnLoss(name, deepcopy(own) if isinstance(own, nn.Module) else own)
        loss.try_out(n_classes, task)
        return loss

    def make_transforms(self) -> Transforms:
        """Return the transforms as one."""
        return Transforms([name_of(each) for each in self.transforms], [*map(sent, self.transforms)])

    def make_callbacks(self) -> list[Callback]:
        """Return the callbacks.

        Raises:
            ConfigError: One cannot be made, or is no callback.
        """
        return [_made(each, Callback, "callback") for each in self.callbacks]

    def make_loggers(self) -> list[Logger]:
        """Return the loggers.

        Raises:
            ConfigError: One cannot be made, or is no logger.
        """
        return [_made(each, Logger, "logger") for each in self.loggers]


NO_PLUGINS = Plugins()
"""Nothing of the user's own."""


def _made(asked: Any, kind: Any, what: str) -> Any:
    made, name = brought(asked, kind=what), name_of(asked)
    if not isinstance(made, kind) and callable(made):
        with errors_of(name, "making it"):
            made = made()
    require(isinstance(made, kind), f"{what} {name}: a {type(made).__name__}; one of Lightning's {what}s is expected")
    return made


class OwnLoss(nn.Module):
    """A user's loss; part of the Lightning module, so that what a module learns or counts is in the checkpoints.

    Args:
        name: The name under which the user brought it.
        function: See `LossFunction`.
    """

    def __init__(self, name: str, function: LossFunction) -> None:
        super().__init__()
        self.name, self.function = name, function

    def forward(self, logits_BCT: Tensor, y_BT: Tensor) -> Tensor:
        """Return the loss.

        Args:
            logits_BCT: The network's outputs.
            y_BT: Targets.

        Raises:
            ConfigError: The user's code fails, or returns something else.
        """
        with errors_of(self.name, "computing the loss"):
            loss = self.function(logits_BCT.float(), y_BT)
        kind = type(loss).__name__
        require(isinstance(loss, Tensor), f"loss {self.name}: returned a {kind}; a tensor is expected")
        shape = tuple(loss.shape)
        require(shape == (), f"loss {self.name}: returned shape {shape}; the mean, a scalar, is expected")
        return loss

    def try_out(self, n_classes: int, task: Task) -> None:
        """Compute the loss and its gradient for a window of which a part is not known.

        Args:
            n_classes: Number of the network's outputs.
            task: What is learnt.

        Raises:
            ConfigError: Something fails, or the loss or its gradient is not finite.
        """
        rng = torch.Generator().manual_seed(0)
        numbers = np.issubdtype(task.dtype, np.floating)
        logits_BCT = torch.randn(2, n_classes, WINDOW, generator=rng, requires_grad=True)
        y_BT = torch.randint(n_classes, (2, WINDOW), generator=rng).to(torch.float32 if numbers else torch.int64)
        y_BT[:, : WINDOW // 4] = task.unknown
        try:
            loss = self(logits_BCT, y_BT)
            with errors_of(self.name, "computing the gradient of the loss"):
                loss.backward()
        except ConfigError as exc:
            raise ConfigError(f"{exc}; targets are {task.unknown:g} where nothing is known") from exc
        gradient = logits_BCT.grad
        finite = bool(loss.isfinite()) and gradient is not None and bool(gradient.isfinite().all())
        require(finite, f"loss {self.name}: is not finite where targets are {task.unknown:g}, which is not known")
        self.zero_grad()


class Transforms:
    """A user's transforms, in turn; in other processes, those that have a name are imported anew.

    Args:
        names: The names under which the user brought them.
        asked: Each by name, or itself.
    """

    def __init__(self, names: Sequence[str] = (), asked: Sequence[Any] = ()) -> None:
        self._names, self.asked = names, asked
        self._functions: list[Transform] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what is sent to other processes."""
        return vars(self) | {"_functions": None}

    def __call__(
        self, x_BT: NDArray[np.float32], y_BT: NDArray[Any], seed: Sequence[int], rows: Sequence[int]
    ) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Change windows.

        Args:
            x_BT: Normalised signal, shape ``(B, T)``.
            y_BT: Targets, shape ``(B, T)``.
            seed: Of the batch.
            rows: Number of each window in the whole batch.

        Returns:
            As given, changed.

        Raises:
            ConfigError: The user's code fails, or returns something else.
        """
        if not self.asked:
            return x_BT, y_BT
        if self._functions is None:
            self._functions = [brought(each, kind="transform") for each in self.asked]
        windows = [self._window(x_BT[i], y_BT[i], [*seed, row]) for i, row in enumerate(rows)]
        return np.stack([x_T for x_T, _ in windows]), np.stack([y_T for _, y_T in windows])

    def _window(
        self, x_T: NDArray[np.float32], y_T: NDArray[Any], seed: Sequence[int]
    ) -> tuple[NDArray[np.float32], NDArray[Any]]:
        rng = np.random.default_rng(seed)
        for name, function in zip(self._names, self._functions or (), strict=True):
            shape = x_T.shape
            with errors_of(name, "transforming a window"):
                made = function(x_T, y_T, rng=rng) if "rng" in parameters_of(function) else function(x_T, y_T)
                x_T, y_T = np.asarray(made[0], np.float32), np.asarray(made[1], y_T.dtype)
            require(
                x_T.shape == y_T.shape == shape,
                f"transform {name}: returned shapes {x_T.shape} and {y_T.shape}; signal and targets of {shape} are"
                " expected",
            )
        return x_T, y_T
