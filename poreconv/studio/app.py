"""What the server of the studio answers: the page, and what the page asks."""

import csv
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from poreconv.config import require
from poreconv.errors import ConfigError, SignalError
from poreconv.labels.marks import Mark, MarkedKind, Marks
from poreconv.labels.sources.studio import labelled
from poreconv.reads.scaling import read_scale
from poreconv.studio.answering import answering, doing, number_in
from poreconv.studio.catalogue import Catalogue, ReadFilter
from poreconv.studio.doubts import Doubts
from poreconv.studio.guard import Guard
from poreconv.studio.lanes import Lanes, lane_of, marks_of
from poreconv.studio.learning import Learner, Learning
from poreconv.studio.pyramid import HIGHEST
from poreconv.studio.shelf import Shelf
from poreconv.studio.worker import Found

PAGE = Path(__file__).parent / "page"
"""Folder of the page."""

MOST_LISTED = 200
"""Reads that are listed at a time."""

FARTHEST_STEP = 100_000
"""Samples around a place in which a step is looked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person does: marks of a read get a new state, or an action is undone or repeated."""

    who: str
    read: str = ""
    marks: list[Mark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ClassAsked:
    """A class to make, or whose colour to change."""

    name: str
    colour: str = ""


@dataclass(frozen=True, slots=True)
class AcceptAsked:
    """The events of a lane that become marks of a read."""

    who: str
    read: str
    lane: str
    least_score: float = 0.0


@dataclass(frozen=True, slots=True)
class UseAsked:
    """The kind of marks that the project is for."""

    used_as: MarkedKind


@dataclass(frozen=True, slots=True)
class LearnAsked:
    """Whether a network is to learn from the marks, or to stop."""

    stop: bool = False


class Studio:
    """The answers, each a method that is called in a thread.

    Args:
        catalogue: The reads.
        shelf: Their signal.
        marks: What people have marked.
        marking: Lock of the marks.
        lanes: Events to compare.
        learner: Learns from the marks.
        doubts: How much marks of a read would teach.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        shelf: Shelf,
        marks: Marks,
        marking: threading.Lock,
        lanes: Lanes,
        learner: Learner,
        doubts: Doubts,
    ) -> None:
        self._catalogue, self._shelf, self._marks, self._lanes = catalogue, shelf, marks, lanes
        self._marking, self._learner, self._doubts = marking, learner, doubts
        self._counted: tuple[int, dict[str, dict[str, int]]] = (-1, {})

    def routes(self) -> list[Route]:
        """Return the paths that are answered."""
        asked: dict[str, Callable[[Request], Any]] = {
            "project": self._get_project,
            "reads": self._get_reads,
            "read": self._get_read,
            "tile": self._get_tile,
            "scale": self._get_scale,
            "step": self._get_step,
            "lanes": self._get_lanes,
            "curve": self._get_curve,
            "learning": self._get_learning,
            "marks": self._get_marks,
            "history": self._get_history,
            "intervals": self._get_intervals,
        }
        done: dict[str, tuple[type[Any], Callable[[Any], Any]]] = {
            "change": (Asked, self._do_change),
            "undo": (Asked, self._do_undo),
            "redo": (Asked, self._do_redo),
            "accept": (AcceptAsked, self._do_accept),
            "class": (ClassAsked, self._do_set_class),
            "use": (UseAsked, self._do_set_use),
            "learn": (LearnAsked, self._do_learn),
        }
        return [
            *(Route(f"/api/{name}", answering(answer), methods=["GET"]) for name, answer in asked.items()),
            *(Route(f"/api/{name}", doing(kind, do), methods=["POST"]) for name, (kind, do) in done.items()),
        ]

    def _get_project(self, request: Request) -> dict[str, Any]:
        """Return what the page needs at first."""
        return {
            "folder": self._marks.path.parent.name,
            "lanes": self._lanes.names,
            "chemistries": self._catalogue.chemistries(),
        }

    def _get_reads(self, request: Request) -> dict[str, Any]:
        """Return a part of the list of reads."""
        query = dict(request.query_params)
        offset, most_doubtful_first = int(query.pop("offset", 0)), query.pop("order", "") == "doubt"
        chosen = msgspec.convert(query, ReadFilter, strict=False)
        counts, doubts = self._counts(), self._doubts.known
        found = self._catalogue.listed(chosen, counts)
        if most_doubtful_first:
            place = {read_id: at for at, read_id in enumerate(self._doubts.order(counts.keys()))}
            found.sort(key=lambda entry: (entry.read_id in counts, place.get(entry.read_id, len(place))))
        return {
            "n_reads": len(self._catalogue),
            "n_found": len(found),
            "complete": self._catalogue.complete,
            "problem": str(self._catalogue.problem or ""),
            "reads": [
                asdict(entry)
                | {
                    "source": entry.source.name,
                    "marks": counts.get(entry.read_id, {}),
                    "doubt": doubts.get(entry.read_id),
                }
                for entry in found[offset : offset + MOST_LISTED]
            ],
        }

    def _counts(self) -> dict[str, dict[str, int]]:
        with self._marking:
            if self._counted[0] != self._marks.version:
                self._counted = self._marks.version, self._marks.counts()
            return self._counted[1]

    def _get_read(self, request: Request) -> dict[str, Any]:
        """Return what is known of a read, and the range of its current."""
        entry, shelved = self._catalogue[request.query_params["read"]], self._shelf[request.query_params["read"]]
        low, high = shelved.usual_range()
        return asdict(entry) | {"source": entry.source.name, "low_pa": low, "high_pa": high}

    def _get_tile(self, request: Request) -> bytes:
        """Return a tile of the signal: float32, the smallest values of its bins in pA, then the largest."""
        level, index = number_in(request, "level", HIGHEST), number_in(request, "index", 1 << 40)
        return self._shelf[request.query_params["read"]].tile(level, index).tobytes()

    def _get_scale(self, request: Request) -> dict[str, Any]:
        """Return shift and scale of a read in pA; null of a flat one."""
        try:
            shift, scale = read_scale(self._shelf[request.query_params["read"]].read)
        except SignalError as exc:
            return {"shift_pa": None, "scale_pa": None, "problem": str(exc)}
        return {"shift_pa": shift, "scale_pa": scale, "problem": ""}

    def _get_step(self, request: Request) -> dict[str, int]:
        """Return the steepest step near a sample."""
        sample, within = number_in(request, "sample", 1 << 40), number_in(request, "within", FARTHEST_STEP)
        return {"sample": self._shelf[request.query_params["read"]].steepest_step(sample, within)}

    def _get_lanes(self, request: Request) -> list[Any]:
        """Return the events of the lanes in a part of a read."""
        start, end = number_in(request, "start", 1 << 40), number_in(request, "end", 1 << 40)
        found = self._lanes.of(self._shelf[request.query_params["read"]].read)
        return [lane_of(name, each, start, end) for name, each in found.items()]

    def _get_curve(self, request: Request) -> bytes:
        """Return a tile of the probability of a class: uint8, the smallest values of its bins, then the largest."""
        level, index = number_in(request, "level", HIGHEST), number_in(request, "index", 1 << 40)
        lane, name = request.query_params["lane"], request.query_params["class"]
        found = self._lanes.found(lane, self._shelf[request.query_params["read"]].read)
        return np.stack(dict(found.curves)[name].tile(level, index)).tobytes()

    def _get_learning(self, request: Request) -> Learning:
        """Return how far learning is, the models, and of how many reads the newest one's doubts are known."""
        return self._learning()

    def _learning(self) -> Learning:
        return replace(self._learner.state(), doubts=len(self._doubts.known))

    def _get_marks(self, request: Request) -> dict[str, Any]:
        """Return the marks of a read, if there was an action since the version that the page knows."""
        with self._marking:
            known = request.query_params.get("version") == str(self._marks.version)
        return {} if known else self._marked(request.query_params["read"])

    def _marked(self, read_id: str) -> dict[str, Any]:
        with self._marking:
            return {
                "read": read_id,
                "version": self._marks.version,
                "marks": self._marks.of(read_id),
                "classes": self._marks.classes(),
                "used_as": self._marks.used_as,
            }

    def _get_history(self, request: Request) -> list[Any]:
        """Return who changed the marks of a read, and when."""
        with self._marking:
            return self._marks.history(request.query_params["read"])

    def _get_intervals(self, request: Request) -> Response:
        """Return all labels that the marks make, as a table for the label source ``intervals``."""
        headers = {"content-disposition": 'attachment; filename="intervals.tsv"'}
        return StreamingResponse(self._rows(), media_type="text/tab-separated-values; charset=utf-8", headers=headers)

    def _rows(self) -> Iterator[str]:
        yield "read_id\tstart\tend\tlabel\n"
        with self._marking:
            read_ids, classes, used_as = self._marks.read_ids(), self._marks.label_classes(), self._marks.used_as
        for read_id in read_ids:
            with self._marking:
                marks = self._marks.of(read_id)
            events = labelled(marks, used_as, classes)
            if events is not None:
                text = io.StringIO()
                names = [*classes, ""]
                rows = zip(events.start.tolist(), events.end.tolist(), events.label.tolist(), strict=True)
                table = csv.writer(text, delimiter="\t", lineterminator="\n")
                table.writerows((read_id, start, end, names[label]) for start, end, label in rows)
                yield text.getvalue()

    def _do_change(self, asked: Asked) -> dict[str, Any]:
        """Give marks of a read a new state; return the marks of the read."""
        n_samples = self._catalogue[asked.read].n_samples
        for mark in asked.marks:
            require(mark.end <= n_samples, f"read {asked.read}: mark ends at {mark.end}, the read at {n_samples}")
        with self._marking:
            self._marks.change(asked.who, asked.read, asked.marks)
        return self._marked(asked.read)

    def _do_accept(self, asked: AcceptAsked) -> dict[str, Any]:
        """Make marks of the events of a lane, except those that are marks already; return the marks of the read."""
        read = self._shelf[asked.read].read
        answer = self._lanes.of(read, patience_s=None)[asked.lane]
        if not isinstance(answer, Found):
            raise ConfigError(f"{asked.lane}: {answer}")
        with self._marking:
            found = marks_of(answer.events, self._marks.used_as, asked.least_score)
            known = {replace(mark, mark=0) for mark in self._marks.of(asked.read)}
            self._marks.change(asked.who, asked.read, [mark for mark in found if mark not in known])
        return self._marked(asked.read)

    def _do_undo(self, asked: Asked) -> dict[str, Any]:
        """Undo the last action of a person; return the marks of the read that it was about."""
        return self._repeat(asked, self._marks.undo)

    def _do_redo(self, asked: Asked) -> dict[str, Any]:
        """Repeat what a person undid last; return the marks of the read that it was about."""
        return self._repeat(asked, self._marks.redo)

    def _repeat(self, asked: Asked, repeat: Callable[[str], str | None]) -> dict[str, Any]:
        with self._marking:
            read_id = repeat(asked.who)
        return {} if read_id is None else self._marked(read_id)

    def _do_set_class(self, asked: ClassAsked) -> list[Any]:
        """Make a class, or change its colour; return all classes."""
        with self._marking:
            self._marks.set_class(asked.name, asked.colour)
            return self._marks.classes()

    def _do_set_use(self, asked: UseAsked) -> dict[str, Any]:
        """Choose which kind of marks the project is for."""
        with self._marking:
            self._marks.set_used_as(asked.used_as)
        return {"used_as": asked.used_as}

    def _do_learn(self, asked: LearnAsked) -> Learning:
        """Let a network learn from the marks, or stop it."""
        if asked.stop:
            self._learner.stop()
        else:
            self._learner.start()
        return self._learning()


def application(studio: Studio, token: str) -> Starlette:
    """Make the application.

    Args:
        studio: Its answers.
        token: Of the page's address.
    """

    def page(request: Request) -> Response:
        return FileResponse(PAGE / "index.html")

    routes = [Route("/", page), Mount("/page", StaticFiles(directory=PAGE)), *studio.routes()]
    return Starlette(routes=routes, middleware=[Middleware(Guard, token=token)])
