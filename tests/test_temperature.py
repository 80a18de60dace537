import numpy as np
import pytest
from numpy.typing import NDArray

from poreconv.temperature import COOLEST, fit, probabilities, scaled, softmax


def drawn(n_classes: int, n: int = 60_000, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Logits, and classes drawn with the probabilities that they stand for."""
    rng = np.random.default_rng(seed)
    logits_CN = rng.normal(0, 2, (n_classes, n))
    p_CN = softmax(logits_CN.astype(np.float32))
    return logits_CN, (p_CN.cumsum(0) < rng.random(n)).sum(0).clip(max=n_classes - 1).astype(np.int8)


@pytest.mark.parametrize(("factor", "offset"), [(1.0, 0.0), (3.0, 2.0), (0.4, -1.5)])
def test_a_known_distortion_is_found(factor: float, offset: float) -> None:
    """Logits that were multiplied, and raised for one class, are brought back."""
    logits_CN, target_N = drawn(2)
    distorted_CN = logits_CN * factor
    distorted_CN[1] += offset
    temperature, bias = fit(distorted_CN, target_N, biased=True)

    assert temperature == pytest.approx(factor, rel=0.05)
    assert bias == pytest.approx(-offset / factor, abs=0.06)


def test_several_classes_have_a_temperature_alone() -> None:
    """One number for all of them."""
    logits_CN, target_N = drawn(4)

    assert fit(2.5 * logits_CN, target_N, biased=False) == (pytest.approx(2.5, rel=0.05), 0)


def test_logarithms_of_probabilities_are_as_good_as_logits() -> None:
    """What is added to all classes of a sample makes no difference."""
    logits_CN, target_N = drawn(2, 4000)
    log_p_CN = np.log(softmax(logits_CN.astype(np.float32))).astype(np.float64)

    assert fit(log_p_CN, target_N, biased=True) == pytest.approx(fit(logits_CN, target_N, biased=True), abs=1e-4)


def test_a_network_that_is_always_right_stays_finite() -> None:
    """The temperature stops at its limit; with one class or no sample, nothing is changed."""
    target_N = np.tile([0, 1], 50).astype(np.int8)
    sure_CN = np.where(target_N == np.arange(2)[:, None], 3.0, -3.0)

    assert fit(sure_CN, target_N, biased=False)[0] == pytest.approx(COOLEST, rel=10)
    assert fit(sure_CN, np.zeros(100, np.int8), biased=True) == (1, 0)
    assert fit(np.zeros((2, 0)), np.zeros(0, np.int8), biased=True) == (1, 0)
    assert np.isfinite(fit(np.zeros((2, 100)), target_N, biased=True)).all()


def test_calibration_changes_the_boundary_alone() -> None:
    """Logits are divided by the temperature, and the boundary's raised; without either they stay as they are."""
    logits_CT = np.array([[2.0, 4.0], [6.0, -2.0]], np.float32)

    assert scaled(logits_CT, 2.0, 0.5).tolist() == [[1, 2], [3.5, -0.5]]
    assert np.array_equal(probabilities(logits_CT, 1.0, 0.0), softmax(logits_CT))
