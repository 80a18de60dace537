"""A network learns from marks in a process of its own, which can be stopped and killed."""

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from poreconv.config import StudioConfig
from poreconv.events.events import Events
from poreconv.labels.marks import Mark, Marks
from poreconv.labels.project import Learnt, models_in, next_model, read_project, usable_models
from poreconv.studio.doubts import is_aside
from poreconv.studio.lanes import marks_of
from poreconv.studio.serving import opened_app
from tests.studio.conftest import ADDRESS, TOKEN
from tests.support.networks import file_at
from tests.support.signal_files import reads_made, write_multi

N_READS = 8

LEARNT = Learnt(task="segment", classes=("background", "a"), marked_reads=4, started_from="")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with an interval in each of four reads of eight, all of which were looked at."""
    adc = np.random.default_rng(0).normal(500, 8, 3000).astype(np.int16)
    adc[1000:1500] += 200
    reads = reads_made(N_READS, adc=adc)
    write_multi(tmp_path / "reads.fast5", reads)
    with Marks(tmp_path / "project", writable=True) as marks:
        for read in reads[:4]:
            marks.change("Ada", read.read_id, [Mark(0, "interval", 1000, 1500, "a"), Mark(0, "seen", 0, 3000)])
    return tmp_path / "project"


def opened(project: Path, networks: str | None = None, **settings: Any) -> Any:
    """Open the studio on the project."""
    asked = {"config": StudioConfig(**settings), "networks": networks}
    return opened_app([project.parent / "reads.fast5"], project=project, token=TOKEN, **asked)


def client_of(app: Any) -> TestClient:
    """A client that has the token."""
    return TestClient(app, base_url=ADDRESS, headers={"Authorization": f"Bearer {TOKEN}"})


def waited(client: TestClient, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until learning is in some state; gives it."""
    while not until(state := client.get("/api/learning").json()):
        time.sleep(0.05)
    return dict(state)


def test_a_stopped_training_leaves_a_model_that_proposes(project: Path) -> None:
    """As Ctrl-C does: the model is usable, finds events in a lane of its own, and reads are offered by its doubts."""
    with opened(project) as app:
        client = client_of(app)
        assert client.post("/api/learn", json={}).json()["running"]
        assert client.post("/api/learn", json={}).status_code == 400
        waited(client, lambda state: state["title"].startswith("train ") and state["share"] > 0)
        client.post("/api/learn", json={"stop": True})
        [model] = waited(client, lambda state: not state["running"])["models"]
        read_id = reads_made(N_READS)[5].read_id
        asked = {"read": read_id, "start": 0, "end": 3000}
        while (lane := client.get("/api/lanes", params=asked).json()[0])["pending"]:
            time.sleep(0.05)
        curve = {"read": read_id, "lane": "proposals", "class": "a", "level": 0, "index": 0}
        while not any(read["doubt"] for read in client.get("/api/reads?order=doubt").json()["reads"]):
            time.sleep(0.05)
        first = client.get("/api/reads?order=doubt").json()["reads"][0]["read_id"]
        shares = client.get("/api/curve", params=curve).content

    assert (model["number"], model["learnt"]["stopped"], model["learnt"]["started_from"]) == (1, True, "")
    assert (lane["name"], lane["problem"], lane["curves"]) == ("proposals", "", ["background", "a"])
    assert len(shares) == 2 * 1024
    assert first not in {read.read_id for read in reads_made(N_READS)[:4]}
    assert usable_models(project)[0].doubts.is_file()


def test_a_killed_training_is_resumed_and_the_marks_are_those_of_its_beginning(project: Path) -> None:
    """The page shows that it was killed; Learn goes on in its place. The network is the user's own, by its name."""
    with opened(project, file_at(project.parent / "net.py"), max_steps=1) as app:
        client = client_of(app)
        client.post("/api/learn", json={})
        [process] = [each for each in multiprocessing.active_children() if each.name == "learning"]
        process.kill()
        killed = waited(client, lambda state: not state["running"])
        client.post("/api/learn", json={})
        change = {"who": "Ada", "read": reads_made(5)[4].read_id, "marks": [mark("b")]}
        client.post("/api/change", json=change)
        done = waited(client, lambda state: not state["running"])
        assert done["problem"] == ""
        asked = {"read": reads_made(N_READS)[5].read_id, "start": 0, "end": 3000}
        while (lane := client.get("/api/lanes", params=asked).json()[0])["pending"]:
            time.sleep(0.05)
    with Marks(models_in(project)[0].folder) as marks:
        learnt_from = marks.read_ids()

    assert "exit code -9" in killed["problem"]
    assert (lane["name"], lane["problem"]) == ("proposals", "")
    assert (done["problem"], [model["number"] for model in done["models"]]) == ("", [1])
    assert done["models"][0]["learnt"]["classes"] == ["background", "a"]
    assert len(learnt_from) == 4
    assert next_model(project).number == 2


def test_accepted_background_was_looked_at() -> None:
    """A model of marks has the class background; it is no class of marks of its own."""
    events = Events.of([0, 10, 20], [10, 20, 30], label=[0, 1, 0], classes=("background", "a"))

    assert marks_of(events, "interval") == [
        Mark(0, "seen", 0, 10),
        Mark(0, "interval", 10, 20, "a"),
        Mark(0, "seen", 20, 30),
    ]
    assert [each.kind for each in marks_of(events, "boundary")] == ["boundary"] * 3


def mark(label: str) -> dict[str, Any]:
    """A new interval."""
    return {"mark": 0, "kind": "interval", "start": 0, "end": 100, "label": label, "removed": False}


def test_what_cannot_be_learnt_is_a_line(project: Path) -> None:
    """Too few marks at once; what the commands refuse with their own words."""
    with opened(project) as app:
        client = client_of(app)
        client.post("/api/use", json={"used_as": "read"})
        refused = client.post("/api/learn", json={})
        kinds = [{**mark("a"), "kind": "read"}]
        for read in reads_made(2):
            client.post("/api/change", json={"who": "Ada", "read": read.read_id, "marks": kinds})
        client.post("/api/learn", json={})
        failed = waited(client, lambda state: not state["running"])

    assert (refused.status_code, refused.json()["problem"][:22]) == (400, "learn: 0 marked reads;")
    assert "two are needed; give reads of another class too" in failed["problem"]
    assert failed["models"] == []


def test_a_project_lists_its_models(project: Path) -> None:
    """Those that are complete, in the order of their numbers; a place without a model is none."""
    for number in (1, 2, 10):
        next_model(project).folder.with_name(str(number)).mkdir(parents=True)
    for model in models_in(project)[1:]:
        model.run.mkdir()
        model.bundle.touch()
        model.finish(LEARNT)
    found = read_project(project)

    assert [model.number for model in found.models] == [2, 10]
    assert next_model(project).number == 11
    assert (found.task, found.classes, found.reads) == ("segment", ("background", "a"), 4)
    assert found.marks == {"interval": 4, "seen": 4}
    assert found.models[0].learnt == LEARNT


def test_a_fifth_of_the_reads_is_put_aside() -> None:
    """By the split rule of every store, so that `prepare` puts the same ones into its test split."""
    aside = [is_aside(read.read_id) for read in reads_made(500)]

    assert 0.15 < np.mean(aside) < 0.25
