"""Probabilities that can be trusted: logits divided by a temperature, and a bias, both fitted on reads not trained on.

A loss that weighs rare classes more gives them too much probability: that is an offset of their logit, which no
temperature can take back. So the one class of task `boundary` has a bias too (Platt scaling); other tasks have a
temperature alone.

Source:
    Guo et al. 2017, arXiv:1706.04599; Platt 1999, Probabilistic outputs for support vector machines.
"""

import numpy as np
from numpy.typing import NDArray

from poreconv.config import BOUNDARY

STEPS = 100
"""Most Newton steps; a handful is usual."""

COOLEST, HOTTEST = 0.05, 20.0
"""Temperatures between which the fit stays: a network that is always right would want 0."""

MOST_BIAS = 20.0


def scaled(logits_CT: NDArray[np.float32], temperature: float, bias: float) -> NDArray[np.float32]:
    """Logits over the temperature, and the bias added to those of a boundary; shape ``(C, T)``."""
    if (temperature, bias) == (1.0, 0.0):
        return logits_CT
    out_CT = logits_CT / np.float32(temperature)
    out_CT[BOUNDARY] += np.float32(bias)
    return out_CT


def softmax(logits_CT: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities over classes, same shape. On whole reads, so that rounding does not depend on the chunks."""
    exponential = np.exp(logits_CT - logits_CT.max(0))
    return np.asarray(exponential / exponential.sum(0), np.float32)


def probabilities(logits_CT: NDArray[np.float32], temperature: float, bias: float) -> NDArray[np.float32]:
    """Calibrated probabilities over classes, same shape."""
    return softmax(scaled(logits_CT, temperature, bias))


def fit(log_p_CN: NDArray[np.float64], target_N: NDArray[np.int8], *, biased: bool) -> tuple[float, float]:
    """Find the temperature, and the bias if asked for, that make the targets likeliest.

    Args:
        log_p_CN: Logits, or logarithms of uncalibrated probabilities, shape ``(C, N)``.
        target_N: True classes, none of them ``IGNORE``, shape ``(N,)``.
        biased: Whether a boundary's logit has a bias.

    Returns:
        ``(temperature, bias)``. The likelihood is concave in 1/temperature and bias, so Newton's steps, halved where
        they overshoot, find its maximum. ``(1, 0)`` if only one class is true: then nothing can be learnt.
    """
    if len(np.unique(target_N)) < 2:
        return 1.0, 0.0
    slopes = [log_p_CN, np.zeros_like(log_p_CN)]
    slopes[1][BOUNDARY] = 1
    features = np.stack(slopes[: 1 + biased])
    x = np.array([1.0, 0.0])[: 1 + biased]
    low, high = np.array([1 / HOTTEST, -MOST_BIAS])[: len(x)], np.array([1 / COOLEST, MOST_BIAS])[: len(x)]
    loss, step = _newton(x, features, target_N)
    for _ in range(STEPS):
        while True:
            moved = np.clip(x - step, low, high)
            new_loss, new_step = _newton(moved, features, target_N)
            if new_loss <= loss or np.abs(step).max() < 1e-7:
                break
            step = step / 2
        if loss - new_loss < 1e-9:
            break
        x, loss, step = moved, new_loss, new_step
    return 1 / float(x[0]), float(x[1]) if biased else 0.0


def _newton(
    x: NDArray[np.float64], features: NDArray[np.float64], target_N: NDArray[np.int8]
) -> tuple[float, NDArray[np.float64]]:
    """Mean negative log-likelihood at ``x``, and Newton's step from there; features ``(len(x), C, N)``."""
    logits_CN = np.tensordot(x, features, 1)
    logits_CN -= logits_CN.max(0)
    p_CN = np.exp(logits_CN)
    total_N = p_CN.sum(0)
    p_CN /= total_N
    n = len(target_N)
    loss = float((np.log(total_N) - logits_CN[target_N, np.arange(n)]).mean())
    expected = (features * p_CN).sum(1)
    gradient = (expected - features[:, target_N, np.arange(n)]).sum(1) / n
    spread = features - expected[:, None]
    curvature = np.einsum("icn,jcn,cn->ij", spread, spread, p_CN, optimize=True) / n
    return loss, np.linalg.solve(curvature + 1e-12 * np.eye(len(x)), gradient)
