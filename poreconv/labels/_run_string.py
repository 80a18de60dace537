"""Run strings as labels: the same in PAF and in SAM."""

from poreconv import ss
from poreconv.errors import FormatError, LabelError
from poreconv.events import Events
from poreconv.labels._fit import fitted
from poreconv.read import Read


def run_events(read: Read, run_string: str | bytes, first: int, end: int) -> Events | None:
    """Make events of a run string (`poreconv.ss`): one per match; extra samples (``I``) are not covered.

    Args:
        read: The read that it labels.
        run_string: In signal order.
        first: Sample at which it begins.
        end: Sample after its last, as its file says.

    Returns:
        None without a match.

    Raises:
        LabelError: It is no run string (``label_unreadable``), spans other samples (``label_span``), or doesn't fit the
            read (see `fitted`).
    """
    try:
        runs = ss.decode(run_string)
    except FormatError as exc:
        raise LabelError(f"{read.where}: {exc}", reason="label_unreadable") from exc
    if runs.n_samples != end - first:
        raise LabelError(
            f"{read.where}: its ss string spans {runs.n_samples} samples, its start and end {end - first}; "
            "label the read again",
            reason="label_span",
        )
    start, stop = ss.places(runs, first)
    return fitted(read, start, stop) if len(start) else None
