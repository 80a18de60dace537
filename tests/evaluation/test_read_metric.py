import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike

from poreconv.config import IGNORE
from poreconv.evaluation.criteria import criterion_of
from poreconv.evaluation.metrics import ReadMetric, ReliabilityMetric
from poreconv.training.validation import PooledReads, pool


def scores(true: ArrayLike, probabilities_NC: ArrayLike, classes: tuple[str, ...] = ("a", "b")) -> dict[str, float]:
    """Scores of reads, given one by one."""
    metric = ReadMetric(classes)
    for label, p_C in zip(np.array(true), np.array(probabilities_NC), strict=True):
        metric.update(np.full(5, label, np.int8), np.tile(p_C[:, None], 5))
    return metric.compute()


def test_a_perfect_score_ranks_all_reads() -> None:
    """All reads are right, and each class is most probable in its own reads."""
    found = scores([0, 0, 1, 1], [[0.9, 0.1], [0.6, 0.4], [0.4, 0.6], [0.1, 0.9]])

    assert {found[name] for name in ("accuracy", "macro_f1", "auroc", "auroc_a", "f1_b")} == {1.0}
    assert found["n_reads"] == 4


def test_a_constant_score_ranks_nothing() -> None:
    """If all reads are predicted as one class, accuracy is the share of this class, and AUROC that of chance."""
    found = scores([0, 0, 0, 1], [[0.7, 0.3]] * 4)

    assert (found["accuracy"], found["auroc"]) == (0.75, 0.5)
    assert (found["f1_a"], found["f1_b"]) == (pytest.approx(6 / 7), 0)
    assert np.isnan(found["precision_b"])


def test_of_several_classes_each_is_set_against_the_rest() -> None:
    """AUROC is the mean over the classes that some reads have and others have not."""
    p_NC = [[0.6, 0.3, 0.1], [0.3, 0.4, 0.3], [0.5, 0.4, 0.1], [0.2, 0.7, 0.1]]
    found = scores([0, 0, 1, 1], p_NC, ("a", "b", "c"))

    assert found["auroc_a"] == 0.75  # 0.6 over 0.5 and 0.2, 0.3 over 0.2
    assert found["auroc_b"] == (2 + 1.5) / 4  # 0.7 over both, 0.4 over 0.3 and as much as 0.4
    assert np.isnan(found["auroc_c"])
    assert found["auroc"] == pytest.approx((0.75 + 0.875) / 2)


def test_the_confusion_counts_reads() -> None:
    """Rows are true classes, columns predicted ones."""
    metric = ReadMetric(("a", "b"))
    for label, p_C in [(0, [0.9, 0.1]), (0, [0.2, 0.8]), (1, [0.3, 0.7]), (0, [0.6, 0.4])]:
        metric.update([label] * 3, np.tile(np.array(p_C)[:, None], 3))

    assert metric.confusion().tolist() == [[2, 1], [0, 1]]


def test_the_interval_is_over_reads() -> None:
    """Of 100 reads with 80 right, the 95 % interval is about that of a binomial; one read has none."""
    found = scores([0] * 100, [[0.9, 0.1]] * 80 + [[0.1, 0.9]] * 20)
    alone = scores([0], [[0.9, 0.1]])

    assert (found["accuracy_low"], found["accuracy_high"]) == (
        pytest.approx(0.72, abs=0.02),
        pytest.approx(0.88, abs=0.02),
    )
    assert np.isnan(alone["accuracy_low"])


def test_without_reads_everything_is_undefined() -> None:
    """No read, no number, no crash."""
    with pytest.warns(UserWarning, match="before the ``update`` method"):  # torchmetrics warns
        found = ReadMetric(("a", "b")).compute()

    assert found["n_reads"] == 0
    assert np.isnan([found[name] for name in ("accuracy", "macro_f1", "auroc", "f1_a")]).all()


def test_a_read_counts_once_in_the_reliability() -> None:
    """However long it is."""
    metric = ReliabilityMetric()
    for target in (np.zeros(1000, np.int8), np.ones(10, np.int8)):
        metric.update(*criterion_of("read").certainty(target, np.tile(np.array([[0.9], [0.1]]), len(target))))

    assert metric.compute() == pytest.approx(0.4)
    assert [row["n_samples"] for row in metric.table()] == [2]


def test_pooling_leaves_out_samples_outside_the_read() -> None:
    """A network's output beyond a read's ends does not count."""
    logits_BCT = torch.tensor([[[1.0, 2.0, 50.0], [0.0, 4.0, -50.0]], [[9.0, 9.0, 9.0], [9.0, 9.0, 9.0]]])
    y_BT = torch.tensor([[1, 1, IGNORE], [IGNORE, IGNORE, IGNORE]])
    sum_BC, n_B, class_B = pool(logits_BCT, y_BT)

    assert sum_BC.tolist() == [[3, 4], [0, 0]]
    assert n_B.tolist() == [2, 0]
    assert class_B.tolist() == [1, IGNORE]


def test_tiles_of_a_read_are_pooled_by_their_samples() -> None:
    """Two tiles, the longer of which counts more, give the score of one tile of both; classes have equal weights."""
    metric, whole = PooledReads(), PooledReads()
    logits_BCT = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(0))
    y_BT = torch.tensor([[0, 0, 0, 0], [0, IGNORE, IGNORE, IGNORE], [1, 1, 1, 1]])
    metric.update(logits_BCT[:2], y_BT[:2], torch.tensor([0, 0]))
    metric.update(logits_BCT[2:], y_BT[2:], torch.tensor([1]))
    whole.update(torch.cat([logits_BCT[0], logits_BCT[1, :, :1]], 1)[None], torch.zeros(1, 5).long(), torch.tensor([0]))
    other = logits_BCT[2].mean(1).softmax(0)[1]

    assert float(metric.compute()) == pytest.approx((float(whole.compute()) + float(other)) / 2, rel=1e-5)
