"""The inputs and settings of a preparation."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from poreconv.config import PrepareConfig, require
from poreconv.dataset.guard import Guard
from poreconv.events.tasks import task_named
from poreconv.events.tasks.task import Task
from poreconv.labels.opening import SourceChoices, label_files
from poreconv.runtime.files import fingerprint
from poreconv.runtime.records import to_plain
from poreconv.runtime.version import __version__


@dataclass(frozen=True)
class Preparation:
    """What is prepared, and how: everything that decides the result."""

    files: tuple[Path, ...]
    """Signal files."""
    labels: SourceChoices
    config: PrepareConfig
    guard: Guard | None = None
    """Decides which reads may go in; None: all may."""
    info_files: tuple[Path, ...] = ()
    """Files with the mean quality and reference of reads, see `poreconv.dataset.read_info`."""

    def __post_init__(self) -> None:
        """Check that the settings can be met: by the task, and by files with quality and reference."""
        config = self.config
        require(
            not (config.sources.move_margin and self.task.needs_starts),
            f"move_margin: leaves no boundary for task {self.task.name}; use task base, or make moves exact with"
            " refine",
        )
        needs = {
            "filter.min_quality": config.filter.min_quality > 0,
            "split.by reference": config.split.by == "reference",
        }
        for setting, needed in needs.items():
            require(
                not needed or len(self.info_files) > 0,
                f"{setting}: quality and reference of the reads are not known; give --read_info calls.bam",
            )

    @property
    def task(self) -> Task:
        """What is to be learnt."""
        return task_named(self.config.task)

    @property
    def label_files(self) -> list[Path]:
        """Files of all label sources, the list of reads to use, and the files with quality and reference."""
        id_lists = [self.config.files.read_ids] if self.config.files.read_ids else []
        return [*label_files(self.labels), *id_lists, *self.info_files]

    @property
    def sources(self) -> list[str]:
        """Names of the label sources."""
        return [choice.name for choice in self.labels]

    @property
    def truth(self) -> tuple[str, ...]:
        """What the labels are, as the user named it; else the names of the label sources."""
        return (self.config.truth.truth_name,) if self.config.truth.truth_name else tuple(self.sources)

    @cached_property
    def plan(self) -> dict[str, Any]:
        """The preparation as JSON types; a killed one with the same plan is continued."""
        settings = to_plain(self.config)
        del settings["work"]  # where the jobs are done decides nothing
        guard = self.guard.to_json() if self.guard else ""
        labels = [choice.described() for choice in self.labels]
        inputs = [fingerprint(list(self.files)), fingerprint(self.label_files)]
        return {"inputs": inputs, "labels": labels, "config": settings, "guard": guard}

    def provenance(self) -> dict[str, Any]:
        """Describe, in JSON types, how the store was made: version, inputs, settings."""
        plan = self.plan
        text = json.dumps(plan, sort_keys=True)  # of the standard library: its hash stands in stores
        digest = hashlib.sha256(text.encode()).hexdigest()
        return {
            "poreconv_version": __version__,
            "files": len(self.files),
            "labels": self.sources,
            "labels_from": [str(path) for path in self.label_files],
            "config": plan["config"],
            "plan_hash": digest,
        }
