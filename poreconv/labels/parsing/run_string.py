"""Build events from run strings, which PAF and SAM files contain in the same form."""

from poreconv.errors import FormatError, LabelError
from poreconv.events import run_strings as ss
from poreconv.events.events import Events
from poreconv.labels.fit import fitted
from poreconv.reads.read import Read


def run_events(
    read: Read, run_string: str | bytes, first: int, end: int, classes: tuple[str, ...] = ()
) -> Events | None:
    """Build the events of a run string (`events.run_strings`): one per match; extra samples (``I``) are not covered.

    Args:
        read: The read that the events label.
        run_string: The run string, in signal order.
        first: Raw sample at which it begins.
        end: Sample after its last, according to its file.
        classes: Class names of the source; the events themselves have no class. Default: none.

    Returns:
        The events; None if the run string has no match.

    Raises:
        LabelError: See `runs_between`; or the events don't fit the read (see `fitted`).
    """
    start, stop = ss.places(runs_between(read, run_string, first, end), first)
    return fitted(read, start, stop, classes=classes) if len(start) else None


def runs_between(read: Read, run_string: str | bytes, first: int, end: int) -> ss.Runs:
    """Decode a run string, and check that it spans the samples that its file gives for it.

    Args:
        read: The read, for error messages.
        run_string: The run string, in signal order.
        first: Raw sample at which it begins.
        end: Sample after its last, according to its file.

    Raises:
        LabelError: It is not a run string (``label_unreadable``), or spans another number of samples
            (``label_span``).
    """
    try:
        runs = ss.decode(run_string)
    except FormatError as exc:
        raise LabelError(f"{read.where}: {exc}", reason="label_unreadable") from exc
    if runs.n_samples != end - first:
        raise LabelError(
            f"{read.where}: its ss string spans {runs.n_samples} samples, but its start and end span {end - first}; "
            "label the read again",
            reason="label_span",
        )
    return runs
