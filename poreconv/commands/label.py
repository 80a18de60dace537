"""A trained model and signal files -> a table of events."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from poreconv.config import LabelFilesConfig
from poreconv.event_parts import check_out, tabulate
from poreconv.labelling import TrainedModel, for_model
from poreconv.ledger import Ledger


def label(
    model: Path | str,
    paths: Path | str | Sequence[Path | str],
    *,
    out: Path | str,
    config: LabelFilesConfig | None = None,
    skip_bad_files: bool = False,
) -> Ledger:
    """Label reads; a run that was killed goes on where it was.

    Args:
        model: The bundle that `train` wrote, or the name of a shipped model.
        paths: Signal files and folders: one, or several.
        out: The suffix tells the format: a key of ``WRITERS``, see `convert`. The drop ledger goes to
            ``<out>.ledger.json``.
        config: Batch size, chunk length, precision; in which processes.
        skip_bad_files: Pass over files that cannot be opened instead of stopping.

    Returns:
        The drop ledger.

    Raises:
        BundleError: The model is no trained one.
        ConfigError: ``out`` exists, or its suffix names no format.
        MismatchError: The model was not trained for such reads.
    """
    check_out(Path(out))
    config = config or LabelFilesConfig()
    trained = TrainedModel.find(model, config.anywhere())
    return tabulate(
        paths,
        Path(out),
        trained.label,
        what="label",
        settings={"model": trained.sha256, "config": asdict(trained.config), "skip_bad_files": skip_bad_files},
        where=for_model(config),
        skip_bad_files=skip_bad_files,
    )
