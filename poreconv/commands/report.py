"""A training run or an evaluation -> its report, one HTML page."""

from pathlib import Path

from poreconv.evaluation.report import write_report
from poreconv.evaluation.result import RUN_EVALUATION, read_evaluation
from poreconv.runtime.outputs import writes_out


@writes_out
def report(source: Path | str, *, out: Path | str) -> Path:
    """Write the report on a model again; `train` and `evaluate` write it by themselves.

    Args:
        source: The folder that `train` wrote, or the JSON that ``evaluate --out`` wrote.
        out: The HTML page.

    Returns:
        Path of the page.

    Raises:
        FormatError: There is no evaluation, or a training run has no log.
    """
    source, out = Path(source), Path(out)
    run = source if source.is_dir() else None
    write_report(out, read_evaluation(source if run is None else run / RUN_EVALUATION), run)
    return out
