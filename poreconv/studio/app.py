"""What the server of the studio answers: the page, and what the page asks."""

import csv
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from poreconv.config import require
from poreconv.errors import ConfigError, PoreconvError, SignalError
from poreconv.labels.marks import Mark, MarkedKind, Marks
from poreconv.labels.sources.studio import labelled
from poreconv.reads.scaling import read_scale
from poreconv.studio.catalogue import Catalogue, ReadFilter
from poreconv.studio.guard import Guard
from poreconv.studio.lanes import Lanes, lane_of, marks_of
from poreconv.studio.pyramid import HIGHEST
from poreconv.studio.shelf import Shelf

T = TypeVar("T")

PAGE = Path(__file__).parent / "page"
"""Folder of the page."""

MOST_LISTED = 200
"""Reads that are listed at a time."""

MOST_BYTES = 64 << 20
"""Of what the page sends at a time."""

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


class Studio:
    """The answers, each a method that is called in a thread.

    Args:
        catalogue: The reads.
        shelf: Their signal.
        marks: What people have marked.
        lanes: Events to compare.
    """

    def __init__(self, catalogue: Catalogue, shelf: Shelf, marks: Marks, lanes: Lanes) -> None:
        self._catalogue, self._shelf, self._marks, self._lanes = catalogue, shelf, marks, lanes
        self._marking = threading.Lock()
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
        }
        return [
            *(Route(f"/api/{name}", _answering(answer), methods=["GET"]) for name, answer in asked.items()),
            *(Route(f"/api/{name}", _doing(kind, do), methods=["POST"]) for name, (kind, do) in done.items()),
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
        offset = int(query.pop("offset", 0))
        chosen = msgspec.convert(query, ReadFilter, strict=False)
        counts = self._counts()
        found = self._catalogue.listed(chosen, counts)
        return {
            "n_reads": len(self._catalogue),
            "n_found": len(found),
            "complete": self._catalogue.complete,
            "problem": str(self._catalogue.problem or ""),
            "reads": [
                asdict(entry) | {"source": entry.source.name, "marks": counts.get(entry.read_id, {})}
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
        level, index = _number(request, "level", HIGHEST), _number(request, "index", 1 << 40)
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
        sample, within = _number(request, "sample", 1 << 40), _number(request, "within", FARTHEST_STEP)
        return {"sample": self._shelf[request.query_params["read"]].steepest_step(sample, within)}

    def _get_lanes(self, request: Request) -> list[Any]:
        """Return the events of the lanes in a part of a read."""
        start, end = _number(request, "start", 1 << 40), _number(request, "end", 1 << 40)
        found = self._lanes.of(self._shelf[request.query_params["read"]].read)
        return [lane_of(name, events, start, end) for name, events in found.items()]

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
        events = self._lanes.of(read)[asked.lane]
        if isinstance(events, str):
            raise ConfigError(f"{asked.lane}: {events}")
        with self._marking:
            found = marks_of(events, self._marks.used_as, asked.least_score)
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


def _answering(answer: Callable[[Request], Any]) -> Callable[[Request], Response]:
    def answering(request: Request) -> Response:
        return _response(lambda: answer(request))

    return answering


def _doing(kind: type[T], do: Callable[[T], Any]) -> Callable[[Request], Any]:
    from starlette.concurrency import run_in_threadpool

    async def doing(request: Request) -> Response:
        length = request.headers.get("content-length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            return _problem(f"at most {MOST_BYTES >> 20} MB at a time", 413)
        body = await request.body()
        return await run_in_threadpool(_response, lambda: do(msgspec.json.decode(body, type=kind)))

    return doing


def _response(answer: Callable[[], Any]) -> Response:
    try:
        found = answer()
    except KeyError as exc:
        return _problem(f"no {exc}; load the page again", 404)
    except (PoreconvError, ValueError, msgspec.MsgspecError) as exc:
        return _problem(str(exc), 400)
    if isinstance(found, Response):
        return found
    if isinstance(found, bytes):
        return Response(found, media_type="application/octet-stream")
    return Response(msgspec.json.encode(found), media_type="application/json")


def _problem(text: str, code: int) -> Response:
    return Response(msgspec.json.encode({"problem": text}), status_code=code, media_type="application/json")


def _number(request: Request, name: str, most: int) -> int:
    text = request.query_params[name]
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= most:
        raise ConfigError(f"{name} {text!r}: give a whole number from 0 to {most}")
    return number
