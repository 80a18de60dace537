import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from poreconv import plot
from poreconv.events.events import Events
from poreconv.plot.interactive import EVENTS_IN_VIEW, SAMPLES_IN_VIEW, opening_window
from tests.plot.test_packing import unpacked
from tests.plot.test_plot import PLACES, REGIONS, read_of
from tests.support.pages import content_of


def events_every(period: int, n_samples: int) -> Events:
    """Events side by side, all of one length."""
    start = np.arange(0, n_samples, period)
    return Events.of(start, start + period)


def test_a_page_requests_nothing(tmp_path: Path) -> None:
    """No script, style, picture or font is fetched, and the page's policy forbids it; plotly is in the page."""
    plot.save_page(plot.interactive_squiggle(read_of(), {"truth": PLACES}), tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text()

    assert not re.findall(r"<(?:script|img|iframe)[^>]*\ssrc=|@import|url\(\s*['\"]?http", page)
    assert "default-src 'none'" in page
    assert "plotly.js v" in content_of(page, "plotly")[:200]


def test_a_page_fits_telephones_and_is_small(tmp_path: Path) -> None:
    """It states its viewport, and with 300,000 samples, events and a curve it is under 3 MB."""
    noise = np.random.default_rng(0).random(300_000).astype(np.float32) ** 8
    figure = plot.interactive_squiggle(read_of(300_000), {"truth": events_every(9, 300_000)}, {"boundary": noise})
    plot.save_page(figure, tmp_path / "x.html")

    assert '<meta name="viewport" content="width=device-width' in (tmp_path / "x.html").read_text()
    assert (tmp_path / "x.html").stat().st_size < 3e6


def test_several_reads_share_a_page(tmp_path: Path) -> None:
    """Each has its figure, and a list to choose from; plotly is there once."""
    plot.save_page([plot.interactive_squiggle(read_of(n)) for n in (100, 200)], tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text()
    titles = [json.loads(content_of(page, f"figure-{n}"))["layout"]["title"]["text"] for n in (0, 1)]

    assert [title in page for title in titles] == [True, True]
    assert re.findall(r'<option value="(.)">', page) == ["0", "1"]
    assert page.count('id="plotly"') == 1


def test_a_page_has_every_sample_and_event() -> None:
    """What is drawn at first has few points; what the page draws from are all of the read's counts, and all events."""
    read = read_of(50_000)
    figure = plot.interactive_squiggle(read, {"truth": PLACES})
    [line], [track] = figure.layout.meta["lines"], figure.layout.meta["tracks"]
    columns = {name: unpacked(**column).tolist() for name, column in track["columns"].items()}

    assert len(figure.data[line["trace"]].x) <= 4000
    assert (unpacked(line["base64"], line["type"]) == read.adc).all()
    assert (line["offset"], line["scale"]) == (read.calibration.offset, read.calibration.scale)
    assert (columns["start"], columns["duration"]) == ([10, 30, 50], [20, 20, 40])


def test_seconds_stand_beside_samples() -> None:
    """The axis above the squiggle shows the time of the samples in view."""
    read = read_of()
    figure = plot.interactive_squiggle(read, start=20, end=60)

    assert tuple(figure.layout.xaxis3.range) == (20 / read.sample_rate_hz, 60 / read.sample_rate_hz)
    assert (figure.layout.xaxis3.overlaying, figure.layout.xaxis3.ticksuffix) == ("x", " s")


def test_cells_lie_where_the_events_are() -> None:
    """On the screen, too, an event reaches from its start to its end, and there is nothing between two events."""
    figure = plot.interactive_squiggle(read_of(), {"truth": Events.of([10, 60], [30, 90])})
    [track] = [trace for trace in figure.data if trace.type == "heatmap"]

    assert list(track.x) == [0, 10, 30, 60, 90]
    assert list(np.isnan(track.z[0])) == [True, False, True, False]
    assert track.customdata[0][1][:2].tolist() == [10, 30]


def test_a_page_begins_with_the_window() -> None:
    """The page opens with the chosen window in view, framed in the strip above, and contains the rest."""
    figure = plot.interactive_squiggle(read_of(), start=20, end=60)

    assert tuple(figure.layout.xaxis.range) == (20, 60)
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].x1) == (20, 60)
    assert len(figure.data[0].x) == 100


@pytest.mark.parametrize(
    ("events", "n_samples", "expected"),
    [
        (events_every(10, 50_000), 50_000, (24_800, 25_200)),
        (REGIONS, 100, (0, 100)),
        (events_every(3000, 90_000), 90_000, (0, 90_000)),
        (None, 50_000, (24_500, 25_500)),
        (None, 300, (0, 300)),
    ],
)
def test_a_page_opens_where_events_can_be_seen(
    events: Events | None, n_samples: int, expected: tuple[int, int]
) -> None:
    """Forty dwells around the middle boundary; all of a read with few events; without events, a thousand samples."""
    tracks = {} if events is None else {"truth": events}

    assert (EVENTS_IN_VIEW, SAMPLES_IN_VIEW) == (40, 1000)
    assert opening_window(read_of(n_samples), tracks) == expected


DRIVE = """<script type="module">
const figure = document.getElementById("figure");
const drawn = async (ready) => { while (!ready()) await new Promise((done) => setTimeout(done, 20)); };
const zoom = async (low, high) => { await Plotly.relayout(figure, { "xaxis.range": [low, high] }); };
const points = () => figure._fullData[0].x;
const track = () => figure._fullData.find((trace) => trace.type === "heatmap");
await drawn(() => figure._fullData?.length && points()?.length);
await zoom(0, 50000);
await drawn(() => points().length > 4000);
const whole = [points().length, figure._fullData[1].x.length, track().opacity];
await zoom(20000, 20100);
await drawn(() => points().length < 4000);
const { xaxis3, shapes } = figure.layout;
const close = [points().length, points()[0], points().at(-1), track().opacity, track().x.length];
const seen = { whole, close, seconds: xaxis3.range, frame: shapes[0].x0 };
document.body.textContent = "seen=" + JSON.stringify(seen) + "=";
</script></body>"""
"""Script that zooms as a reader does, and writes what is drawn into the page."""


def test_zooming_in_shows_every_sample(tmp_path: Path) -> None:
    """In a browser the whole read is extremes and a line of means; 100 samples in view are drawn one by one.

    So are as many on both sides, to be dragged in. Of the events, those of these samples are drawn and no others: ten
    in view, and ten on both sides. The seconds and the frame in the strip follow.
    """
    seen = shown(plot.interactive_squiggle(read_of(50_000), {"truth": events_every(10, 50_000)}), tmp_path)
    n_extremes, n_means, pale = seen["whole"]

    assert 4000 < n_extremes <= 12_000
    assert (n_means, pale) == (1471, 0.25)
    assert seen["close"] == [300, 19_900, 20_199, 1, 31]
    assert seen["seconds"] == pytest.approx([5.0, 5.025])
    assert seen["frame"] == 20_000


def shown(figure: Any, tmp_path: Path) -> dict[str, Any]:
    """Open a page in a browser, drive it, and return what it wrote; the console has no error."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine; .ci/run installs it")
    plot.save_page(figure, tmp_path / "x.html")
    (tmp_path / "x.html").write_text((tmp_path / "x.html").read_text().replace("</body>", DRIVE))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=60000", "--enable-logging=stderr"]
    command = [chromium, *flags, "--dump-dom", f"--user-data-dir={tmp_path / 'user'}", (tmp_path / "x.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "CONSOLE" not in done.stderr
    found: dict[str, Any] = json.loads(done.stdout.partition("seen=")[2].partition("=")[0])
    return found
