"""Which reads a model labels, which shipped model labels a read, and what would label those that do not fit."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from poreconv.config import FitConfig, require
from poreconv.errors import MismatchError
from poreconv.models.recipe import USUAL, Recipe
from poreconv.models.shipped import shipped_headers
from poreconv.reads.chemistry import CHEMISTRIES, chemistry_named
from poreconv.reads.read import Read
from poreconv.runtime.records import to_json
from poreconv.runtime.registry import ending_with_meant

RESAMPLED = FitConfig(resample=True)

RESAMPLE, TRAIN = "use --resample", "train a model on such reads (poreconv train --start_from MODEL)"
"""Ways to label a read that does not fit; the second one is always open."""


def check_stated(fit: FitConfig, recipes: Iterable[Recipe]) -> None:
    """Check that the chemistry that the user stated is one.

    Args:
        fit: With the chemistry, in upper or lower case; empty: none is stated.
        recipes: Of the models; their chemistries are known too.

    Raises:
        ConfigError: It is neither of the table nor one that a model was trained on.
    """
    own = {code.lower() for recipe in recipes for code in recipe.chemistries}
    known = sorted({code for code, chemistry in CHEMISTRIES.items() if chemistry.known} | own)
    code = fit.chemistry.lower()
    hint = ending_with_meant(code, known)
    require(not code or code in known, f"chemistry: {fit.chemistry!r}; choose one of {', '.join(known)}{hint}")


def stated(read: Read, fit: FitConfig) -> Read:
    """Return a read with the chemistry that the user stated, where its file does not contain all of it.

    Args:
        read: The read. A chemistry that contradicts the stated one stays.
        fit: With the chemistry.
    """
    own, given = read.chemistry, chemistry_named(fit.chemistry)
    if not fit.chemistry or own.known or own.conflicts_with(given):
        return read
    return replace(read, chemistry_code=given.code)


def check_fits(recipe: Recipe, read: Read, fit: FitConfig = USUAL) -> None:
    """Refuse a read that a model does not label.

    Args:
        recipe: The model's recipe.
        read: The read.
        fit: Which reads are labelled besides those of the kind that the model was trained on.

    Raises:
        MismatchError: As `Recipe.misfit` returns it; the message names what would work.
    """
    misfit = recipe.misfit(read, fit)
    if misfit is not None:
        ways = ", or ".join(_ways(recipe, read, fit))
        raise MismatchError(f"{read.where}: {misfit.text}; {ways}", reason=misfit.reason)


def _ways(recipe: Recipe, read: Read, fit: FitConfig) -> Iterator[str]:
    """Yield what would label a read that does not fit: a shipped model, resampling, a model of one's own."""
    as_it_is = fitting_model(recipe, read)
    if as_it_is:
        yield f"use {as_it_is}, which comes with poreconv"
    if recipe.misfit(read, replace(fit, resample=True)) is None:
        yield RESAMPLE
    elif not as_it_is and (resampled := fitting_model(recipe, read, RESAMPLED)):
        yield f"use {resampled}, which comes with poreconv, with --resample"
    yield TRAIN


def fitting_model(recipe: Recipe, read: Read, fit: FitConfig = USUAL) -> str:
    """Return the name of the shipped model that does a model's task on reads like this one; empty if there is none.

    Among several, one with the same classes is preferred, then one of the read's own rate, then one that was trained on
    exactly this chemistry.

    Args:
        recipe: Recipe of the model that does not fit the read.
        read: The read.
        fit: See `check_fits`.
    """
    others = {name: header.recipe for name, header in shipped_headers().items()}
    fitting = [name for name, other in others.items() if other.task == recipe.task and other.trained_for(read, fit)]

    def closeness(name: str) -> tuple[bool, ...]:
        return set(others[name].classes) == set(recipe.classes), *_closeness(others[name], read)

    return max(fitting, key=closeness, default="")


def chosen_model(recipes: Mapping[str, Recipe], read: Read, fit: FitConfig = USUAL) -> str:
    """Return the name of the model that labels a read; of several one without resampling, then of its very chemistry.

    Args:
        recipes: Name -> recipe, the most preferred model first.
        read: The read.
        fit: Whether reads are resampled.

    Raises:
        MismatchError: The read's molecule or pore family is not known (``unknown_chemistry``), or no model was trained
            on it (``wrong_chemistry``), or none at its sample rate (``wrong_rate``).
    """
    if not read.chemistry.known:
        example = "rna002" if read.chemistry.rna else "dna_r10.4.1"
        raise MismatchError(
            f"{read.where}: chemistry {read.chemistry}, by which no model can be chosen; state it, such as"
            f" --chemistry {example}, or name a model",
            reason="unknown_chemistry",
        )
    fitting = [name for name, recipe in recipes.items() if recipe.trained_for(read, fit)]
    if fitting:
        return max(fitting, key=lambda name: _closeness(recipes[name], read))
    raise _no_model(recipes, read)


def _no_model(recipes: Mapping[str, Recipe], read: Read) -> MismatchError:
    family = [recipe for recipe in recipes.values() if recipe.takes_chemistry(read)]
    if not family:
        text = f"{read.where}: {read.chemistry}, and no model for it comes with poreconv; {TRAIN}"
        return MismatchError(text, reason="wrong_chemistry")
    rates = ", ".join(f"{rate:g}" for rate in sorted({rate for recipe in family for rate in recipe.rates_hz}))
    way = f"{RESAMPLE}, or {TRAIN}" if any(recipe.trained_for(read, RESAMPLED) for recipe in family) else TRAIN
    text = f"{read.chemistry} at {read.sample_rate_hz:g} Hz, and the models of poreconv were trained on {rates} Hz"
    return MismatchError(f"{read.where}: {text}; {way}", reason="wrong_rate")


def _closeness(recipe: Recipe, read: Read) -> tuple[bool, bool, bool]:
    own_rate = read.sample_rate_hz == recipe.sample_rate_hz  # a model may know rates that it resamples from
    return own_rate, recipe.knows_rate(read.sample_rate_hz), read.chemistry in recipe.trained_chemistries


@dataclass(frozen=True)
class JudgeableReads:
    """The guard that admits the reads to judge a model on: those that it can label and was not trained on."""

    recipe: Recipe
    """The model's recipe."""
    include_training: bool = False
    """Whether reads that it was trained on are admitted too."""
    fit: FitConfig = USUAL
    """Which reads it labels besides those of the kind that it was trained on."""

    def admit(self, read: Read, reference: str) -> None:
        """Return if the model may be judged on a read; else raise.

        Args:
            read: The read.
            reference: Name of the sequence that it was aligned to; empty if that is not known.

        Raises:
            ReadDropped: The model was trained on the read, or not for such reads.
        """
        check_fits(self.recipe, stated(read, self.fit), self.fit)
        if not self.include_training:
            self.recipe.check_unseen(read, reference)

    def to_json(self) -> str:
        """Return the guard as JSON text."""
        return to_json(self)
