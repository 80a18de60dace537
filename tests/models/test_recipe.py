from collections import Counter
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from poreconv.config import DecodeConfig, FitConfig, NormalisationConfig, SplitConfig
from poreconv.dataset.splits import split_of
from poreconv.errors import ConfigError, ReadDropped
from poreconv.models.architectures import ARCHITECTURES, Tcn
from poreconv.models.recipe import Recipe, Seen
from poreconv.reads.read import Read
from poreconv.runtime.records import from_json, from_plain, to_json, to_plain
from tests.support.signal_files import reads_made

RECIPE = Recipe(
    task="boundary",
    classes=("inside", "boundary"),
    network="tcn",
    network_settings=asdict(Tcn(channels=8)),
    sample_rate_hz=4000.0,
    chemistries=("dna_r9.4.1",),
    class_counts=(900, 100),
    mean_dwell=9.5,
    split=SplitConfig(by="channel", seed=3),
    runs=("run1", "run2"),
    moved={"run1:7": "validation"},
    before=(Seen(SplitConfig(seed=7), ("run0",), {"a": "train"}), Seen(SplitConfig(by="run"), ())),
    normalisation=NormalisationConfig(clip=4.0),
    decoding=DecodeConfig(0.3, "segmental", 0.25, dwell_hazards=(0.01, 0.2), temperature=1.2, bias=(0.0, -0.5)),
    labels=("tombo",),
    data=("0" * 64,),
    poreconv_version="0.1.0",
)


def a_read(**fields: Any) -> Read:
    """Return one read of the recipe's kind, with some fields replaced."""
    return reads_made(1, **fields)[0]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_recipe_survives_json(name: str) -> None:
    """Tuples within an architecture's settings stay tuples."""
    recipe = replace(RECIPE, network=name, network_settings=asdict(ARCHITECTURES[name].settings()))

    again = from_json(to_json(recipe), Recipe)

    assert again == recipe
    assert ARCHITECTURES[name].settings(**again.network_settings) == ARCHITECTURES[name].settings()


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "not JSON", '{"schema_version": 1}'])
def test_what_is_not_a_recipe_is_refused(text: str) -> None:
    """Whatever a file's header contains, reading it ends in one error."""
    with pytest.raises(ConfigError, match="recipe"):
        from_json(text, Recipe, "recipe")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 99}, "schema version 99"),
        ({"task": "sing"}, "task 'sing' is not known; choose one of boundary, segment"),
        ({"classes": ["one"]}, "differ in length"),
        ({"sample_rate_hz": 0}, "0 Hz"),
        ({"split": {"by": "moon"}}, r"split\.by: unknown value 'moon'"),
        ({"split": 3}, "recipe: split: expected object, got int"),
        ({"decoding": {"threshold": 7}}, "threshold: 7"),
        ({"decoding": {"method": "guess"}}, r"decoding\.method: unknown value 'guess'"),
        ({"decoding": {"method": "segmental"}}, "segmental needs one of them"),
        ({"decoding": {"dwell_hazards": [0.5, 1]}}, "must lie between 0 and 1"),
        ({"decoding": {"temperature": 0}}, "temperature: 0"),
        ({"colour": "red"}, "recipe: unknown field 'colour'"),
        ({"before": [{"split": {}, "runs": [], "colour": "red"}]}, "recipe: before: unknown field 'colour'"),
        ({"mean_dwell": None}, "recipe: mean_dwell: expected float, got null"),
        ({"runs": ["a", 3]}, r"recipe: runs\[1\]: expected str, got int"),
        ({"moved": {"a": "exam"}}, r"recipe: moved\[...\]: unknown value 'exam'"),
        ({"class_counts": [1.5, 2]}, r"recipe: class_counts\[0\]: expected int, got float"),
    ],
)
def test_an_impossible_recipe_is_refused(change: dict[str, Any], message: str) -> None:
    """The message names the field."""
    plain = to_plain(RECIPE) | change
    with pytest.raises(ConfigError, match=message):
        from_plain(plain, Recipe, "recipe")


@given(st.text(max_size=9), st.text(max_size=9), st.integers(0, 600), st.integers(0, 9))
def test_a_split_is_a_function_of_its_key(read_id: str, run_id: str, channel: int, seed: int) -> None:
    """The same read is in the same split, wherever its file is; other fields don't matter."""
    by_read, by_run = SplitConfig(seed=seed), SplitConfig(by="run", seed=seed)
    one = split_of(by_read, read_id=read_id, run_id=run_id, channel=channel)

    assert one == split_of(by_read, read_id=read_id, run_id="another", channel=channel + 1)
    assert split_of(by_run, read_id=read_id, run_id=run_id, channel=0) == split_of(
        by_run, read_id="x", run_id=run_id, channel=1
    )


def test_the_hash_is_fixed() -> None:
    """A model trained years ago still knows which reads it has seen."""
    sides = [split_of(SplitConfig(), read_id=f"read{i}", run_id="", channel=0) for i in range(3, 8)]

    assert sides == ["train", "test", "train", "validation", "train"]


def test_shares_are_about_those_asked_for() -> None:
    """Within four standard deviations of a fair draw."""
    n, config = 4000, SplitConfig(validation=0.1, test=0.3)
    counts = Counter(split_of(config, read_id=f"read-{i}", run_id="", channel=0) for i in range(n))

    assert counts["test"] / n == pytest.approx(0.3, abs=4 * (0.3 * 0.7 / n) ** 0.5)
    assert counts["validation"] / n == pytest.approx(0.1, abs=4 * (0.1 * 0.9 / n) ** 0.5)


@pytest.mark.parametrize(("validation", "test", "side"), [(0, 0, "train"), (0, 1, "test"), (0.4, 0.6, None)])
def test_extreme_shares_are_exact(validation: float, test: float, side: str | None) -> None:
    """All means all, none means none."""
    config = SplitConfig(validation=validation, test=test)
    sides = {split_of(config, read_id=str(i), run_id="", channel=0) for i in range(300)}

    assert sides == ({side} if side else {"test", "validation"})


def test_channels_of_different_runs_are_different() -> None:
    """Splitting by channel keeps a channel of a run together, not one number over all runs."""
    config = SplitConfig(by="channel", test=0.5)
    sides = {split_of(config, read_id="r", run_id=f"run{i}", channel=7) for i in range(40)}

    assert {"test", "train"} <= sides


@pytest.mark.parametrize("rate", [4000.0, 4079.0, 3921.0])
def test_a_sample_rate_within_two_percent_is_accepted(rate: float) -> None:
    """Clocks differ a little."""
    assert RECIPE.misfit(a_read(sample_rate_hz=rate)) is None


@pytest.mark.parametrize("rate", [5000.0, 4081.0, 3919.0, 250.0])
def test_another_sample_rate_is_refused(rate: float) -> None:
    """The text names both rates."""
    expected = ("wrong_rate", f"{rate:g} Hz, and the model was trained on 4000 Hz")

    assert RECIPE.misfit(a_read(sample_rate_hz=rate)) == expected


@pytest.mark.parametrize(("rate", "fits"), [(5000.0, True), (4081.0, True), (3012.0, False)])
def test_a_higher_rate_can_be_resampled(rate: float, fits: bool) -> None:
    """A lower one has not got the steps that the model knows."""
    read, resampled = a_read(sample_rate_hz=rate), FitConfig(resample=True)

    assert (RECIPE.misfit(read, resampled) is None) == fits
    assert RECIPE.resamples(read, resampled)


def test_a_known_rate_is_not_resampled() -> None:
    """Asked for, it changes nothing in reads of the model's own rate."""
    assert not RECIPE.resamples(a_read(sample_rate_hz=4050.0), FitConfig(resample=True))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kit": "SQK-RNA002", "experiment": "rna"}, "rna002"),
        ({"pore": "", "kit": "", "experiment": "rna"}, "rna"),
        ({"pore": "FLO-MIN114", "kit": "SQK-LSK114", "sample_rate_hz": 5000.0}, "dna_r10.4.1"),
    ],
)
def test_a_known_other_chemistry_is_refused(fields: dict[str, Any], code: str) -> None:
    """RNA by a DNA model, and one pore family by a model of another, whatever the rate; unless any will do."""
    expected = ("wrong_chemistry", f"{code}, and the model was trained on dna_r9.4.1")
    anything = FitConfig(any_chemistry=True, resample=True)

    assert RECIPE.misfit(a_read(**fields)) == expected
    assert RECIPE.misfit(a_read(**fields), anything) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"pore": "", "kit": "", "experiment": ""},
        {"pore": "", "kit": "", "experiment": "genomic_dna"},
        {"pore": "FLO-MIN107"},
        {"kit": "SQK-LSK108"},
    ],
)
def test_an_unknown_or_minor_difference_is_accepted(fields: dict[str, str]) -> None:
    """Files often don't contain the chemistry, and kits of one pore family are alike."""
    assert RECIPE.misfit(a_read(**fields)) is None


def test_one_of_several_chemistries_suffices() -> None:
    """A model trained on a mixture labels each of its parts; codes compare whatever their case."""
    mixed = replace(RECIPE, chemistries=("rna002", "DNA_R10.4.1"))

    assert mixed.misfit(a_read(pore="flo-min114")) is None


def test_reads_that_trained_the_model_are_not_judged_on() -> None:
    """Each is a named drop; the model's test reads are not."""
    recipe = replace(RECIPE, split=SplitConfig(), runs=("run1",))
    outcomes = Counter(outcome(recipe, read) for read in reads_made(300, run_id="run1"))

    assert set(outcomes) == {"in_train", "in_validation", "unseen"}
    assert outcomes["unseen"] == sum(
        split_of(recipe.split, read_id=read.read_id, run_id="run1", channel=0) == "test" for read in reads_made(300)
    )


def test_reads_of_other_runs_are_unseen() -> None:
    """The rule does not apply to reads that were never in the store."""
    assert {outcome(RECIPE, read) for read in reads_made(50, run_id="another")} == {"unseen"}


def outcome(recipe: Recipe, read: Read) -> str:
    """Return the reason of the leak guard's drop, or "unseen"."""
    try:
        recipe.check_unseen(read)
    except ReadDropped as exc:
        return exc.reason
    return "unseen"


def test_moved_reads_are_where_they_were_moved_to() -> None:
    """The guard asks the list before the rule, wherever a read comes from; the list of an earlier model counts too."""
    reads = reads_made(3, run_id="another")
    moved = dict(zip((read.read_id for read in reads), ("train", "validation", "test"), strict=True))
    recipe = replace(RECIPE, split=SplitConfig(test=0.0), runs=("run1",), moved=moved)
    later = replace(RECIPE, before=recipe.seen)

    assert [outcome(recipe, read) for read in reads] == ["in_train", "in_validation", "unseen"]
    assert [outcome(later, read) for read in reads] == ["in_train", "in_validation", "unseen"]
    assert outcome(recipe, replace(reads[2], run_id="run1")) == "unseen"


def test_a_moved_run_is_moved_with_all_its_reads() -> None:
    """Also with those that the store did not have, as it was the run that was moved."""
    recipe = replace(RECIPE, split=SplitConfig(by="run", test=1.0, validation=0.0), runs=(), moved={"run1": "train"})

    assert {outcome(recipe, read) for read in reads_made(5, run_id="run1")} == {"in_train"}
    assert {outcome(recipe, read) for read in reads_made(5, run_id="run2")} == {"unseen"}


def test_reads_that_trained_an_earlier_model_are_not_unseen() -> None:
    """The rules of all models that a model started from apply, each to its own runs."""
    recipe = replace(RECIPE, before=(Seen(SplitConfig(validation=0.0, test=0.0), ("earlier",)),))

    assert {outcome(recipe, read) for read in reads_made(5, run_id="earlier")} == {"in_train"}
    assert {outcome(recipe, read) for read in reads_made(5, run_id="neither")} == {"unseen"}
