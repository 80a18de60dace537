"""A trained model and signal files -> a table of events."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from poreconv.config import LabelRunConfig
from poreconv.event_parts import check_out, tabulate
from poreconv.files import sha256
from poreconv.infer import load
from poreconv.ledger import Ledger


def label(
    model: Path | str,
    paths: Path | str | Sequence[Path | str],
    *,
    out: Path | str,
    config: LabelRunConfig | None = None,
    skip_bad_files: bool = False,
) -> Ledger:
    """Label reads; a run that was killed goes on where it was.

    Args:
        model: The bundle that `train` wrote.
        paths: Signal files and folders: one, or several.
        out: ``events.tsv`` or ``events.parquet``; the drop ledger goes to ``<out>.ledger.json``.
        config: Batch size, chunk length, precision.
        skip_bad_files: Pass over files that cannot be opened instead of stopping.

    Returns:
        The drop ledger.

    Raises:
        ConfigError: ``out`` exists, or its suffix names no format.
        MismatchError: The model was not trained for such reads.
    """
    check_out(Path(out))  # before the model is loaded
    labeller = load(model, config)
    settings = {"config": asdict(labeller.config), "model": sha256([Path(model)]), "skip_bad_files": skip_bad_files}
    return tabulate(paths, Path(out), labeller.label, what="label", settings=settings, skip_bad_files=skip_bad_files)
