import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from poreconv.errors import BundleError
from poreconv.inference.decoding.temperature import (
    COOLEST,
    HOTTEST,
    fit,
    probabilities,
    scaled,
    softmax,
    unweighting_bias,
)


def drawn(n_classes: int, n: int = 60_000, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Logits, and classes drawn with the probabilities that they stand for."""
    rng = np.random.default_rng(seed)
    logits_CN = rng.normal(0, 2, (n_classes, n))
    p_CN = softmax(logits_CN.astype(np.float32))
    return logits_CN, (p_CN.cumsum(0) < rng.random(n)).sum(0).clip(max=n_classes - 1).astype(np.int8)


@pytest.mark.parametrize(("n_classes", "factor"), [(2, 1.0), (2, 3.0), (4, 0.4)])
def test_the_temperature_that_spoiled_logits_is_found(n_classes: int, factor: float) -> None:
    """Logits that were multiplied are brought back."""
    logits_CN, target_N = drawn(n_classes)

    assert fit(logits_CN * factor, target_N) == pytest.approx(factor, rel=0.05)


def test_class_weights_are_taken_back() -> None:
    """The probabilities at which a weighted loss is least become the true ones."""
    true_C = np.array([0.7, 0.2, 0.1])
    weights_C = np.array([0.5, 2.0, 4.0])
    learnt_C = true_C * weights_C / (true_C * weights_C).sum()
    found_CT = probabilities(np.log(learnt_C)[:, None].astype(np.float32), 1.0, unweighting_bias(weights_C.tolist()))

    assert found_CT[:, 0] == pytest.approx(true_C, abs=1e-4)


def test_a_class_that_was_never_seen_is_left_as_it_is() -> None:
    """It weighed nothing, and nothing is known of it."""
    assert unweighting_bias([0.0, 2.0, 2.0 * np.e]) == (0, 0, -1)


def test_logarithms_of_probabilities_are_as_good_as_logits() -> None:
    """What is added to all classes of a sample makes no difference."""
    logits_CN, target_N = drawn(2, 4000)

    assert fit(np.log(softmax(logits_CN)), target_N) == pytest.approx(fit(logits_CN, target_N), abs=1e-4)


@pytest.mark.parametrize("n", [3, 50, 5000])
def test_being_always_right_so_far_is_no_certainty(n: int) -> None:
    """After n right of n, the next is thought to be right n + 1 times of n + 2."""
    target_N = np.tile([0, 1], n).astype(np.int8)
    sure_CN = np.where(target_N == np.arange(2)[:, None], 3.0, -3.0)
    temperature = fit(sure_CN, target_N)

    assert softmax(sure_CN / temperature)[0, 0] == pytest.approx((n + 1) / (n + 2), abs=1e-4)


def test_where_nothing_can_be_learnt_nothing_is_changed() -> None:
    """With one class or no sample, the temperature is 1; logits that are all equal are no crash."""
    target_N = np.tile([0, 1], 50).astype(np.int8)
    sure_CN = np.where(target_N == np.arange(2)[:, None], 3.0, -3.0)

    assert fit(sure_CN, np.zeros(100, np.int8)) == 1
    assert fit(np.zeros((2, 0)), np.zeros(0, np.int8)) == 1
    assert np.isfinite(fit(np.zeros((2, 100)), target_N))


def test_calibration_raises_and_divides() -> None:
    """Each class's bias is added, and the sum divided by the temperature; without either, logits stay as they are."""
    logits_CT = np.array([[2.0, 4.0], [6.0, -2.0]], np.float32)

    assert scaled(logits_CT, 2.0, (0.0, 1.0)).tolist() == [[1, 2], [3.5, -0.5]]
    assert scaled(logits_CT, 2.0, ()).tolist() == [[1, 2], [3, -1]]
    assert scaled(logits_CT, 1.0, ()).tolist() == logits_CT.tolist()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_logits_that_are_not_finite_are_refused(value: float) -> None:
    """No temperature fits them, and a search would not end."""
    logits_CN, target_N = drawn(2, 100)
    logits_CN[1, 7] = value

    with pytest.raises(BundleError, match="not finite"):
        fit(logits_CN, target_N)


@given(scale=st.floats(-37, 37), n_classes=st.integers(2, 5), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_every_search_ends_within_the_limits(scale: float, n_classes: int, seed: int) -> None:
    """However large or small the logits are that float32 holds."""
    logits_CN, target_N = drawn(n_classes, 50, seed)
    with np.errstate(all="ignore"):
        found = fit(logits_CN * 10**scale, target_N)

    assert COOLEST <= found <= HOTTEST
