from pathlib import Path

import numpy as np
import pytest

from poreconv.config import IGNORE, MoleculeConfig, SimulateConfig, SourceConfig, SquiggleConfig
from poreconv.evaluation.baselines import BASELINES, changepoint
from poreconv.evaluation.metrics import BoundaryMetric
from poreconv.events.events import Events
from poreconv.events.targets import BASES, boundaries as boundaries_of
from poreconv.events.tasks import task_named
from poreconv.labels.opening import open_labels
from poreconv.models.recipe import Recipe
from poreconv.reads import steps
from poreconv.reads.read import Calibration, Read
from poreconv.reads.readers import open_reads
from poreconv.runtime.registry import lookup
from poreconv.simulate.squiggle import simulate

BOUNDARY_CLASSES = task_named("boundary").classes(())

TASKS = ("boundary", "segment", "base")
SIGNALS = {
    "empty": [],
    "one sample": [500],
    "two samples": [500, 700],
    "shorter than the windows": [500, 500, 700, 700, 700],
    "flat": [500] * 300,
    "step": [500] * 50 + [700] * 50,
    "railed": [-32768, 32767] * 50,
    "typical": list(np.repeat([500, 600, 450, 700], 12) + np.tile([-3, 2, 1, 0], 12)),
}


def recipe(task: str = "boundary", mean_dwell: float = 9.0) -> Recipe:
    """Make a recipe in which the last class is the most frequent."""
    classes = BOUNDARY_CLASSES if task == "boundary" else BASES if task == "base" else ("background", "beat", "spike")
    counts = tuple(range(1, len(classes) + 1))
    return Recipe(task, classes, "tcn", {}, 4000, ("dna_r9.4.1",), counts, mean_dwell)


def read_of(adc: object, kit: str = "") -> Read:
    """Wrap counts into a read."""
    return Read("r", np.asarray(adc, np.int16), Calibration(6, 1400 / 8192), 4000, kit=kit)


def detect(name: str, read: Read, by: Recipe) -> Events:
    """Run a baseline."""
    found: Events = lookup(BASELINES, name, kind="baseline")(read, by)
    return found


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_labels_every_read(name: str, signal: str, task: str) -> None:
    """Whatever the read and the task, events lie inside the read, and coverage is all of it."""
    adc = SIGNALS[signal]
    events = detect(name, read_of(adc), recipe(task))

    assert events.coverage.tolist() == ([[0, len(adc)]] if adc else [])
    assert not np.isnan(events.score).any()
    assert events.end.max(initial=0) <= len(adc)


@pytest.mark.parametrize("name", BASELINES)
def test_without_a_boundary_task_the_most_frequent_class_covers_the_read(name: str) -> None:
    """Baselines do not distinguish classes, so all samples get the most frequent one."""
    events = detect(name, read_of(SIGNALS["typical"]), recipe("segment"))

    assert events.duration.sum() == 48
    assert set(events.label.tolist()) == {2}
    assert events.classes == ("background", "beat", "spike")


@pytest.mark.parametrize("name", BASELINES)
def test_boundary_events_have_no_class(name: str) -> None:
    """For task `boundary`, events have no class."""
    assert detect(name, read_of(SIGNALS["typical"]), recipe()).classes == ()


@pytest.mark.parametrize("name", ["ttest", "changepoint"])
def test_a_step_is_found_where_it_is(name: str) -> None:
    """A noiseless step is cut at its first sample, and nowhere else."""
    events = detect(name, read_of(SIGNALS["step"]), recipe())

    assert events.start.tolist() == [0, 50]


@pytest.mark.parametrize("name", ["ttest", "changepoint"])
def test_a_flat_read_is_one_event(name: str) -> None:
    """A signal without steps has no boundary."""
    assert detect(name, read_of(SIGNALS["flat"]), recipe()).start.tolist() == [0]


def test_uniform_cuts_at_the_mean_dwell() -> None:
    """Steps are the recipe's mean dwell, rounded, at least 1; the last event ends with the read."""
    assert detect("uniform", read_of([0] * 20), recipe(mean_dwell=8.6)).start.tolist() == [0, 9, 18]
    assert len(detect("uniform", read_of([0] * 20), recipe(mean_dwell=0.2))) == 20


def test_majority_finds_no_boundary() -> None:
    """Most samples are no boundary."""
    assert len(detect("majority", read_of(SIGNALS["step"]), recipe())) == 0


def test_t_statistic_by_hand() -> None:
    """Means 2 and 8, variances 2/3 and 2/3: 6 over the root of 4/3 over 3 is 9."""
    pa = np.array([1, 2, 3, 7, 8, 9], np.float32)

    assert steps.t_statistic(pa, 3).tolist() == pytest.approx([0, 0, 0, 9, 0, 0], rel=1e-5)


def test_t_statistic_is_defined_to_the_last_window() -> None:
    """It is 0 only where a side does not fit."""
    t_n = steps.t_statistic(np.arange(10, dtype=np.float32) ** 2, 3)

    assert np.flatnonzero(t_n).tolist() == [3, 4, 5, 6, 7]


def test_rna_is_detected_with_longer_windows() -> None:
    """An RNA kit selects the settings for RNA, which see fewer steps."""
    read, *_ = next(simulate(SimulateConfig(1, 1), SquiggleConfig(molecule=MoleculeConfig(bases_mean=300))))

    assert len(detect("ttest", read_of(read.adc, "SQK-RNA002"), recipe())) < len(detect("ttest", read, recipe()))


@pytest.mark.parametrize("seed", range(5))
def test_ttest_boundaries_ascend(seed: int) -> None:
    """On noise that steps, the two detectors' boundaries come in order, each once."""
    rng = np.random.default_rng(seed)
    found = steps.find_steps(np.repeat(rng.normal(90, 14, 500), 4).astype(np.float32) + rng.normal(0, 2, 2000))

    assert (np.diff(found) > 0).all()


def test_windows_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segmenting in windows gives what segmenting the whole read gives."""
    read, *_ = next(
        simulate(SimulateConfig(1, 1), SquiggleConfig(molecule=MoleculeConfig(bases_mean=600, bases_min=600)))
    )
    in_windows = changepoint.changepoints(read.adc)
    monkeypatch.setattr(changepoint, "WINDOW", len(read.adc))

    assert len(read.adc) > 5000
    assert in_windows.tolist() == changepoint.changepoints(read.adc).tolist()


def test_noise_is_estimated_through_steps() -> None:
    """Steps every 9 samples raise the estimate a little only; a flat read has the noise of counting."""
    rng = np.random.default_rng(0)
    steps = np.repeat(rng.normal(500, 80, 2000), 9) + rng.normal(0, 10, 18000)

    assert changepoint.noise(steps) == pytest.approx(10, rel=0.2)
    assert changepoint.noise(np.full(9, 500.0)) == changepoint.noise(np.zeros(1)) == 1


def test_detectors_find_most_of_a_simulated_squiggle() -> None:
    """On simulated squiggles, optimal steps agree with the truth better than the t-test, and both beat blind cuts."""
    pairs = [
        (read, events)
        for read, events, _ in simulate(SimulateConfig(5), SquiggleConfig(molecule=MoleculeConfig(bases_mean=400)))
    ]
    f1 = {name: scores(pairs, name)["f1_1"] for name in ("ttest", "changepoint", "uniform")}

    assert f1["changepoint"] > 0.75 > f1["ttest"] > 0.55 > f1["uniform"]


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ttest", {"f1_0": 0.43, "f1_1": 0.56, "f1_2": 0.60, "f1_3": 0.62}),
        ("uniform", {"f1_1": 0.30, "f1_2": 0.47, "f1_3": 0.60}),
        ("changepoint", {"f1_0": 0.62, "f1_1": 0.79, "f1_2": 0.83, "f1_3": 0.85, "r_value": 0.85}),
    ],
)
def test_scores_on_lambda_reads(name: str, expected: dict[str, float], lambda_reads: list[tuple[Read, Events]]) -> None:
    """Against Tombo, each baseline scores what it is known to score: the t-test and blind cuts from other reads."""
    found = scores(lambda_reads, name)

    assert {key: found[key] for key in expected} == pytest.approx(expected, abs=0.03 if name == "ttest" else 0.02)


@pytest.mark.real
def test_f5c_boundaries_are_ttest_boundaries(real_data: Path) -> None:
    """f5c begins with this detector, so it has all of f5c's boundaries, to the sample."""
    folder = real_data / "dna_r94_ecoli_f5c_resquiggle"
    pairs = labelled(sorted((folder / "fast5").iterdir())[:12], "resquiggle_paf", [folder / "resquiggle.paf"])

    assert scores(pairs, "ttest")["recall_0"] > 0.999


@pytest.fixture(scope="module")
def lambda_reads(real_data: Path) -> list[tuple[Read, Events]]:
    """Real R9.4.1 reads with Tombo's events."""
    return labelled(sorted((real_data / "dna_r941_lambda_tombo").iterdir())[:20], "tombo", [])


def labelled(paths: list[Path], source: str, files: list[Path]) -> list[tuple[Read, Events]]:
    """Read signals and their labels."""
    labels = open_labels(source, files, SourceConfig())
    with open_reads(paths) as reads:
        pairs = [(read, labels.events(read)) for read in reads]
    labels.close()
    return [(read, events) for read, events in pairs if events is not None]


def scores(pairs: list[tuple[Read, Events]], name: str) -> dict[str, float]:
    """Score a baseline inside the coverage, where no aligner got stuck."""
    median_dwell = float(np.median(np.concatenate([events.duration for _, events in pairs])))
    metric = BoundaryMetric()
    for read, events in pairs:
        target = task_named("boundary").target(
            events, len(read.adc), task_named("boundary").longest_event(median_dwell)
        )
        found = detect(name, read, recipe()).start
        metric.update(boundaries_of(target), found[target[found] != IGNORE])
    return metric.compute()
