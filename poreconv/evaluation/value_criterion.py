"""How values are judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from poreconv.evaluation.criteria import Criterion
from poreconv.evaluation.metrics.correlation import ValueMetric

if TYPE_CHECKING:
    from poreconv.evaluation.result import Evaluation
    from poreconv.events.events import Events

MEANS = "poreconv.evaluation.baselines.means"


class ValueCriterion(Criterion):
    """Errors and correlations sample by sample."""

    read_scores: ClassVar[tuple[str, ...]] = ("pearson", "mae", "rmse")
    read_columns: ClassVar[dict[str, str]] = {"pearson": "Pearson r", "mae": "MAE", "rmse": "RMSE"}
    intervals = ("pearson", "spearman", "mae", "rmse")
    baselines: ClassVar[Mapping[str, str]] = {
        "running_mean": f"{MEANS}:running_mean",
        "read_mean": f"{MEANS}:read_mean",
    }
    meaning = "Pearson correlation of predicted and true values over samples"
    errors = "samples that are off by more than an SD of the read's true values"
    note = (
        "Samples outside the labels' coverage are not judged. Errors are in the unit of the labels; bias is the mean of"
        " predicted minus true. Baselines: the running mean and the read's mean of the normalised current, converted by"
        " the mean and SD of the training values."
    )

    def metric(self, classes: tuple[str, ...]) -> ValueMetric:
        """Make a `ValueMetric`."""
        return ValueMetric()

    def update(self, metric: Any, target: NDArray[Any], events: Events, outputs_CT: NDArray[np.float32] | None) -> None:
        """Compare the values of one read's samples."""
        metric.update(target, self.task.target(events, len(target)))

    def columns(self, classes: tuple[str, ...]) -> dict[str, str]:
        """Return correlations and errors."""
        return {
            "Pearson r": "pearson", "Spearman": "spearman", "MAE": "mae", "RMSE": "rmse", "bias": "mean_error",
        }  # fmt: skip

    def how_good(self, result: Evaluation) -> str:
        """Describe correlation and error."""
        scores = result.model_scores
        return (
            f"The correlation of its values with the true ones is {scores['pearson']:.3f}, that of their ranks"
            f" {scores['spearman']:.3f}; on average, they are off by {scores['mae']:.3g}."
        )

    def balance(self, result: Evaluation) -> str:
        """Describe whether values are too high or too low."""
        bias = result.model_scores["mean_error"]
        return f"On average, a value is {abs(bias):.2g} too {'high' if bias > 0 else 'low'}."

    def wrong(self, target: NDArray[Any], predicted: Events) -> NDArray[np.bool_]:
        """Find the samples that are off by more than an SD of the read's true values."""
        known = self.task.known(target)
        error = np.abs(self.task.target(predicted, len(target)) - target)
        return np.asarray(known & ~(error <= np.std(target[known]))) if known.any() else known

    def curves(
        self, target: NDArray[Any], outputs_CT: NDArray[np.float32], classes: tuple[str, ...]
    ) -> dict[str, NDArray[np.float32]]:
        """Return the true and the predicted values."""
        return {"truth": target, "predicted": outputs_CT[0]}
