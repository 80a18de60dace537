"""Reliable probabilities: logits without the effect of the loss's class weights, divided by a fitted temperature.

A loss that weighs rare classes more makes them too probable: it adds the logarithm of a class's weight to its logit.
That is known, and is subtracted. How confident the network is overall is one number, the temperature, which is fitted
on reads that it was not trained on.

Source:
    Guo et al. 2017, arXiv:1706.04599, for the temperature; Menon et al. 2020, arXiv:2007.07314, for the weights; Platt
    1999, Probabilistic outputs for support vector machines, for few targets.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import BundleError

F = TypeVar("F", np.float32, np.float64)

STEPS = 100
"""Limit of Newton steps; a handful is usual."""

HALVINGS = 50
"""Limit of the halvings of a step, which is then too short to change the temperature."""

COOLEST, HOTTEST = 0.05, 20.0
"""Limits of the fitted temperature: that of a network which is always right would be 0."""


def unweighting_bias(class_weights: Sequence[float]) -> tuple[float, ...]:
    """Compute the biases that undo a loss's class weights when added to the network's logits.

    Args:
        class_weights: Weight of each class in the loss, shape ``(C,)``; 0 for a class that training had no sample of.

    Returns:
        One number per class, relative to the first class of non-zero weight; 0 for classes of weight 0.
    """
    weight = np.array(class_weights, np.float64)
    seen = weight > 0
    bias = np.zeros_like(weight)
    bias[seen] = np.log(weight[seen][0] / weight[seen])
    return tuple(round(number, 4) for number in bias.tolist())


def scaled(logits_CT: NDArray[F], temperature: float, bias: Sequence[float]) -> NDArray[F]:
    """Add each class's bias to the logits, and divide by the temperature.

    Args:
        logits_CT: Shape ``(C, T)``.
        temperature: Above 0.
        bias: One number per class; empty: nothing is added.

    Returns:
        Shape ``(C, T)``.
    """
    added: NDArray[F] = logits_CT + np.array(bias or (0.0,), logits_CT.dtype)[:, None]
    np.divide(added, logits_CT.dtype.type(temperature), out=added)
    return added


def softmax(logits_CT: NDArray[F]) -> NDArray[F]:
    """Turn logits into probabilities.

    It is applied to whole reads, so that rounding does not depend on the chunks.

    Args:
        logits_CT: Shape ``(C, T)``.

    Returns:
        Probabilities over classes, shape ``(C, T)``.
    """
    exponential: NDArray[F] = logits_CT - logits_CT.max(0)
    np.exp(exponential, out=exponential)  # in place: new memory costs as much as the arithmetic
    np.divide(exponential, exponential.sum(0), out=exponential)
    return exponential


def probabilities(logits_CT: NDArray[np.float32], temperature: float, bias: Sequence[float]) -> NDArray[np.float32]:
    """Turn logits into probabilities, with biases and temperature applied.

    Args:
        logits_CT: Shape ``(C, T)``.
        temperature: Above 0.
        bias: One number per class; empty: nothing is added.

    Returns:
        Probabilities over classes, shape ``(C, T)``.
    """
    return softmax(scaled(logits_CT, temperature, bias))


def fit(logits_CN: NDArray[np.float64], target_N: NDArray[np.int8]) -> float:
    """Find the temperature of maximum likelihood.

    The log-likelihood is concave in the inverse temperature, so Newton's steps, halved where they overshoot, find its
    maximum.

    Args:
        logits_CN: Logits, or logarithms of probabilities, biases added, shape ``(C, N)``.
        target_N: True classes, none of them ``IGNORE``, shape ``(N,)``.

    Returns:
        The temperature; 1 if fewer than two classes are among the targets. A few targets that the network has all right
        do not make it certain: see `_aim`.

    Raises:
        BundleError: A logit is not finite.
    """
    if not np.isfinite(logits_CN).all():
        raise BundleError("the network's scores are not finite; train it anew with a lower learning_rate")
    if len(np.unique(target_N)) < 2:
        return 1.0
    x, aim_N = 1.0, _aim(logits_CN, target_N)
    loss, step = _newton(x, logits_CN, aim_N)
    for _ in range(STEPS):
        for _ in range(HALVINGS):
            moved = float(np.clip(x - step, 1 / HOTTEST, 1 / COOLEST))
            new_loss, new_step = _newton(moved, logits_CN, aim_N)
            if new_loss <= loss:
                break
            step = step / 2
        if loss - new_loss < 1e-9:
            break
        x, loss, step = moved, new_loss, new_step
    return 1 / x


def _aim(logits_CN: NDArray[np.float64], target_N: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the logit that the likelihood of each sample is computed with: smoothed targets, as in Platt 1999.

    Of ``n`` samples of a class, the share ``1 / (n + C)`` goes to each other class: after three right of three, the
    next may still be wrong. This matters where whole reads are counted, as they are few.
    """
    n_classes = len(logits_CN)
    doubt_N = (1 / (np.bincount(target_N, minlength=n_classes) + n_classes))[target_N]
    true_N = logits_CN[target_N, np.arange(len(target_N))]
    return np.asarray((1 - n_classes * doubt_N) * true_N + doubt_N * logits_CN.sum(0))


def _newton(x: float, logits_CN: NDArray[np.float64], aim_N: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean negative log-likelihood of logits times ``x``, and Newton's step from ``x``."""
    p_CN = softmax(x * logits_CN)
    highest_N = x * logits_CN.max(0)
    loss = float((highest_N + np.log(np.exp(x * logits_CN - highest_N).sum(0)) - x * aim_N).mean())
    mean_N = (p_CN * logits_CN).sum(0)
    gradient = (mean_N - aim_N).mean()
    curvature = (p_CN * np.square(logits_CN - mean_N)).sum(0).mean()
    return loss, float(gradient / (curvature + 1e-12))
