import re
from html import escape
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from poreconv.evaluation.health.page import page
from poreconv.evaluation.health.summary import (
    BLOCKED,
    LEVEL,
    OPEN_PORE,
    SPEED,
    STALLED,
    RunHealth,
    summarised,
    summary_rows,
)
from poreconv.evaluation.health.table import READS
from poreconv.runtime.ledger import Ledger
from tests.support.pages import Tags

HOSTILE = "<script>alert('$1\\frac')</script>\"onerror=\"$"


def reads_of(n: int = 100, hours: float = 5.0, **columns: Any) -> pa.Table:
    """A table of reads that start at equal distances in time, one in each of ten channels in turn."""
    start_s = np.linspace(0, hours * 3600, n)
    usual: dict[str, Any] = {
        "read_id": [f"read-{i}" for i in range(n)],
        "run_id": ["a"] * n,
        "flow_cell": ["FLO-MIN114"] * n,
        "channel": np.arange(n) % 10 + 1,
        "mux": [1] * n,
        "start_s": start_s,
        "duration_s": [10.0] * n,
        "end_reason": ["signal_positive"] * n,
        "model": ["dna_r10.4.1_boundary_fast"] * n,
        **{name: [value] * n for name, value in (("bases", 4000.0), (SPEED, 400.0), (STALLED, 0.0))},
        **{name: [value] * n for name, value in ((OPEN_PORE, 200.0), (LEVEL, 95.0), ("spread_pa", 20.0))},
        "noise_pa": [2.0] * n,
        BLOCKED: [0.0] * n,
    }
    return pa.table({**usual, **columns}, READS)


def run_of(n: int = 100, **columns: Any) -> RunHealth:
    """The summary of such a table."""
    return summarised(reads_of(n, **columns), Ledger(kept=n))


def test_a_quantity_is_the_median_of_reads() -> None:
    """With quartiles; reads without it do not count."""
    run = run_of(101, **{SPEED: [None, *np.arange(300.0, 400.0)]})

    assert run.spreads[SPEED] == pytest.approx((349.5, 324.75, 374.25))
    assert (run.n_reads, run.n_timed) == (101, 100)


def test_a_share_is_of_all_time() -> None:
    """A long read counts more than a short one."""
    run = run_of(2, **{STALLED: [0.0, 0.5], "duration_s": [30.0, 10.0]})

    assert run.spreads[STALLED].middle == 0.125


def test_a_drift_is_the_change_per_hour() -> None:
    """As a share of the median; a window that went wrong does not count."""
    speed = np.linspace(400, 350, 100)
    speed[40:45] = 20
    run = run_of(100, **{SPEED: speed})

    assert run.drifts[SPEED] == pytest.approx(-10 / np.median(speed), rel=0.02)
    assert run.drifts[OPEN_PORE] == 0
    assert np.isnan(run_of(20).drifts[SPEED])


def test_time_is_divided_into_windows_of_reads() -> None:
    """Of some ten reads each, and never more than a page shows; none is empty."""
    assert [group.n_reads for group in run_of(100).course] == [10] * 10
    assert sum(group.n_reads for group in run_of(2000).course) == 2000
    assert len(run_of(2000).course) == 48
    assert [group.n_reads for group in run_of(1).course] == [1]
    late = run_of(40, start_s=[*np.linspace(0, 60, 39), 7200.0])
    assert [group.n_reads for group in late.course] == [39, 1]


def test_each_channel_has_its_own() -> None:
    """Reads without a channel are in none."""
    run = run_of(30, **{SPEED: np.tile(np.arange(10.0), 3), "channel": [*np.arange(29) % 10 + 1, 0]})

    assert [(group.place, group.n_reads) for group in run.channels[-2:]] == [(9, 3), (10, 2)]
    assert [group.spreads[SPEED].middle for group in run.channels] == list(range(10))


@pytest.mark.parametrize(
    ("flow_cell", "channel", "n_channels"),
    [
        ("FLO-FLG114", 1, 126),
        ("flo-min106", 1, 512),
        ("FLO-PRO114M", 1, 3000),
        ("", 400, 400),
        ("FLO-MIN114", 600, 600),
    ],
)
def test_a_flow_cell_has_the_channels_of_its_kind(flow_cell: str, channel: int, n_channels: int) -> None:
    """By its product code; a channel beyond them counts more."""
    assert run_of(1, flow_cell=[flow_cell], channel=[channel]).n_channels == n_channels


def test_what_is_not_known_has_a_dash() -> None:
    """In the summary."""
    nothing = {SPEED: [None] * 5, STALLED: [None] * 5, OPEN_PORE: [None] * 5, "model": [""] * 5}
    rows = dict(summary_rows(run_of(5, **nothing)))

    assert rows["speed"] == ["-", "- to -", "-"]
    assert rows["stalled"] == ["-", "", "-"]
    assert rows["noise"] == ["2.0 pA", "2.0 to 2.0", "-"]


def test_the_page_needs_nothing_but_itself() -> None:
    """All that it refers to is in it, it has no script, and it fits a telephone."""
    tags = Tags(page(run_of()))
    referred = [tag[name] for _, tag in tags.seen for name in ("src", "href") if name in tag]
    [policy, *_] = [tag["content"] for tag in tags.all("meta") if tag.get("http-equiv")]

    assert len(tags.all("img")) == 10
    assert all(str(uri).startswith("data:") for uri in referred)
    assert not tags.all("script")
    assert str(policy).startswith("default-src 'none'")
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in tags.all("meta")


def test_the_page_can_be_read_aloud() -> None:
    """It states its language, describes its pictures, and its headings skip no level."""
    tags = Tags(page(run_of()))
    levels = [int(tag[1]) for tag, _ in tags.seen if re.fullmatch("h[1-6]", tag)]

    assert tags.all("html") == [{"lang": "en"}]
    assert all(image["alt"] for image in tags.all("img"))
    assert levels[0] == 1
    assert max(np.diff(levels)) <= 1


def test_the_page_shows_the_summary() -> None:
    """And the channels that are furthest from it."""
    html = page(run_of(100, **{SPEED: [*np.tile([400.0] * 9 + [200.0], 10)]}))

    assert "400.0 bases/s" in html
    assert re.search(r'<th scope="row">10</th><td>10</td><td>200.0 bases/s</td>', html)
    assert "furthest" not in page(run_of(20))  # channels of two reads


def test_the_page_states_what_is_missing() -> None:
    """No speed, no open pore, no channel, several runs."""
    nothing = {SPEED: [None] * 5, STALLED: [None] * 5, OPEN_PORE: [None] * 5, "model": [""] * 5}
    html = page(run_of(5, **nothing, channel=[0] * 5, run_id=["a", "a", "b", "b", "b"], flow_cell=[""] * 5))

    assert "No speed" in html
    assert "No open-pore current" in html
    assert "2 sequencing runs" in html
    assert "Over the flow cell" not in html


def test_names_from_files_are_text() -> None:
    """Whatever they contain."""
    html = page(run_of(3, run_id=[HOSTILE] * 3, flow_cell=[HOSTILE] * 3))

    assert not Tags(html).all("script")
    assert escape(HOSTILE, quote=False) in html.replace("&#34;", '"').replace("&#39;", "'")


def test_the_same_run_gives_the_same_page() -> None:
    """Byte for byte."""
    assert page(run_of(20)) == page(run_of(20))
