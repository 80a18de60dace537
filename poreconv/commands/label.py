"""A trained model and signal files -> a table of events."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from poreconv.config import LabelRunConfig
from poreconv.event_parts import check_out, tabulate
from poreconv.files import sha256
from poreconv.infer import load
from poreconv.ledger import Ledger
from poreconv.shipped import find_bundle


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
        model: The bundle that `train` wrote, or the name of a shipped model.
        paths: Signal files and folders: one, or several.
        out: The suffix tells the format: a key of ``WRITERS``, see `convert`. The drop ledger goes to
            ``<out>.ledger.json``.
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
    weights = sha256([find_bundle(model)])
    settings = {"config": asdict(labeller.config), "model": weights, "skip_bad_files": skip_bad_files}
    return tabulate(paths, Path(out), labeller.label, what="label", settings=settings, skip_bad_files=skip_bad_files)
