"""Baselines that users bring: functions that label a read without training."""

from collections.abc import Callable
from functools import partial

from poreconv.config import require
from poreconv.evaluation.baselines import Baseline
from poreconv.events.events import Events
from poreconv.labels.outside import events_by
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read
from poreconv.runtime.registry import parameters_of

BaselineFunction = Callable[..., Events | None]
"""``read -> Events``, or None where nothing is found; one with a parameter ``recipe`` is given the model's recipe."""


def own_baseline(name: str, function: BaselineFunction) -> Baseline:
    """Return a user's function with the contract of `Baseline`; what it returns is checked.

    Args:
        name: The name under which the user brought it.
        function: See `BaselineFunction`.

    Raises:
        ConfigError: It is no function.
    """
    kind = type(function).__name__
    require(callable(function), f"baseline {name}: a {kind}; give a function of a read that returns Events")
    takes_recipe = "recipe" in parameters_of(function)

    def detect(read: Read, recipe: Recipe) -> Events:
        found = events_by(f"baseline {name}", partial(function, recipe=recipe) if takes_recipe else function, read)
        if found is None:
            return Events.of([], [], classes=_classes(recipe))
        need = ", ".join(_classes(recipe))
        require(
            not need or found.classes == recipe.classes,
            f"baseline {name}: events of classes {', '.join(found.classes) or 'none'}, and the model's are {need}, in"
            " this order",
        )
        return found

    return detect


def _classes(recipe: Recipe) -> tuple[str, ...]:
    return recipe.classes if recipe.asked.uses_classes else ()
