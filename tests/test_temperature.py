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


@pytest.mark.parametrize(
    ("factor", "offset"), [(1.0, (0.0, 0.0)), (3.0, (0.0, 2.0)), (0.4, (0.0, -1.5)), (2.0, (0.0, 1.0, -3.0, 0.5))]
)
def test_a_known_distortion_is_found(factor: float, offset: tuple[float, ...]) -> None:
    """Logits that were multiplied, and raised for some classes, are brought back."""
    logits_CN, target_N = drawn(len(offset))
    distorted_CN = logits_CN * factor + np.array(offset)[:, None]
    temperature, bias = fit(distorted_CN, target_N)

    assert temperature == pytest.approx(factor, rel=0.05)
    assert bias == pytest.approx(tuple(-one / factor for one in offset), abs=0.06)


def test_of_a_class_that_is_never_true_nothing_is_learnt() -> None:
    """Its bias stays 0, so that it can still be found in other reads."""
    logits_CN, target_N = drawn(3)
    seen = target_N != 1

    assert fit(logits_CN[:, seen], target_N[seen])[1][1] == 0


def test_logarithms_of_probabilities_are_as_good_as_logits() -> None:
    """What is added to all classes of a sample makes no difference."""
    logits_CN, target_N = drawn(2, 4000)
    (temperature, bias), (again, bias_again) = fit(logits_CN, target_N), fit(np.log(softmax(logits_CN)), target_N)

    assert (again, *bias_again) == pytest.approx((temperature, *bias), abs=1e-4)


def test_a_network_that_is_always_right_stays_finite() -> None:
    """The temperature stops at its limit; with one class or no sample, nothing is changed."""
    target_N = np.tile([0, 1], 50).astype(np.int8)
    sure_CN = np.where(target_N == np.arange(2)[:, None], 3.0, -3.0)

    assert fit(sure_CN, target_N)[0] == pytest.approx(COOLEST, rel=10)
    assert fit(sure_CN, np.zeros(100, np.int8)) == (1, ())
    assert fit(np.zeros((2, 0)), np.zeros(0, np.int8)) == (1, ())
    assert np.isfinite(fit(np.zeros((2, 100)), target_N)[1]).all()


def test_calibration_divides_and_raises() -> None:
    """Logits are divided by the temperature, and each class's bias is added; without either they stay as they are."""
    logits_CT = np.array([[2.0, 4.0], [6.0, -2.0]], np.float32)

    assert scaled(logits_CT, 2.0, (0.0, 0.5)).tolist() == [[1, 2], [3.5, -0.5]]
    assert scaled(logits_CT, 2.0, ()).tolist() == [[1, 2], [3, -1]]
    assert np.array_equal(probabilities(logits_CT, 1.0, ()), softmax(logits_CT))
