"""A trained model and signal files -> a table of events."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from poreconv.config import LabelConfig
from poreconv.events.tabulation import check_out, tabulate
from poreconv.inference.auto import finds_bases, found_model
from poreconv.inference.heads import check_heads
from poreconv.inference.worker_model import Amount, TrainedModel, for_model
from poreconv.models.own import Networks
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.outputs import writes_out


@writes_out
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
        model: The bundle that `train` wrote, or the name of a shipped model; ``auto``: for each read the shipped model
            of base boundaries that fits it, which the table's column ``model`` names.
        paths: Signal files and folders: one, or several.
        out: Table of events; the suffix names the format, a key of ``WRITERS``, see `convert`. Of a model of values:
            ``.parquet``, a list of numbers per read, or ``.tsv``. The drop ledger is written to ``<out>.ledger.json``.
        config: Which reads are labelled; batch size, chunk length, precision, processes.
        networks: The network of a bundle that was trained with the user's own; see `load`. In each process it is
            imported, or unpickled.
        overwrite: Replace ``out`` if it exists, and start anew where a command was killed.

    Returns:
        The drop ledger.

    Raises:
        BundleError: The file is not a trained model, or its network is not given.
        ConfigError: ``out`` exists, or its suffix names no format.
        MismatchError: No read is of a kind that the model was trained for; some are dropped.
    """
    config = config or LabelConfig()
    found = found_model(model, finds_bases, config.inference, networks, config.fit)
    kind = found.table(found.asked.table(config.every), Path(out))
    check_out(Path(out), kind, overwrite=overwrite)
    check_heads(found, paths, config.files)
    trained = found.settled(Path(out), Amount(paths, config.files, config.work), overwrite=overwrite)
    return tabulate(
        paths,
        Path(out),
        trained.analysis(TrainedModel.labelling),
        command="label",
        settings={**trained.settings, "files": asdict(config.files)},
        files=config.files,
        work=for_model(config.work, trained),
        kind=kind,
        overwrite=overwrite,
    )
