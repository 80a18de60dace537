from dataclasses import replace
from typing import Any

import pytest

from poreconv.config import FitConfig
from poreconv.errors import ConfigError, MismatchError
from poreconv.models.fitting import JudgeableReads, check_fits, check_stated, chosen_model, stated
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read
from tests.support.models import recipe_for
from tests.support.signal_files import reads_made

UNKNOWN = {"pore": "", "kit": "", "experiment": ""}
R9, R10 = {"pore": "FLO-MIN106"}, {"pore": "FLO-MIN114", "kit": "SQK-LSK114"}
RNA = {"pore": "FLO-MIN106", "kit": "SQK-RNA002", "experiment": "rna", "sample_rate_hz": 3012.0}
RESAMPLE = FitConfig(resample=True)

RECIPES: dict[str, Recipe] = {
    "r9": recipe_for("tcn"),
    "r10_4khz": recipe_for("tcn", chemistries=("dna_r10.4.1",)),
    "r10_3khz": recipe_for("tcn", chemistries=("DNA_R10.4.1",), sample_rate_hz=3000.0),
    "r10.4": recipe_for("tcn", chemistries=("dna_r10.4",)),
}


def a_read(**fields: Any) -> Read:
    """Return one read, of R9.4.1 DNA at 4 kHz; ``fields`` overrides."""
    return reads_made(1, **fields)[0]


@pytest.mark.parametrize(
    ("fields", "code", "expected"),
    [
        (UNKNOWN, "", "unknown"),
        (UNKNOWN, "DNA_R10.4.1", "dna_r10.4.1"),
        (UNKNOWN | {"experiment": "rna"}, "rna004", "rna004"),
        (UNKNOWN | {"pore": "FLO-MIN106"}, "rna002", "rna002"),
        (UNKNOWN | {"experiment": "genomic_dna"}, "rna004", "dna"),
        (R10, "dna_r9.4.1", "dna_r10.4.1"),
    ],
)
def test_a_stated_chemistry_completes_that_of_the_file(fields: dict[str, Any], code: str, expected: str) -> None:
    """Where the file contains none, or a part that agrees; what it contains else stays."""
    assert stated(a_read(**fields), FitConfig(chemistry=code)).chemistry.code == expected


def test_a_chemistry_that_is_not_known_is_refused() -> None:
    """The message lists those that are, and the nearest; a model's own chemistry is one of them."""
    with pytest.raises(
        ConfigError, match=r"chemistry: 'dna_r10\.4\.2'; choose one of dna_r10, .*; did you mean dna_r10"
    ):
        check_stated(FitConfig(chemistry="dna_r10.4.2"), [RECIPES["r9"]])
    check_stated(FitConfig(chemistry="MyPore"), [recipe_for("tcn", chemistries=("mypore",))])
    check_stated(FitConfig(), [])


@pytest.mark.parametrize(
    ("fields", "reason", "ways"),
    [
        (R10, "wrong_chemistry", ["use dna_r10.4.1_boundary, which comes with poreconv", "train a model"]),
        (
            R10 | {"sample_rate_hz": 7000.0},
            "wrong_chemistry",
            ["use dna_r10.4.1_5khz_boundary, which comes with poreconv, with --resample", "train a model"],
        ),
        (R9 | {"sample_rate_hz": 7000.0}, "wrong_rate", ["use --resample", "train a model"]),
        (R9 | {"sample_rate_hz": 2000.0}, "wrong_rate", ["train a model"]),
        ({"kit": "SQK-RNA004"}, "wrong_chemistry", ["use rna004_boundary, which comes with poreconv", "train a model"]),
        (
            R10 | {"sample_rate_hz": 5000.0},
            "wrong_chemistry",
            ["use dna_r10.4.1_5khz_boundary, which comes with poreconv", "train a model"],
        ),
    ],
)
def test_a_refusal_names_what_would_work(fields: dict[str, Any], reason: str, ways: list[str]) -> None:
    """A shipped model, then resampling, then training; only what would."""
    with pytest.raises(MismatchError) as caught:
        check_fits(RECIPES["r9"], a_read(**fields))
    named = str(caught.value).partition("; ")[2].split(", or ")

    assert caught.value.reason == reason
    assert [way.partition(" on such reads")[0] for way in named] == ways


@pytest.mark.parametrize(
    ("fields", "fit", "expected"),
    [
        (R9, FitConfig(), "r9"),
        (R10, FitConfig(), "r10_4khz"),
        (R10 | {"pore": "FLO-MIN112"}, FitConfig(), "r10.4"),
        (R10 | {"sample_rate_hz": 3000.0}, FitConfig(), "r10_3khz"),
        (R10, RESAMPLE, "r10_4khz"),
        (R10 | {"sample_rate_hz": 5000.0}, RESAMPLE, "r10_4khz"),
        (R10 | {"sample_rate_hz": 3500.0}, RESAMPLE, "r10_3khz"),
    ],
)
def test_the_model_that_fits_is_chosen(fields: dict[str, Any], fit: FitConfig, expected: str) -> None:
    """One of the read's own rate before one that resamples, and one of its very chemistry before its family's."""
    assert chosen_model(RECIPES, a_read(**fields), fit) == expected


@pytest.mark.parametrize(
    ("fields", "reason", "message"),
    [
        (UNKNOWN, "unknown_chemistry", "chemistry unknown, .* --chemistry dna_r10.4.1, or name a model$"),
        (UNKNOWN | {"experiment": "rna"}, "unknown_chemistry", "chemistry rna, .* --chemistry rna002, or name"),
        (RNA, "wrong_chemistry", "rna002, and no model for it comes with poreconv; train a model"),
        (R10 | {"sample_rate_hz": 5000.0}, "wrong_rate", "trained on 3000, 4000 Hz; use --resample, or train"),
        (R9 | {"sample_rate_hz": 2000.0}, "wrong_rate", "trained on 4000 Hz; train a model"),
    ],
)
def test_where_no_model_fits(fields: dict[str, Any], reason: str, message: str) -> None:
    """The reason, and what would work."""
    with pytest.raises(MismatchError, match=message) as caught:
        chosen_model(RECIPES, a_read(**fields))

    assert caught.value.reason == reason


def test_a_guard_admits_what_the_settings_let_in() -> None:
    """Reads that a model can be judged on are those that it labels with the same settings."""
    read, recipe = a_read(**R10), replace(RECIPES["r9"], runs=())
    JudgeableReads(recipe, fit=FitConfig(any_chemistry=True)).admit(read, "")

    with pytest.raises(MismatchError):
        JudgeableReads(recipe).admit(read, "")
