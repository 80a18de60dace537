"""Probabilities that can be trusted: logits divided by a temperature, and biases, fitted on reads not trained on.

A loss that weighs rare classes more gives them too much probability: that is an offset of their logits, which no
temperature can take back. So each class but the first has a bias too.

Source:
    Guo et al. 2017, arXiv:1706.04599, and for two classes Platt 1999, Probabilistic outputs for support
    vector machines.
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

MOST_BIAS = 20.0


def scaled(logits_CT: NDArray[np.float32], temperature: float, bias: Sequence[float]) -> NDArray[np.float32]:
    """Logits over the temperature, and each class's bias added, shape ``(C, T)``; no bias: nothing is added."""
    if temperature == 1 and not any(bias):
        return logits_CT
    out_CT = logits_CT / np.float32(temperature)
    return out_CT + np.array(bias, np.float32)[:, None] if bias else out_CT


def softmax(logits_CT: NDArray[F]) -> NDArray[F]:
    """Probabilities over classes, same shape. On whole reads, so that rounding does not depend on the chunks."""
    exponential = np.exp(logits_CT - logits_CT.max(0))
    return np.asarray(exponential / exponential.sum(0), logits_CT.dtype)


def probabilities(logits_CT: NDArray[np.float32], temperature: float, bias: Sequence[float]) -> NDArray[np.float32]:
    """Calibrated probabilities over classes, same shape."""
    return softmax(scaled(logits_CT, temperature, bias))


def fit(log_p_CN: NDArray[np.float64], target_N: NDArray[np.int8]) -> tuple[float, tuple[float, ...]]:
    """Find the temperature and the biases that make the targets likeliest.

    Args:
        log_p_CN: Logits, or logarithms of uncalibrated probabilities, shape ``(C, N)``.
        target_N: True classes, none of them ``IGNORE``, shape ``(N,)``.

    Returns:
        ``(temperature, bias)``, a bias for each class: 0 for the first that is true somewhere, and for those that never
        are, of which nothing can be learnt. The likelihood is concave in 1/temperature and biases, so Newton's steps,
        halved where they overshoot, find its maximum. ``(1, ())`` if fewer than two classes are true.
    """
    there = np.unique(target_N)
    if len(there) < 2:
        return 1.0, ()
    free = there[1:]
    x = np.append(1.0, np.zeros(len(free)))
    low, high = np.full_like(x, -MOST_BIAS), np.full_like(x, MOST_BIAS)
    low[0], high[0] = 1 / HOTTEST, 1 / COOLEST
    loss, step = _newton(x, free, log_p_CN, target_N)
    for _ in range(STEPS):
        while True:
            moved = np.clip(x - step, low, high)
            new_loss, new_step = _newton(moved, free, log_p_CN, target_N)
            if new_loss <= loss or np.abs(step).max() < 1e-7:
                break
            step = step / 2
        if loss - new_loss < 1e-9:
            break
        x, loss, step = moved, new_loss, new_step
    bias = np.zeros(len(log_p_CN))
    bias[free] = x[1:]
    return 1 / float(x[0]), tuple(bias.tolist())


def _newton(
    x: NDArray[np.float64], free: NDArray[np.int8], log_p_CN: NDArray[np.float64], target_N: NDArray[np.int8]
) -> tuple[float, NDArray[np.float64]]:
    """Mean negative log-likelihood at ``x``, which is 1/temperature and the biases of ``free``; Newton's step there."""
    n = len(target_N)
    at_target = (target_N, np.arange(n))
    logits_CN = x[0] * log_p_CN
    logits_CN[free] += x[1:, None]
    p_CN = softmax(logits_CN)
    loss = -float(np.log(np.maximum(p_CN[at_target], np.finfo(p_CN.dtype).tiny)).mean())
    mean_N = (p_CN * log_p_CN).sum(0)
    free_p, around = p_CN[free], log_p_CN[free] - mean_N
    gradient = np.append((mean_N - log_p_CN[at_target]).mean(), (free_p - (target_N == free[:, None])).mean(1))
    curvature = np.empty((len(x), len(x)))
    curvature[0, 0] = (p_CN * np.square(log_p_CN - mean_N)).sum(0).mean()
    curvature[0, 1:] = curvature[1:, 0] = (free_p * around).mean(1)
    curvature[1:, 1:] = np.diag(free_p.mean(1)) - free_p @ free_p.T / n
    return loss, np.linalg.solve(curvature + 1e-12 * np.eye(len(x)), gradient)
