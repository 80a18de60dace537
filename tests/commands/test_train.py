import csv
import json
import os
import platform
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from poreconv.commands import train as command
from poreconv.commands.evaluate import evaluate
from poreconv.commands.report import report
from poreconv.commands.train import REPORT
from poreconv.config import AugmentConfig, DecodeConfig, SplitConfig, TrainConfig
from poreconv.dataset.store import Store
from poreconv.errors import BundleError, ConfigError, PoreconvError, StoreError
from poreconv.evaluation.result import RUN_EVALUATION, read_evaluation
from poreconv.models.architectures import Heartbeat, Tcn
from poreconv.models.bundle import load_bundle
from poreconv.runtime.records import to_plain
from poreconv.training.run import BUNDLE, TrainingRun
from poreconv.training.trainer import quiet
from tests.support.data import heartbeat_store, squiggle_store, store_of
from tests.support.models import TINY, bundle_at

NETWORK = Tcn(channels=12, kernel=3, dilations=(1, 2, 4), cycles=1, stem_kernel=5, dropout=0.1)
AUGMENT = AugmentConfig(noise=0.1, scale=0.05, shift=0.05, stretch=0.05)
CONFIG = TrainConfig(
    max_steps=40,
    batch_size=8,
    chunk_samples=300,
    learning_rate=0.02,
    validate_every=10,
    precision="32",
    accelerator="cpu",
    augment=AUGMENT,
)
train = partial(command.train, with_report=False)
"""Training without the report, for most tests; those of the report use `command.train`."""

LONG = replace(CONFIG, max_steps=200)
"""Long enough to be killed in the middle."""


@pytest.fixture(scope="module")
def squiggles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of simulated squiggles."""
    return squiggle_store(tmp_path_factory.mktemp("squiggles"))


@pytest.fixture(scope="module")
def heartbeats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of simulated heartbeats."""
    return heartbeat_store(tmp_path_factory.mktemp("heartbeats"))


@pytest.fixture(scope="module")
def undisturbed(squiggles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A long run from start to end."""
    return train(squiggles, out=tmp_path_factory.mktemp("run"), network="tcn", settings=NETWORK, config=LONG).bundle


class Process:
    """The same training as a process of its own, which can be sent a signal."""

    def __init__(self, store: Path, out: Path) -> None:
        options = {
            "network": "tcn",
            "max_steps": LONG.max_steps, "batch_size": LONG.batch_size, "chunk_samples": LONG.chunk_samples,
            "learning_rate": LONG.learning_rate, "validate_every": LONG.validate_every, "precision": "32",
            "accelerator": "cpu", "tcn.channels": 12, "tcn.dilations": "[1,2,4]", "tcn.cycles": 1, "tcn.kernel": 3,
            "tcn.stem_kernel": 5, "tcn.dropout": 0.1, "augment.noise": 0.1, "augment.scale": 0.05,
            "augment.shift": 0.05, "augment.stretch": 0.05,
        }  # fmt: skip
        flags = [f"--{name}={value}" for name, value in options.items()]
        hear = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # also in the background
        command = [
            sys.executable,
            "-c",
            f"{hear}; from poreconv.cli.main import main; main()",
            "train",
            str(store),
            "--out",
            str(out),
            "--no_report",
            *flags,
        ]
        one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, env=one_thread, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def send(self, what: signal.Signals, *, once: Path) -> tuple[int, str]:
        """Send a signal as soon as a file is there; gives exit code and stderr."""
        try:
            while not once.exists() and self._process.poll() is None:
                time.sleep(0.002)
            self._process.send_signal(what)
            _, errors = self._process.communicate(timeout=900)
        finally:
            self._process.kill()
        return self._process.returncode, errors


def logged(out: Path, name: str) -> list[float]:
    """A column of the CSV log."""
    with (out / "logs" / "csv" / "version_0" / "metrics.csv").open() as stream:
        return [float(row[name]) for row in csv.DictReader(stream) if row[name]]


def test_boundaries_are_learnt(squiggles: Path, undisturbed: Path) -> None:
    """A tiny network is better than cutting at regular steps after some hundred steps."""
    scores = evaluate(undisturbed, squiggles, baselines=["uniform", "majority"]).scores

    assert scores["model"]["f1_1"] > scores["uniform"]["f1_1"] + 0.2
    assert scores["majority"]["f1_1"] == 0


def test_segments_are_learnt(heartbeats: Path, tmp_path: Path) -> None:
    """A tiny network finds beats where the most frequent class finds none."""
    config = replace(CONFIG, max_steps=60)
    bundle = train(
        heartbeats, out=tmp_path / "run", network="heartbeat", settings=Heartbeat(channels=8, layers=4), config=config
    ).bundle
    scores = evaluate(bundle, heartbeats, baselines=["majority"]).scores

    assert scores["model"]["f1_beat"] > 0.7
    assert scores["majority"]["f1_beat"] == 0


@pytest.mark.parametrize("model", TINY)
def test_every_model_trains(model: str, squiggles: Path, tmp_path: Path) -> None:
    """Each architecture leaves a bundle whose recipe names architecture and data."""
    config = replace(CONFIG, max_steps=3, validate_every=2)
    _, recipe = load_bundle(
        train(squiggles, out=tmp_path / "run", network=model, settings=TINY[model], config=config).bundle
    )

    assert (recipe.network, recipe.task, recipe.classes) == (model, "boundary", ("inside", "boundary"))
    assert (recipe.sample_rate_hz, recipe.chemistries) == (4000.0, ("dna_r9.4.1",))
    assert recipe.labels == ("intervals",)


def test_the_same_seed_gives_the_same_bytes(squiggles: Path, tmp_path: Path) -> None:
    """Training is a function of stores, settings and seed."""
    config = replace(CONFIG, max_steps=12, validate_every=5)
    paths = [
        train(squiggles, out=tmp_path / name, network="tcn", settings=NETWORK, config=replace(config, seed=seed)).bundle
        for name, seed in (("one", 1), ("two", 1), ("other", 2))
    ]
    one, two, other = [path.read_bytes() for path in paths]

    assert one == two
    assert one != other


def test_a_killed_run_ends_like_an_undisturbed_one(squiggles: Path, undisturbed: Path, tmp_path: Path) -> None:
    """Killed after a checkpoint and started again, a run of so many steps gives the same bundle, byte for byte."""
    out = tmp_path / "run"
    code, _ = Process(squiggles, out).send(signal.SIGKILL, once=out / "checkpoints" / "last.ckpt")
    half_done = not (out / BUNDLE).exists()
    bundle = train(squiggles, out=out, network="tcn", settings=NETWORK, config=LONG).bundle

    assert (code, half_done) == (-signal.SIGKILL, True)
    assert bundle.read_bytes() == undisturbed.read_bytes()
    assert not (out / "checkpoints").exists()


@pytest.mark.parametrize("loader_workers", [0, 2])
def test_a_failed_run_goes_on_with_the_next_step(loader_workers: int, squiggles: Path, tmp_path: Path) -> None:
    """A run that ended between two checkpoints repeats what came after the last one, whoever gathers the windows."""
    config = replace(CONFIG, loader_workers=loader_workers)
    steps = [None] * 25
    with pytest.raises(IndexError):
        TrainingRun([Store(squiggles)], tmp_path / "one", "tcn", NETWORK, config).fit(lambda *_: steps.pop())
    resumed, whole = (
        train(squiggles, out=tmp_path / name, network="tcn", settings=NETWORK, config=config).bundle
        for name in ("one", "two")
    )

    assert resumed.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("model", ["alexnet", "crnn"])
def test_dropout_and_memory_go_on_too(model: str, squiggles: Path, tmp_path: Path) -> None:
    """What is drawn at random in a network, and what a recurrent one learns, are the same after a failure."""
    config, settings = replace(CONFIG, max_steps=8, validate_every=3), replace(TINY[model], dropout=0.3)
    steps = [None] * 5
    with pytest.raises(IndexError):
        TrainingRun([Store(squiggles)], tmp_path / "one", model, settings, config).fit(lambda *_: steps.pop())
    resumed, whole = (
        train(squiggles, out=tmp_path / n, network=model, settings=settings, config=config).bundle
        for n in ("one", "two")
    )

    assert resumed.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    "end", [{"max_steps": 6}, {"max_steps": 400, "learning_rate": 1e-12, "patience": 1}], ids=["steps", "patience"]
)
def test_a_run_killed_at_its_end_does_not_train_on(
    end: dict[str, Any], squiggles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that had come to its end, and was killed before it wrote its bundle, has nothing but that left to do."""
    config = replace(CONFIG, validate_every=2, **end)
    killed = TrainingRun([Store(squiggles)], tmp_path / "one", "tcn", NETWORK, config)
    monkeypatch.setattr(killed, "write_bundle", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        killed.fit(lambda *_: None)
    resumed, whole = (
        train(squiggles, out=tmp_path / name, network="tcn", settings=NETWORK, config=config).bundle
        for name in ("one", "two")
    )

    assert resumed.read_bytes() == whole.read_bytes()
    assert not (tmp_path / "one" / "logs" / "csv" / "version_1" / "metrics.csv").exists()


def test_an_interrupted_run_is_usable_and_goes_on(squiggles: Path, undisturbed: Path, tmp_path: Path) -> None:
    """Ctrl-C leaves a bundle and one line of words; the same command ends like an undisturbed run."""
    out = tmp_path / "run"
    code, errors = Process(squiggles, out).send(signal.SIGINT, once=out / "checkpoints" / "best.ckpt")
    early = evaluate(out / BUNDLE, squiggles, baselines=[]).scores["model"]
    bundle = train(squiggles, out=out, network="tcn", settings=NETWORK, config=LONG).bundle

    assert code == 130
    assert errors.splitlines()[-1] == "poreconv train: interrupted; run the same command again to resume"
    assert "Traceback" not in errors
    assert early["n_reads"] > 0
    assert bundle.read_bytes() == undisturbed.read_bytes()


def test_what_is_half_written_has_no_final_name(
    squiggles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a checkpoint is being written, the name that resuming looks for is free or holds a whole one."""
    seen: list[list[str]] = []

    def watched(self: TorchCheckpointIO, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        Path(path).write_bytes(b"half")
        for final in Path(path).parents[1].glob("*.ckpt"):
            torch.load(final, weights_only=True)
        seen.append([Path(path).parent.name])
        torch.save(checkpoint, path)

    monkeypatch.setattr(TorchCheckpointIO, "save_checkpoint", watched)
    train(
        squiggles,
        out=tmp_path / "run",
        network="tcn",
        settings=NETWORK,
        config=replace(CONFIG, max_steps=9, validate_every=3),
    )

    assert len(seen) > 3
    assert all(name.endswith(".partial") for [name] in seen)


def test_a_finished_run_is_not_run_again(squiggles: Path, undisturbed: Path) -> None:
    """The same command finds the bundle and leaves it."""
    before = undisturbed.stat().st_mtime_ns
    again = train(squiggles, out=undisturbed.parent, network="tcn", settings=NETWORK, config=LONG).bundle

    assert (again, again.stat().st_mtime_ns) == (undisturbed, before)


def test_another_training_needs_another_folder(squiggles: Path, undisturbed: Path) -> None:
    """Other settings are refused, and the bundle stays."""
    before = undisturbed.read_bytes()
    with pytest.raises(ConfigError, match="holds a training run with other stores or settings; --overwrite"):
        train(squiggles, out=undisturbed.parent, network="tcn", settings=NETWORK, config=replace(LONG, seed=5))

    assert undisturbed.read_bytes() == before


def test_a_folder_with_somebody_elses_model_is_not_taken(squiggles: Path, tmp_path: Path) -> None:
    """A bundle that no run of this folder wrote is neither overwritten nor given back as the result."""
    foreign = bundle_at(tmp_path / BUNDLE)
    before = foreign.read_bytes()
    with pytest.raises(ConfigError, match="choose another --out"):
        train(squiggles, out=tmp_path, network="tcn", settings=NETWORK, config=CONFIG)

    assert foreign.read_bytes() == before


def test_the_last_steps_are_validated(squiggles: Path, tmp_path: Path) -> None:
    """Also where the steps are no multiple of those between validations, or fewer."""
    for max_steps, validations in ((10, 3), (3, 1), (8, 2)):
        config = replace(CONFIG, max_steps=max_steps, validate_every=4)
        train(squiggles, out=tmp_path / str(max_steps), network="tcn", settings=NETWORK, config=config)

        assert len(logged(tmp_path / str(max_steps), "validation_score")) == validations


def test_the_learning_rate_comes_down_by_steps(squiggles: Path, undisturbed: Path) -> None:
    """At the last step the rate is nearly 0, and its peak is the one that was asked for."""
    rates = logged(undisturbed.parent, "lr-AdamW")

    assert max(rates) == pytest.approx(LONG.learning_rate, rel=0.02)
    assert rates[-1] < 0.01 * LONG.learning_rate


def test_the_learning_rate_comes_down_by_time(squiggles: Path, tmp_path: Path) -> None:
    """Under a time limit that comes first, the rate has come down all the same; a busy machine does few steps."""
    config = replace(CONFIG, max_steps=10**6, max_time="00:00:00:03")
    run = TrainingRun([Store(squiggles)], tmp_path / "run", "tcn", NETWORK, config)
    run.fit(lambda *_: None)
    rates = logged(tmp_path / "run", "lr-AdamW")

    assert run.bundle.exists()
    assert rates[-1] < 0.2 * config.learning_rate < 0.5 * config.learning_rate < max(rates)


def test_a_run_stops_where_nothing_gets_better(squiggles: Path, tmp_path: Path) -> None:
    """With a patience of one validation and hardly any learning, a run ends long before its steps."""
    config = replace(CONFIG, max_steps=400, learning_rate=1e-12, validate_every=2, patience=1)
    train(squiggles, out=tmp_path / "run", network="tcn", settings=NETWORK, config=config)

    assert len(logged(tmp_path / "run", "validation_score")) < 10


def test_the_best_weights_and_their_threshold_are_kept(squiggles: Path, tmp_path: Path) -> None:
    """The bundle holds the checkpoint with the best score, and a decoding that is as good on whole reads."""
    run = TrainingRun([Store(squiggles)], tmp_path / "run", "tcn", NETWORK, CONFIG)
    run.fit(lambda *_: None)
    _, recipe = load_bundle(run.bundle)
    labelled = evaluate(run.bundle, squiggles, baselines=[], config=None)
    best = max(logged(tmp_path / "run", "validation_score"))

    assert recipe.decoding == run.decoding()
    assert (recipe.decoding.temperature, recipe.decoding.bias) != (1, ())
    assert labelled.scores["model"]["f1_1"] == pytest.approx(best, abs=0.15)


def test_ctrl_c_does_not_wait_for_the_choice(squiggles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle with the threshold of the last validation is there before anything is chosen."""
    run = TrainingRun(
        [Store(squiggles)], tmp_path / "run", "tcn", NETWORK, replace(CONFIG, max_steps=4, validate_every=2)
    )
    monkeypatch.setattr(run, "decoding", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run.fit(lambda *_: None)
    _, recipe = load_bundle(run.bundle)

    assert recipe.decoding == DecodeConfig(round(float(run.module.objective.threshold), 4))
    assert not run.finished


def test_a_run_says_what_it_is(undisturbed: Path) -> None:
    """A finished folder holds the bundle, what it was made of, and logs; nothing half-done."""
    plan = json.loads((undisturbed.parent / "run.json").read_text())

    assert sorted(path.name for path in undisturbed.parent.iterdir()) == ["logs", BUNDLE, "run.json"]
    assert plan["config"]["max_steps"] == LONG.max_steps


def test_stores_without_a_side_to_validate_on(squiggles: Path, tmp_path: Path) -> None:
    """A store that cannot be validated on is refused before the folder is taken."""
    store = store_of(squiggles.parent / "reads", tmp_path / "store", split=SplitConfig(validation=0.0))
    with pytest.raises(StoreError, match="no labelled read in split validation"):
        train(store, out=tmp_path / "run", network="tcn", settings=NETWORK, config=CONFIG)

    assert not (tmp_path / "run").exists()


def test_a_training_starts_from_another_models_weights(heartbeats: Path, undisturbed: Path, tmp_path: Path) -> None:
    """Its first weights are the other's, and the recipe remembers what those were trained on."""
    config = replace(CONFIG, start_from=str(undisturbed))
    squiggles = squiggle_store(tmp_path / "other", seed=5)
    run = TrainingRun([Store(squiggles)], tmp_path / "run", "tcn", replace(NETWORK, dropout=0.0), config)
    run.write_bundle()
    (before, theirs), (after, recipe) = load_bundle(undisturbed), load_bundle(run.bundle)

    assert all(torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(), strict=True))
    assert recipe.before == theirs.seen
    assert recipe.runs != theirs.runs


def test_a_network_learns_from_a_teacher(squiggles: Path, undisturbed: Path, tmp_path: Path) -> None:
    """Its probabilities come near the teacher's, labelled or not; and its recipe lists the teacher's data."""
    config = replace(LONG, teacher=str(undisturbed), teacher_share=1.0)
    run = TrainingRun([Store(squiggles)], tmp_path / "run", "strided", TINY["strided"], config)
    teacher, theirs = load_bundle(undisturbed)
    x_B1T, _ = next(iter(run.data.train_dataloader()))
    with torch.no_grad():
        before = float(run.module.eval().teacher_loss(run.module(x_B1T), x_B1T))
    run.module.train()
    run.fit(lambda *_: None)
    with torch.no_grad():
        after = float(run.module.eval().teacher_loss(run.module(x_B1T), x_B1T))
        p_BCT = teacher(x_B1T).softmax(1)
    least = float(-(p_BCT * p_BCT.log()).sum(1).mean())

    assert least < after < before - 0.3 * (before - least)
    assert load_bundle(run.bundle)[1].before == theirs.seen


def test_a_teacher_of_something_else_is_refused(squiggles: Path, undisturbed: Path, tmp_path: Path) -> None:
    """Other classes cannot be learnt from it."""
    other = bundle_at(tmp_path / "m.safetensors", "tcn", task="segment", classes=("a", "b"))
    with pytest.raises(
        ConfigError, match=r"teacher: .* was trained for segment a, b at 4000 Hz, and this training is for boundary"
    ):
        TrainingRun([Store(squiggles)], tmp_path / "run", "tcn", NETWORK, replace(CONFIG, teacher=str(other)))


@pytest.mark.parametrize("settings", [Heartbeat(), replace(NETWORK, channels=13)])
def test_weights_of_another_architecture_are_refused(
    settings: Any, squiggles: Path, undisturbed: Path, tmp_path: Path
) -> None:
    """Another network, or another size of it, cannot start from them."""
    name = "heartbeat" if isinstance(settings, Heartbeat) else "tcn"
    with pytest.raises(ConfigError, match=f"start_from: .* does not fit a {name}"):
        TrainingRun([Store(squiggles)], tmp_path / "run", name, settings, replace(CONFIG, start_from=str(undisturbed)))


def test_unknown_model_and_accelerator(squiggles: Path, tmp_path: Path) -> None:
    """Names that don't exist are answered in one line, and take no folder."""
    with pytest.raises(ConfigError, match="network 'lstm' is not known; choose one of"):
        train(squiggles, out=tmp_path / "run", network="lstm", config=CONFIG)
    with pytest.raises(ConfigError, match="accelerator 'abacus'"):
        train(squiggles, out=tmp_path / "run", config=replace(CONFIG, accelerator="abacus"))


@pytest.mark.filterwarnings(
    "ignore:.torch.jit.script_method. is deprecated:DeprecationWarning"
)  # torch's own use of it
def test_a_compiled_network_learns_the_same(squiggles: Path, tmp_path: Path) -> None:
    """Its losses are those of one that is not, and so are the names in its bundle."""
    short, settings = replace(CONFIG, max_steps=4, validate_every=2), Heartbeat(channels=4, layers=1)
    for name in ("plain", "compiled"):
        config = replace(short, compile=name == "compiled")
        load_bundle(train(squiggles, out=tmp_path / name, network="heartbeat", settings=settings, config=config).bundle)
    plain, compiled = (logged(tmp_path / name, "train_loss") for name in ("plain", "compiled"))

    assert compiled == pytest.approx(plain, rel=1e-3)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory is kept with glibc only")
def test_memory_is_kept_while_training_lasts() -> None:
    """What is freed meanwhile stays with the process, and goes back to the system afterwards."""
    done = subprocess.run([sys.executable, "-c", KEEP], capture_output=True, text=True, check=True)
    held, kept, after = map(int, done.stdout.split())

    assert kept > held - 2**24
    assert after < held - 2**25


KEEP = """
import os
import numpy as np
from poreconv.training.trainer import memory_kept

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

with memory_kept():
    block = np.ones(2**26, np.int8)
    held = resident()
    del block
    kept = resident()
print(held, kept, resident())
"""
"""In a process of its own, whose heap nothing else has cut up."""


def test_the_users_warnings_stay(recwarn: pytest.WarningsRecorder) -> None:
    """What is left out while Lightning runs is left out then only."""
    with quiet():
        warnings.warn("The loader does not have many workers", UserWarning, stacklevel=1)
    with pytest.warns(UserWarning, match="many workers"):
        warnings.warn("The loader does not have many workers", UserWarning, stacklevel=1)

    assert len(recwarn) == 0


SHORT = replace(CONFIG, max_steps=4, validate_every=2)


@pytest.fixture(scope="module")
def reported(squiggles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a short run with its report."""
    return command.train(
        squiggles, out=tmp_path_factory.mktemp("run"), network="tcn", settings=NETWORK, config=SHORT
    ).bundle.parent


def test_a_run_tells_how_good_it_is(squiggles: Path, reported: Path) -> None:
    """On the test reads, as `evaluate` judges them, beside the baselines."""
    found = read_evaluation(reported / RUN_EVALUATION)

    assert to_plain(found.scores) == to_plain(evaluate(reported / BUNDLE, squiggles).scores)
    assert (found.data["split"], found.ledger.dropped) == ("test", 0)
    assert f"{found.scores['model']['f1_1']:.3f}" in (reported / REPORT).read_text()


def test_a_runs_report_has_curves_and_settings(reported: Path, tmp_path: Path) -> None:
    """The command writes the same page again, from the training run's own files."""
    again = report(reported, out=tmp_path / "again.html").read_text()

    assert again == (reported / REPORT).read_text()
    assert "How the training went" in again
    assert "learning_rate" in again


def test_a_report_is_written_once(squiggles: Path, reported: Path) -> None:
    """A training run that is finished and has its report is left alone."""
    before = (reported / REPORT).stat().st_mtime_ns
    command.train(squiggles, out=reported, network="tcn", settings=NETWORK, config=SHORT)

    assert (reported / REPORT).stat().st_mtime_ns == before


def test_a_run_killed_before_its_report_writes_it_later(
    squiggles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundle is there already, and the same command judges it without training again."""
    with monkeypatch.context() as patch:
        patch.setattr(command, "judge_together", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            command.train(squiggles, out=tmp_path, network="tcn", settings=NETWORK, config=SHORT)
    before = (tmp_path / BUNDLE).stat().st_mtime_ns
    command.train(squiggles, out=tmp_path, network="tcn", settings=NETWORK, config=SHORT)

    assert (tmp_path / REPORT).exists()
    assert (tmp_path / BUNDLE).stat().st_mtime_ns == before


def test_a_model_that_cannot_be_judged_is_there(
    squiggles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that fails is warned of; the training was not for nothing."""
    monkeypatch.setattr(command, "write_report", raising(StoreError("nothing to judge on")))
    with pytest.warns(UserWarning, match="no report on the model: nothing to judge on"):
        bundle = command.train(squiggles, out=tmp_path, network="tcn", settings=NETWORK, config=SHORT).bundle

    assert load_bundle(bundle)


def raising(error: Exception) -> Callable[..., None]:
    """Give a function that raises."""

    def fail(*_: object) -> None:
        raise error

    return fail


def test_without_test_reads_validation_judges(squiggles: Path, tmp_path: Path) -> None:
    """And the report states that the model was chosen on these reads."""
    split = SplitConfig(validation=0.5, test=0.0)
    store = store_of(squiggles.parent / "reads", tmp_path / "store", split=split)
    command.train(store, out=tmp_path / "run", network="tcn", settings=NETWORK, config=SHORT)

    assert read_evaluation(tmp_path / "run" / RUN_EVALUATION).data["split"] == "validation"
    assert "the scores are optimistic" in (tmp_path / "run" / REPORT).read_text()


def test_judging_a_run_is_bounded(squiggles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a huge test split some reads are judged, and the report states how many."""
    monkeypatch.setattr(command, "MOST_JUDGED", 3000)
    command.train(squiggles, out=tmp_path, network="tcn", settings=NETWORK, config=SHORT)
    data = read_evaluation(tmp_path / RUN_EVALUATION).data

    assert 0 < data["reads_taken"] < data["reads_in_split"]
    assert "taken at even intervals" in (tmp_path / REPORT).read_text()


def test_a_training_that_diverges_ends_without_a_model(squiggles: Path, tmp_path: Path) -> None:
    """Weights that are not finite are not written, and what to do stands in the message."""
    with pytest.raises(PoreconvError, match=r"(not|no longer) finite.*learning_rate"):
        train(
            squiggles, out=tmp_path / "run", network="tcn", settings=NETWORK, config=replace(CONFIG, learning_rate=1e30)
        )

    assert not (tmp_path / "run" / BUNDLE).exists()


def test_a_model_whose_scores_are_not_finite_is_not_left(squiggles: Path, tmp_path: Path) -> None:
    """Weights can be finite, and their sums too large."""
    run = TrainingRun([Store(squiggles)], tmp_path / "run", "tcn", NETWORK, CONFIG)
    with torch.no_grad():
        run.module.network.head.bias.fill_(3e38)
        run.module.network.head.weight.fill_(3e38)
    (tmp_path / "run/checkpoints").mkdir()
    with pytest.raises(BundleError, match="scores are not finite"):
        run._finish(lambda *_: None)

    assert not run.bundle.exists()
