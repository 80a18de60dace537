"""A trained model and signal files -> a table of events."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from poreconv.config import LabelConfig
from poreconv.events.tabulation import check_out, tabulate
from poreconv.inference.worker_model import TrainedModel, for_model
from poreconv.models.own import Networks
from poreconv.runtime.ledger import Ledger


def label(
    model: Path | str,
    paths: Path | str | Sequence[Path | str],
    *,
    out: Path | str,
    config: LabelConfig | None = None,
    networks: Networks = None,
    overwrite: bool = False,
) -> Ledger:
    """Label reads. A killed command resumes when it is started again.

    Args:
        model: The bundle that `train` wrote, or the name of a shipped model.
        paths: Signal files and folders: one, or several.
        out: Table of events; the suffix names the format, a key of ``WRITERS``, see `convert`. Of a model of values:
            ``.parquet``, a list of numbers per read, or ``.tsv``. The drop ledger is written to ``<out>.ledger.json``.
        config: Batch size, chunk length, precision, processes.
        networks: The network of a bundle that was trained with the user's own; see `load`. In each process it is
            imported, or unpickled.
        overwrite: Replace ``out`` if it exists, and start anew where a command was killed.

    Returns:
        The drop ledger.

    Raises:
        BundleError: The file is not a trained model, or its network is not given.
        ConfigError: ``out`` exists, or its suffix names no format.
        MismatchError: The model was not trained for such reads.
    """
    config = config or LabelConfig()
    trained = TrainedModel.find(model, config.inference, networks)
    kind = trained.recipe.asked.table(config.every)
    check_out(Path(out), kind, overwrite=overwrite)
    return tabulate(
        paths,
        Path(out),
        trained.labelling,
        command="label",
        settings={**trained.identity, "inference": asdict(config.inference), "files": asdict(config.files)},
        files=config.files,
        work=for_model(config.work, trained),
        kind=kind,
        overwrite=overwrite,
    )
