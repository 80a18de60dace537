"""Probabilities that can be trusted: logits without the loss's class weights, divided by a fitted temperature.

A loss that weighs rare classes more gives them too much probability: as much as adding the logarithm of its weight to
a class's logit. That is known, and is taken back; how sure the network is altogether is a number that reads which it
was not trained on must tell.

Source:
    Guo et al. 2017, arXiv:1706.04599, for the temperature; Menon et al. 2020, arXiv:2007.07314, for the weights; Platt
    1999, Probabilistic outputs for support vector machines, for few targets.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", np.float32, np.float64)

STEPS = 100
"""Most Newton steps; a handful is usual."""

COOLEST, HOTTEST = 0.05, 20.0
"""Temperatures between which the fit stays: a network that is always right would want 0."""


def taken_back(class_weights: Sequence[float]) -> tuple[float, ...]:
    """What to add to the logits of a network whose loss had these weights; 0 for classes that weighed nothing.

    Returns:
        One number per class, 0 for the first that weighed something.
    """
    weight = np.array(class_weights, np.float64)
    seen = weight > 0
    bias = np.zeros_like(weight)
    bias[seen] = np.log(weight[seen][0] / weight[seen])
    return tuple(round(one, 4) for one in bias.tolist())


def scaled(logits_CT: NDArray[F], temperature: float, bias: Sequence[float]) -> NDArray[F]:
    """Logits and each class's bias, over the temperature, shape ``(C, T)``; no bias: nothing is added."""
    added: NDArray[F] = logits_CT + np.array(bias or (0.0,), logits_CT.dtype)[:, None]
    np.divide(added, logits_CT.dtype.type(temperature), out=added)
    return added


def softmax(logits_CT: NDArray[F]) -> NDArray[F]:
    """Probabilities over classes, same shape. On whole reads, so that rounding does not depend on the chunks."""
    exponential: NDArray[F] = logits_CT - logits_CT.max(0)
    np.exp(exponential, out=exponential)  # in place: new memory costs as much as the arithmetic
    np.divide(exponential, exponential.sum(0), out=exponential)
    return exponential


def probabilities(logits_CT: NDArray[np.float32], temperature: float, bias: Sequence[float]) -> NDArray[np.float32]:
    """Calibrated probabilities over classes, same shape."""
    return softmax(scaled(logits_CT, temperature, bias))


def fit(logits_CN: NDArray[np.float64], target_N: NDArray[np.int8]) -> float:
    """Find the temperature that makes the targets likeliest.

    Args:
        logits_CN: Logits, or logarithms of probabilities, biases added, shape ``(C, N)``.
        target_N: True classes, none of them ``IGNORE``, shape ``(N,)``.

    Returns:
        The temperature. The likelihood is concave in its inverse, so Newton's steps, halved where they overshoot, find
        its maximum. 1 if fewer than two classes are true: then nothing can be learnt. Of few targets that are all right
        it is not learnt that nothing can go wrong: see `_aim`.
    """
    if len(np.unique(target_N)) < 2:
        return 1.0
    x, aim_N = 1.0, _aim(logits_CN, target_N)
    loss, step = _newton(x, logits_CN, aim_N)
    for _ in range(STEPS):
        while True:
            moved = float(np.clip(x - step, 1 / HOTTEST, 1 / COOLEST))
            new_loss, new_step = _newton(moved, logits_CN, aim_N)
            if new_loss <= loss or abs(step) < 1e-7:
                break
            step = step / 2
        if loss - new_loss < 1e-9:
            break
        x, loss, step = moved, new_loss, new_step
    return 1 / x


def _aim(logits_CN: NDArray[np.float64], target_N: NDArray[np.int8]) -> NDArray[np.float64]:
    """The logit that each sample is to have: its true class's, and some of the others', as Platt 1999 has it.

    Of ``n`` samples of a class, the share ``1 / (n + C)`` is given to each other class: of three right out of three,
    the next is wrong more often than never. It matters where whole reads are counted.
    """
    n_classes = len(logits_CN)
    doubt_N = (1 / (np.bincount(target_N, minlength=n_classes) + n_classes))[target_N]
    true_N = logits_CN[target_N, np.arange(len(target_N))]
    return np.asarray((1 - n_classes * doubt_N) * true_N + doubt_N * logits_CN.sum(0))


def _newton(x: float, logits_CN: NDArray[np.float64], aim_N: NDArray[np.float64]) -> tuple[float, float]:
    """Mean negative log-likelihood of logits times ``x``, and Newton's step from there."""
    p_CN = softmax(x * logits_CN)
    highest_N = x * logits_CN.max(0)
    loss = float((highest_N + np.log(np.exp(x * logits_CN - highest_N).sum(0)) - x * aim_N).mean())
    mean_N = (p_CN * logits_CN).sum(0)
    gradient = (mean_N - aim_N).mean()
    curvature = (p_CN * np.square(logits_CN - mean_N)).sum(0).mean()
    return loss, float(gradient / (curvature + 1e-12))
