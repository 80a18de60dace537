"""The baselines that a user asks for: those of the table, and their own."""

from collections.abc import Iterable, Mapping
from typing import Any

from poreconv.config import require
from poreconv.evaluation.baselines import BASELINES, Baseline
from poreconv.evaluation.baselines.own import BaselineFunction, own_baseline
from poreconv.evaluation.criteria import criterion_of
from poreconv.runtime.registry import given, is_own, name_of, short_name


def baselines_for(task: str, asked: Iterable[str | BaselineFunction] | None = None) -> dict[str, Baseline]:
    """Return baselines by name.

    Args:
        task: Name of the model's task.
        asked: Names of baselines; or the user's own, by name or as functions, which are named after the function.
            Default: all that suit the task.

    Raises:
        ConfigError: There is no such baseline, or several have one name.
    """
    suitable = criterion_of(task).baselines
    known, chosen = {**BASELINES, **suitable}, list(suitable if asked is None else asked)
    found = dict(_baseline(known, each) for each in chosen)
    require(len(found) == len(chosen), f"baselines: several have one name among {', '.join(found)}; rename one")
    return found


def _baseline(known: Mapping[str, str], asked: str | BaselineFunction) -> tuple[str, Baseline]:
    found: Any = given(known, asked, kind="baseline")
    if isinstance(asked, str) and not is_own(asked):
        return asked, found
    return short_name(asked), own_baseline(name_of(asked), found)
