"""What the server answers, and what it refuses."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from poreconv.config import SourceConfig
from poreconv.labels.opening import open_labels
from poreconv.reads.read import Read
from poreconv.studio.answering import doing
from tests.studio.conftest import SCRIPT, TOKEN


def change(client: TestClient, read_id: str, *marks: dict[str, Any], who: str = "Ada") -> dict[str, Any]:
    """Change marks; gives the marks of the read."""
    made = [{"mark": 0, "kind": "interval", "label": "a"} | each for each in marks]
    answer = client.post("/api/change", json={"who": who, "read": read_id, "marks": made})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=wrong", "/api/reads", "/api/tile?read=x&level=0&index=0"])
def test_without_the_token_nothing_is_answered(client: TestClient, path: str) -> None:
    """Neither the page nor what it asks; the refusal names the way in."""
    answer = client.get(path, headers={"Authorization": "Bearer wrong"})

    assert answer.status_code == 403
    assert "open the address" in answer.text


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:8765"}, 403),
        ({"Host": "[::1"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Host": "localhost:1234", "Origin": "http://localhost:1234"}, 200),
        ({"Host": "[::1]:1234"}, 200),
    ],
)
def test_only_pages_of_this_machine_may_ask(client: TestClient, headers: dict[str, str], code: int) -> None:
    """At any port, since people tunnel; another page of this machine has another origin."""
    assert client.get("/api/project", headers=headers).status_code == code


@pytest.mark.parametrize("path", ["/page/../app.py", "/page/%2e%2e/app.py", "/page/..%2fapp.py", "/etc/passwd"])
def test_only_the_files_of_the_page_are_served(client: TestClient, path: str) -> None:
    """No path leads out of its folder."""
    assert client.get(path).status_code in {403, 404}


def test_the_page_runs_only_files_of_the_studio(client: TestClient) -> None:
    """Nothing inline, nothing from elsewhere; no answer is stored or framed."""
    page = client.get(f"/?token={TOKEN}", headers={"Authorization": ""})
    policy = page.headers["content-security-policy"]

    assert page.status_code == 200
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert client.get("/page/studio.js").headers["content-type"].startswith("text/javascript")


def test_no_text_becomes_html() -> None:
    """The page's own scripts have no way of making elements from text."""
    scripts = Path(__file__).parents[2] / "poreconv" / "studio" / "page"
    text = "".join(path.read_text() for path in scripts.glob("*.js"))

    ways = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval(", "Function(")
    assert [name for name in ways if name in text] == []


def test_reads_are_listed_and_filtered(client: TestClient, reads: list[Read]) -> None:
    """By a part of the id, length, channel and marks; an id that is HTML is text."""
    change(client, SCRIPT, {"start": 5, "end": 9})

    def found(**chosen: Any) -> list[str]:
        return [each["read_id"] for each in client.get("/api/reads", params=chosen).json()["reads"]]

    assert sorted(found()) == sorted(read.read_id for read in reads)
    assert found(search="SCRIPT") == found(marked="yes") == found(channel=2) == [SCRIPT]
    assert found(shortest=50_000) == [reads[2].read_id]
    assert found(chemistry="rna004") == []
    assert client.get("/api/reads", params={"search": SCRIPT}).json()["reads"][0]["marks"] == {"interval": 1}


def test_tiles_have_the_smallest_and_largest_current(client: TestClient, reads: list[Read]) -> None:
    """In pA, at every zoom, to the end of the read."""
    read = reads[2]
    for level, index in ((0, 0), (3, 5), (6, 0), (20, 0), (0, 10**6)):
        query = {"read": read.read_id, "level": level, "index": index}
        low, high = np.frombuffer(client.get("/api/tile", params=query).content, np.float32).reshape(2, -1)
        part = read.pa[index * 1024 << level : (index + 1) * 1024 << level]
        bins = [part[at : at + (1 << level)] for at in range(0, len(part), 1 << level)]

        assert low.tolist() == [each.min() for each in bins]
        assert high.tolist() == [each.max() for each in bins]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/read?read=%3Cscript%3E", 404),
        ("/api/read", 404),
        ("/api/tile?read=%3Cscript%3Ealert(1)&level=-1&index=0", 400),
        ("/api/tile?read=%3Cscript%3Ealert(1)&level=99&index=0", 400),
        ("/api/step?read=%3Cscript%3Ealert(1)&sample=5&within=999999999", 400),
        ("/api/reads?shortest=many", 400),
    ],
)
def test_a_wrong_question_is_answered_with_what_is_wrong(client: TestClient, path: str, code: int) -> None:
    """As JSON, which the page shows as text."""
    answer = client.get(path)

    assert answer.status_code == code
    assert answer.json()["problem"]
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        '{"who": "Ada"}',
        '{"who": "Ada", "read": "<script>alert(1)", "marks": [{"mark": 0, "kind": "other", "start": 0, "end": 1}]}',
        '{"who": "Ada", "read": "<script>alert(1)", "marks": [{"mark": 0, "kind": "seen", "start": 0, "end": 99999}]}',
        '{"who": "", "read": "<script>alert(1)", "marks": [{"mark": 0, "kind": "seen", "start": 0, "end": 9}]}',
    ],
)
def test_a_wrong_change_changes_nothing(client: TestClient, body: str) -> None:
    """What cannot be a mark of the read is refused whole."""
    answer = client.post("/api/change", content=body)

    assert answer.status_code in {400, 404}
    assert client.get("/api/marks", params={"read": SCRIPT}).json()["version"] == 0


@pytest.mark.parametrize("length", ["", "x", str(65 << 20), "9" * 30])
def test_too_much_at_once_is_refused_unread(client: TestClient, length: str) -> None:
    """By the length that is announced; without one nothing is read either."""
    headers = {"content-length": length}

    assert client.post("/api/change", content=b"{}", headers=headers).status_code == 413


def test_a_page_that_goes_away_while_it_sends_is_no_error() -> None:
    """Nothing is done, and the server's terminal shows nothing."""

    async def gone() -> dict[str, str]:
        return {"type": "http.disconnect"}

    done = list[Any]()
    request = Request({"type": "http", "method": "POST", "headers": [(b"content-length", b"9")]}, gone)
    answer = asyncio.run(doing(dict, done.append)(request))

    assert (answer.status_code, done) == (400, [])


def test_a_colour_cannot_ask_elsewhere(client: TestClient) -> None:
    """It becomes a style of the page."""
    answer = client.post("/api/class", json={"name": "a", "colour": "url(http://evil.example)"})

    assert (answer.status_code, client.get("/api/marks", params={"read": SCRIPT}).json()["classes"]) == (400, [])


def test_marks_are_changed_undone_and_repeated(client: TestClient) -> None:
    """The answer has the marks of the read; a page that knows the version gets nothing."""
    made = change(client, SCRIPT, {"start": 5, "end": 9}, {"start": 20, "end": 30, "label": "b"})
    undone = client.post("/api/undo", json={"who": "Ada"}).json()
    again = client.post("/api/redo", json={"who": "Ada"}).json()

    assert [each["start"] for each in made["marks"]] == [5, 20]
    assert (undone["read"], undone["marks"]) == (SCRIPT, [])
    assert again["marks"] == made["marks"]
    assert client.get("/api/marks", params={"read": SCRIPT, "version": again["version"]}).json() == {}
    assert len(client.get("/api/history", params={"read": SCRIPT}).json()) == 6


def test_events_of_a_lane_are_accepted_once(client: TestClient, reads: list[Read]) -> None:
    """All of a read become marks, and those that are marks already are not made again."""
    read_id = reads[0].read_id
    [lane] = client.get("/api/lanes", params={"read": read_id, "start": 0, "end": 15}).json()
    asked = {"who": "Ada", "read": read_id, "lane": "intervals"}
    accepted = [client.post("/api/accept", json=asked).json()["marks"] for _ in range(2)]

    assert (lane["name"], lane["n_events"], lane["label"]) == ("intervals", 2, ["a"])
    assert accepted[0] == accepted[1]
    assert [(each["start"], each["end"], each["label"]) for each in accepted[0]] == [(0, 10, "a"), (20, 30, "b")]
    [without] = client.get("/api/lanes", params={"read": SCRIPT, "start": 0, "end": 15}).json()
    assert without["problem"] == "no label for this read"


def test_the_table_of_intervals_is_a_label_source(client: TestClient, reads: list[Read], tmp_path: Path) -> None:
    """What was looked at and left empty is background in it."""
    read = reads[0]
    change(client, read.read_id, {"start": 20, "end": 60}, {"kind": "seen", "label": "", "start": 0, "end": 100})
    (tmp_path / "out.tsv").write_text(client.get("/api/intervals").text)
    source = open_labels("intervals", [tmp_path / "out.tsv"], SourceConfig())
    events = source.events(read)
    source.close()

    assert events is not None
    assert [events.classes[label] for label in events.label] == ["background", "a", "background"]
    assert events.coverage.tolist() == [[0, 100]]


def test_the_steepest_step_nearby_is_found(client: TestClient, reads: list[Read]) -> None:
    """Levels of the made reads have nine samples each."""
    query = {"read": SCRIPT, "sample": 13, "within": 8}

    assert client.get("/api/step", params=query).json()["sample"] % 9 == 0


def test_the_project_can_be_for_boundaries(client: TestClient, reads: list[Read]) -> None:
    """Then accepted events are their first samples."""
    client.post("/api/use", json={"used_as": "boundary"})
    asked = {"who": "Ada", "read": reads[0].read_id, "lane": "intervals"}
    marks = client.post("/api/accept", json=asked).json()["marks"]

    assert [(each["kind"], each["start"], each["end"]) for each in marks] == [("boundary", 0, 1), ("boundary", 20, 21)]
    assert client.post("/api/use", json={"used_as": "other"}).status_code == 400
