"""Run strings as labels: the same in PAF and in SAM."""

from poreconv.errors import FormatError, LabelError
from poreconv.events import run_strings as ss
from poreconv.events.events import Events
from poreconv.labels.fit import fitted
from poreconv.reads.read import Read


def run_events(
    read: Read, run_string: str | bytes, first: int, end: int, classes: tuple[str, ...] = ()
) -> Events | None:
    """Make events of a run string (`events.run_strings`): one per match; extra samples (``I``) are not covered.

    Args:
        read: The read that it labels.
        run_string: In signal order.
        first: Sample at which it begins.
        end: Sample after its last, as its file says.
        classes: What the events could be; here nothing tells which.

    Returns:
        None without a match.

    Raises:
        LabelError: As `runs_between`, or it doesn't fit the read (see `fitted`).
    """
    start, stop = ss.places(runs_between(read, run_string, first, end), first)
    return fitted(read, start, stop, classes=classes) if len(start) else None


def runs_between(read: Read, run_string: str | bytes, first: int, end: int) -> ss.Runs:
    """Read a run string that goes from one sample to another.

    Raises:
        LabelError: It is no run string (``label_unreadable``), or spans other samples (``label_span``).
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
    return runs
