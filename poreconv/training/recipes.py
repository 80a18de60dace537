"""The recipe of a training, and what other models add to it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from poreconv.config import TrainConfig, require
from poreconv.dataset.confounding import confounded
from poreconv.dataset.store import Store, distinct
from poreconv.models.bundle import load_bundle
from poreconv.models.header import read_header
from poreconv.models.networks.network import Network
from poreconv.models.own import Networks
from poreconv.models.recipe import Recipe
from poreconv.models.shipped import find_bundle
from poreconv.runtime.version import __version__


def recipe_of(stores: Sequence[Store], network: str, settings: Mapping[str, Any], config: TrainConfig) -> Recipe:
    """Make the recipe that labelling must repeat; its decoding is the default one until training has chosen it.

    Args:
        stores: Stores that are trained on.
        network: Name of the network.
        settings: Its settings.
        config: How the network is trained.
    """
    info = stores[0].info
    counts = [store.info.counts["train"] for store in stores]
    class_counts = tuple(sum(count[name] for count in counts) for name in info.classes)
    events, of_reads = max(sum(count["events"] for count in counts), 1), stores[0].task.whole_reads
    return Recipe(
        task=info.task,
        classes=info.classes,
        network=network,
        network_settings=dict(settings),
        sample_rate_hz=distinct(stores, "sample_rate_hz")[0],
        resampled_from_hz=resampled_from(stores),
        chemistries=tuple(distinct(stores, "chemistry")),
        class_counts=class_counts,
        mean_dwell=(sum(count["samples"] for count in counts) if of_reads else sum(class_counts)) / events,
        split=info.split,
        runs=tuple(distinct(stores, "run_id")),
        moved=dict(item for store in stores for item in store.info.moved.items()),
        confounded=confounded(stores),
        normalisation=config.normalisation,
        labels=tuple(dict.fromkeys(label for store in stores for label in store.info.labels)),
        data=tuple(store.info.content_hash for store in stores),
        poreconv_version=__version__,
    )


def load_teacher(model: str, recipe: Recipe, networks: Networks = None) -> tuple[Network, Recipe]:
    """Load a teacher.

    Args:
        model: The teacher's file, or the name of a shipped model.
        recipe: Recipe of the training.
        networks: The user's own network that is trained, which may be the teacher's too.

    Returns:
        The teacher's network, and the recipe with the teacher's data added: a network that learns from a teacher has
        seen the teacher's data too.

    Raises:
        ConfigError: The teacher has another task, other classes, or another normalisation or sample rate.
        BundleError: The file is not a bundle.
    """
    network, theirs = load_bundle(model, networks if _is_own(model) else None)
    bounded = network.receptive_field is not None
    require(bounded, f"teacher: {model} has no bounded receptive field; choose a teacher that has one")
    known = (theirs.task, theirs.classes, theirs.normalisation, theirs.sample_rate_hz)
    alike = known == (recipe.task, recipe.classes, recipe.normalisation, recipe.sample_rate_hz)
    require(
        alike and not recipe.asked.whole_reads,
        f"teacher: {model} was trained for {theirs.task} {', '.join(theirs.classes)} at {theirs.sample_rate_hz:g} Hz,"
        f" and this training is for {recipe.task} {', '.join(recipe.classes)} at {recipe.sample_rate_hz:g} Hz; choose a"
        " teacher for the same",
    )
    return network, replace(recipe, before=(*recipe.before, *theirs.seen))


def _is_own(model: str) -> bool:
    return read_header(find_bundle(model)).recipe.own_network is not None


def resampled_from(stores: Sequence[Store]) -> tuple[float, ...]:
    """Return the sample rates at which the reads were recorded; empty if no store was resampled.

    Args:
        stores: Stores that are trained on.
    """
    return tuple(distinct(stores, "recorded_hz")) if any(store.info.resampled for store in stores) else ()
