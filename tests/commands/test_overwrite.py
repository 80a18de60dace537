"""`--overwrite`: what exists is replaced once the new is complete, and nothing that poreconv did not write."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from poreconv.cli.main import build_parser
from poreconv.cli.usage import arguments_of, leaf_of
from poreconv.commands import train as training
from poreconv.commands.convert import convert
from poreconv.commands.simulate import simulate
from poreconv.commands.train import train
from poreconv.config import ConvertConfig, HeartbeatConfig, SimulateConfig, TrainConfig, from_flat
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError
from poreconv.evaluation.result import RUN_EVALUATION, read_evaluation
from poreconv.events import tabulation
from poreconv.models.architectures import Heartbeat
from poreconv.models.bundle import load_bundle
from poreconv.runtime.jobs import JobFolder
from tests.cli.test_usage import LEAVES
from tests.support.data import heartbeat_store
from tests.support.signal_files import reads_made, write_multi
from tests.support.stores import contents, prepare_in, prepared, steps


def converted(folder: Path, out: Path, *, overwrite: bool = True, **settings: Any) -> Path:
    """Write the labels of three reads as a table."""
    if not folder.exists():
        folder.mkdir()
        reads = reads_made(3)
        write_multi(folder / "reads.fast5", reads)
        (folder / "in.tsv").write_text(steps(reads))
    config = from_flat(ConvertConfig, {"workers": 1} | settings)
    labels = [folder / "in.tsv"]
    convert(folder, labels="intervals", labels_from=labels, out=out, config=config, overwrite=overwrite)
    return out


@pytest.mark.parametrize("suffix", [".tsv", ".fast5"])
def test_a_table_is_replaced(tmp_path: Path, suffix: str) -> None:
    """Only when it is asked for; a killed command's jobs are not used."""
    out = converted(tmp_path / "in", tmp_path / f"out{suffix}", overwrite=False)
    before = out.read_bytes()
    with pytest.raises(ConfigError, match="exists already; --overwrite replaces it"):
        converted(tmp_path / "in", out, overwrite=False, limit=1)
    assert out.read_bytes() == before
    left = JobFolder(out, {"of": "a killed command"}, anew=True)
    left.path(0, ".parquet").write_bytes(b"unfinished")
    converted(tmp_path / "in", out, limit=1)

    assert len(out.read_bytes()) < len(before)
    assert suffix == ".fast5" or not left.folder.exists()


def test_a_killed_command_is_started_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even with the same inputs and settings its jobs are done again."""
    out = tmp_path / "out.tsv"
    with monkeypatch.context() as patch:
        patch.setattr(tabulation, "join_files", interrupted)
        with pytest.raises(KeyboardInterrupt):
            converted(tmp_path / "in", out, overwrite=False)
    [job] = (tmp_path / ".out.tsv.parts").glob("0*.parquet")
    job.write_bytes(b"not a job")
    converted(tmp_path / "in", out)

    assert out.read_text().count("\n") > 100


def interrupted(_: Any, paths: Any = (), *__: Any) -> None:
    """Stop like Ctrl-C, when all jobs are done."""
    deque(paths if isinstance(paths, Iterator) else (), maxlen=0)
    raise KeyboardInterrupt


def test_what_exists_stays_until_the_new_one_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted command leaves it as it was."""
    out = converted(tmp_path / "in", tmp_path / "out.tsv")
    before = out.read_bytes()
    monkeypatch.setattr(tabulation, "join_files", interrupted)
    with pytest.raises(KeyboardInterrupt):
        converted(tmp_path / "in", out, limit=1)

    assert out.read_bytes() == before


@pytest.mark.parametrize("name", ["in.tsv", "reads.fast5"])
def test_an_input_is_never_replaced(tmp_path: Path, name: str) -> None:
    """Neither labels nor signal: the output would be its own source."""
    converted(tmp_path / "in", tmp_path / "out.tsv")
    before = contents(tmp_path / "in")
    with pytest.raises(ConfigError, match=rf"{name}: is read, and cannot be replaced"):
        converted(tmp_path / "in", tmp_path / "in" / name)

    assert contents(tmp_path / "in") == before


def test_a_store_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a store of other reads, once that is complete."""
    first = prepared(tmp_path, reads_made(3))
    before = contents(first.path)
    with monkeypatch.context() as patch:
        patch.setattr("poreconv.dataset.prepare.replace_folder", interrupted)
        with pytest.raises(KeyboardInterrupt):
            prepare_in(tmp_path, overwrite=True, limit=2)
    assert contents(first.path) == before
    second = prepare_in(tmp_path, overwrite=True, limit=2)

    assert len(second) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.tsv", "reads.fast5", "store"]
    assert second.info.provenance == Store(second.path).info.provenance


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["dataset.json", "notes.txt"], "contains notes.txt, no part of a store"),
        (["reads.pod5"], "contains reads.pod5, no part of a store"),
        (["reads.parquet"], "not a store (it has no dataset.json)"),
    ],
)
def test_a_folder_that_is_no_store_is_not_replaced(tmp_path: Path, files: list[str], message: str) -> None:
    """Nor one with files of somebody's own in it."""
    prepared(tmp_path, reads_made(1), name="other")
    (tmp_path / "store").mkdir()
    for name in files:
        (tmp_path / "store" / name).write_text(name)
    with pytest.raises(ConfigError, match=re.escape(message)):
        prepare_in(tmp_path, overwrite=True)

    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == sorted(files)


CONFIG = TrainConfig(max_steps=2, validate_every=1, batch_size=4, chunk_samples=64, accelerator="cpu", precision="32")


def test_a_training_run_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted one leaves what was there; the report of the new one names its final place."""
    store, run = heartbeat_store(tmp_path), tmp_path / "run"
    options: dict[str, Any] = {"out": run, "network": "heartbeat", "settings": Heartbeat(channels=2, layers=1)}
    bundle = train(store, config=CONFIG, **options, with_report=False).bundle
    before = bundle.read_bytes()
    other = replace(CONFIG, seed=1)
    with pytest.raises(ConfigError, match="--overwrite replaces it"):
        train(store, config=other, **options)
    with monkeypatch.context() as patch:
        patch.setattr(training, "_write_report", interrupted)
        with pytest.raises(KeyboardInterrupt, match="run is as it was"):
            train(store, config=other, **options, overwrite=True)
    assert bundle.read_bytes() == before
    assert train(store, config=other, **options, overwrite=True).bundle == bundle

    assert bundle.read_bytes() != before
    assert read_evaluation(run / RUN_EVALUATION).data["model"] == str(bundle)
    assert load_bundle(bundle)[1].task == "segment"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reads", "run", "store"]


def test_a_folder_that_is_no_training_run_is_not_replaced(tmp_path: Path) -> None:
    """Its files are somebody's."""
    store, run = heartbeat_store(tmp_path), tmp_path / "run"
    run.mkdir()
    (run / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match=r"contains thesis\.tex, no part of a training run"):
        train(store, out=run, config=CONFIG, overwrite=True)

    assert (run / "thesis.tex").exists()


def simulated(out: Path, form: Any, *, overwrite: bool = True) -> list[str]:
    """Simulate a heartbeat; gives the names of the files."""
    common = SimulateConfig(reads=1, format=form)
    simulate("heartbeat", out=out, common=common, config=HeartbeatConfig(), overwrite=overwrite)
    return sorted(path.name for path in out.iterdir())


def test_simulated_reads_are_replaced(tmp_path: Path) -> None:
    """Those of another format, too, and tables that the new reads do not have; nothing else."""
    names = simulated(tmp_path / "out", "fast5", overwrite=False)
    (tmp_path / "out" / "regions.tsv").write_text("old")
    with pytest.raises(ConfigError, match=r"contains reads\.fast5 already; --overwrite"):
        simulated(tmp_path / "out", "pod5", overwrite=False)

    assert simulated(tmp_path / "out", "pod5") == [name.replace("fast5", "pod5") for name in names]
    (tmp_path / "out" / "calls.bam").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"contains calls\.bam, so poreconv simulate did not make it"):
        simulated(tmp_path / "out", "pod5")


def test_reads_that_were_not_simulated_are_not_replaced(tmp_path: Path) -> None:
    """A folder with real reads alone has no table of events."""
    write_multi(tmp_path / "reads.fast5", reads_made(1))
    with pytest.raises(ConfigError, match=r"no events\.tsv, so poreconv simulate did not make it"):
        simulated(tmp_path, "fast5")

    assert np.sum([path.stat().st_size for path in tmp_path.iterdir()]) > 0


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_an_output_is_replaced_on_demand_or_always(words: list[str]) -> None:
    """Pictures, pages and scores are made again and again, and replaced; what takes long is not, without the flag."""
    flags = arguments_of(leaf_of(build_parser(words[:1], words), words))

    if "--out" in flags:
        assert ("--overwrite" in flags) != ("replaced if" in str(flags["--out"].help))
