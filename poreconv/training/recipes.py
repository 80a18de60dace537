"""What a training writes into its recipe."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from poreconv.config import TrainConfig, require
from poreconv.dataset.confounding import confounded
from poreconv.dataset.store import Store, distinct
from poreconv.errors import ConfigError
from poreconv.models.bundle import load_bundle
from poreconv.models.header import first_line
from poreconv.models.networks.network import Network
from poreconv.models.recipe import Recipe


def recipe_of(stores: Sequence[Store], network: str, settings: Mapping[str, Any], config: TrainConfig) -> Recipe:
    """What labelling must repeat, as the stores and settings have it; the decoding comes after training."""
    info = stores[0].info
    counts = [store.info.counts["train"] for store in stores]
    class_counts = tuple(sum(count[name] for count in counts) for name in info.classes)
    events, of_reads = max(sum(count["events"] for count in counts), 1), info.task == "read"
    return Recipe(
        task=info.task,
        classes=info.classes,
        network=network,
        network_settings={name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()},
        sample_rate_hz=distinct(stores, "sample_rate_hz")[0],
        resampled_from_hz=resampled_from(stores),
        chemistries=tuple(distinct(stores, "chemistry")),
        class_counts=class_counts,
        mean_dwell=(sum(count["samples"] for count in counts) if of_reads else sum(class_counts)) / events,
        split=info.split,
        runs=tuple(distinct(stores, "run_id")),
        confounded=confounded(stores),
        normalisation=config.normalisation,
        labels=tuple(dict.fromkeys(label for store in stores for label in store.info.labels)),
        data=tuple(store.info.content_hash for store in stores),
        poreconv_version=version("poreconv"),
    )


def start_from(model: str, network: Network, recipe: Recipe) -> Recipe:
    """Give a network another model's weights; gives the recipe with what trained them.

    Raises:
        ConfigError: The model has other classes, or another architecture or size.
        BundleError: It is no trained model.
    """
    theirs, before = load_bundle(model)
    try:
        alike = (before.network, before.classes) == (recipe.network, recipe.classes)
        require(alike, f"it is a {before.network} with classes {', '.join(before.classes)}")
        network.load_state_dict(theirs.state_dict())
    except (ConfigError, RuntimeError) as exc:
        raise ConfigError(
            f"start_from: {model} does not fit a {recipe.network} of these settings with classes"
            f" {', '.join(recipe.classes)}: {first_line(exc)}; choose its own architecture and settings"
        ) from exc
    learnt_apart = tuple(sorted({*recipe.confounded, *before.confounded}))
    return replace(recipe, before=before.seen, confounded=learnt_apart)


def taught_by(model: str, recipe: Recipe) -> tuple[Network, Recipe]:
    """A teacher, and the recipe with what trained it: what it saw, the network that learns from it has seen too.

    Raises:
        ConfigError: It says other things, or of other signal.
        BundleError: It is no trained model.
    """
    network, theirs = load_bundle(model)
    require(network.receptive_field is not None, f"teacher: {model} sees whole reads; take one of bounded context")
    known = (theirs.task, theirs.classes, theirs.normalisation, theirs.sample_rate_hz)
    alike = known == (recipe.task, recipe.classes, recipe.normalisation, recipe.sample_rate_hz)
    require(
        alike and recipe.task != "read",
        f"teacher: {model} tells {theirs.task} {', '.join(theirs.classes)} at {theirs.sample_rate_hz:g} Hz, and this is"
        f" {recipe.task} {', '.join(recipe.classes)} at {recipe.sample_rate_hz:g} Hz; take a teacher of the same",
    )
    return network, replace(recipe, before=(*recipe.before, *theirs.seen))


def resampled_from(stores: Sequence[Store]) -> tuple[float, ...]:
    """Sample rates of the reads as they were recorded, if any store was resampled."""
    return tuple(distinct(stores, "recorded_hz")) if any(store.info.resampled for store in stores) else ()
