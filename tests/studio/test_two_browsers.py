"""Two people mark one read at once, each in a browser; without the browser the test is skipped."""

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Request, expect

from poreconv.labels.marks import Mark, Marks
from tests.studio import test_browser
from tests.studio.test_browser import SAMPLES, dragging, new_class, served_here, typed, visited
from tests.support.signal_files import reads_made

pytestmark = test_browser.pytestmark

browser, reads = test_browser.browser, test_browser.reads

EDITS = int(os.environ.get("PORECONV_STUDIO_EDITS", "30"))
"""Changes that each person makes; the studio was tried with 200."""

KEYS = ("1", "2", "Delete", "s", "g", "v", "u", "u", "U", "> [ > > ]", "j", "k", "Escape", "+", "-", "0")
"""What a person presses, one or several."""

EDITING = ("/api/change", "/api/undo", "/api/redo")


@dataclass
class Action:
    """What one person did at once."""

    changes: list[tuple[int, Mark]]
    """Place in the history, and the state that a mark got."""
    undone: bool = False


@dataclass
class Rule:
    """What the marks must be: of two changes to one mark the later stands, the earlier is in the history."""

    history: list[tuple[str, Mark]] = field(default_factory=list)
    actions: dict[str, list[Action]] = field(default_factory=dict)

    def apply(self, who: str, path: str, marks: list[dict[str, Any]]) -> None:
        """Do what a page asked for."""
        own, first = self.actions.setdefault(who, []), len(self.history)
        if path == "/api/change":
            self.history.extend((who, state) for state in self._numbered(marks))
            own.append(Action([(at, self.history[at][1]) for at in range(first, len(self.history))]))
        elif path == "/api/undo":
            for action in [each for each in own if not each.undone][-1:]:
                action.undone = True
                self.history.extend((who, self._before(at, state)) for at, state in reversed(action.changes))
        else:
            n_done = max((number + 1 for number, each in enumerate(own) if not each.undone), default=0)
            for action in own[n_done : n_done + 1]:
                action.undone = False
                self.history.extend((who, state) for _, state in action.changes)

    def _numbered(self, marks: list[dict[str, Any]]) -> Iterator[Mark]:
        number = max((state.mark for _, state in self.history), default=0)
        for mark in marks:
            number += not mark["mark"]
            yield Mark(**{**mark, "mark": mark["mark"] or number})

    def _before(self, at: int, state: Mark) -> Mark:
        earlier = (other for _, other in reversed(self.history[:at]) if other.mark == state.mark)
        return next(earlier, replace(state, removed=True))

    @property
    def marks(self) -> list[Mark]:
        """The marks that are there, by number."""
        last = {state.mark: state for _, state in self.history}
        return [last[number] for number in sorted(last) if not last[number].removed]


class Person:
    """Someone who edits at random, by mouse and keys, and what the page asked for."""

    def __init__(self, page: Page, who: str, seed: int) -> None:
        self.page, self.who, self._rng = page, who, random.Random(seed)
        self.asked: list[tuple[str, list[dict[str, Any]]]] = []
        self.answered: list[int] = []
        self._drag, self._pending = dragging(page), set[Request]()
        page.on("request", self._note)
        page.on("requestfinished", self._forget)
        page.on("response", lambda answer: self.answered.append(answer.status) if self._edits(answer.request) else None)

    def _edits(self, request: Request) -> bool:
        return any(path in request.url for path in EDITING)

    def _note(self, request: Request) -> None:
        self._pending.add(request)
        if self._edits(request):
            body = request.post_data_json or {}
            path = next(path for path in EDITING if path in request.url)
            self.asked.append((path, body.get("marks", [])))

    def _forget(self, request: Request) -> None:
        self._pending.discard(request)

    def edit(self) -> None:
        """Do something that may change marks, without waiting for the answer."""
        start, end = self._rng.randrange(SAMPLES), self._rng.randrange(SAMPLES)
        what = self._rng.random()
        if what < 0.3:
            self._drag(start, end)
        elif what < 0.5 and (edges := self._edges()):
            self._drag(self._rng.choice(edges), end)
        else:
            typed(self.page, self._rng.choice(KEYS))

    def settle(self) -> None:
        """Wait until all is stored: the page asks for the place of an end that snaps, and then sends the change."""
        before = -1
        while self._pending or not before == len(self.asked) == len(self.answered):
            before = len(self.asked)
            self.page.wait_for_timeout(300)

    def _edges(self) -> list[int]:
        words = " ".join(self.page.locator("#marks button").all_text_contents()).replace(",", "").split()
        return [int(word) for word in words if word.isdigit()]


def test_of_two_changes_at_once_the_later_stands(browser: Browser, reads: Path, tmp_path: Path) -> None:
    """Each change of both is in the history, in the order of its person, and both see the same marks afterwards."""
    chosen = random.Random(0)
    with ExitStack() as stack:
        address = stack.enter_context(served_here(reads, tmp_path))
        people = []
        for seed, (who, label) in enumerate((("Ada", "a"), ("Bo", "b"))):
            page = stack.enter_context(visited(browser, address, who))
            new_class(page, label)
            people.append(Person(page, who, seed))
        while editing := [person for person in people if len(person.asked) < EDITS]:
            chosen.choice(editing).edit()
        for person in people:
            person.settle()
        with Marks(tmp_path) as marks:
            read_id = reads_made(1)[0].read_id
            history = [(change.who, change.mark) for change in marks.history(read_id)]
            found = sorted(marks.of(read_id), key=lambda mark: mark.mark)
        for person in people:
            typed(person.page, "Escape")
            expect(person.page.locator("#marks li")).to_have_text(_shown(found))
    rule, waiting = Rule(), {person.who: iter(person.asked) for person in people}
    while len(rule.history) < len(history):
        who = history[len(rule.history)][0]
        rule.apply(who, *next(waiting[who]))
    assert {code for person in people for code in person.answered} == {200}
    assert rule.history == history
    assert [asdict(mark) for mark in rule.marks] == [asdict(mark) for mark in found]
    assert {path for rest in waiting.values() for path, _ in rest} <= {"/api/undo", "/api/redo"}


def _shown(marks: list[Mark]) -> list[str]:
    """The list of marks as the page shows it."""
    ordered = sorted(marks, key=lambda mark: (mark.start, mark.end))
    return [f"{mark.label or 'looked at'} {mark.start:,} to {mark.end:,}" for mark in ordered]
