"""The page in a real browser, driven by mouse and keys; without the browser these tests are skipped."""

import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from poreconv.config import StudioConfig
from poreconv.studio.serving import opened_app
from scripts.studies.processes import COMMAND
from tests.support.signal_files import reads_made, write_multi

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium: apt-get install chromium")

SAMPLES = 60_000

expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of three reads of sixty levels, a thousand samples each."""
    path = tmp_path_factory.mktemp("reads") / "reads.fast5"
    levels = np.random.default_rng(0).permutation(60).repeat(1000) * 10
    noise = np.random.default_rng(1).normal(0, 5, SAMPLES)
    write_multi(path, reads_made(3, adc=(levels + noise).astype(np.int16)))
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


@contextmanager
def served(reads: Path, project: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start the studio; gives its address."""
    words = [COMMAND, "studio", str(reads), "--project", str(project), "--port", "0", "--no_browser"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip(), server
        finally:
            server.kill()


@contextmanager
def served_here(reads: Path, project: Path, **settings: Any) -> Iterator[str]:
    """Serve the studio from a thread of this process, which starts sooner; gives its address."""
    config = StudioConfig(**settings)
    with opened_app([reads], project=project, token="here", config=config) as app, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # a page that comes before the server waits
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/?token=here"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def visited(browser: Browser, address: str, who: str = "Ada", **options: Any) -> Iterator[Page]:
    """Open the page, under a name; afterwards there was no error, and nothing was asked elsewhere."""
    context = browser.new_context(**options)
    page, problems = context.new_page(), list[str]()
    page.set_default_timeout(20_000)
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(address[:20]) else problems.append(asked.url))
    page.goto(address)
    page.keyboard.type(who)
    page.keyboard.press("Enter")
    expect(page.locator("#view")).to_have_attribute("data-complete", "true")
    yield page
    context.close()
    assert problems == []


def typed(page: Page, keys: str) -> None:
    """Press keys one after the other."""
    for key in keys.split():
        page.keyboard.press(key)


def new_class(page: Page, name: str) -> None:
    """Make a class by keys."""
    page.keyboard.press("c")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text(f"New marks are {name}")


def dragging(page: Page) -> Callable[[float, float], None]:
    """Give a function that drags over the squiggle, from one sample to another of the whole read."""
    box = page.locator("#view").bounding_box()
    assert box is not None
    left, width = box["x"] + 52, box["width"] - 52

    def drag(start: float, end: float) -> None:
        page.mouse.move(left + start / SAMPLES * width, box["y"] + 80)
        page.mouse.down()
        for sample in ((start + end) / 2, end):
            page.mouse.move(left + sample / SAMPLES * width, box["y"] + 90)
        page.mouse.up()

    return drag


def marks(page: Page) -> Locator:
    """The list of the read's marks."""
    return page.locator("#marks li")


def test_what_was_marked_by_mouse_is_there_after_a_kill(browser: Browser, reads: Path, tmp_path: Path) -> None:
    """Ends snap to the steps at thousands; a dragged end is undone; a killed server loses nothing."""
    with served(reads, tmp_path) as (address, server), visited(browser, address) as page:
        new_class(page, "<b>stall</b>")
        drag = dragging(page)
        drag(5_100, 10_080)
        expect(marks(page)).to_have_text(["<b>stall</b> 5,000 to 10,000"])
        drag(20_100, 30_080)
        drag(10_000, 12_060)
        expect(marks(page)).to_have_text(["<b>stall</b> 5,000 to 12,000", "<b>stall</b> 20,000 to 30,000"])
        page.keyboard.press("u")
        expect(marks(page)).to_have_text(["<b>stall</b> 5,000 to 10,000", "<b>stall</b> 20,000 to 30,000"])
        with page.expect_download() as downloaded:
            page.click("#download")
        assert len(downloaded.value.path().read_text().splitlines()) == 3
        page.close()
        server.send_signal(signal.SIGKILL)
    with served_here(reads, tmp_path) as address, visited(browser, address) as page:
        expect(marks(page)).to_have_text(["<b>stall</b> 5,000 to 10,000", "<b>stall</b> 20,000 to 30,000"])


def test_a_read_is_marked_by_keys_alone(browser: Browser, reads: Path, tmp_path: Path) -> None:
    """On a narrow dark page as well, which needs no scrolling sideways: interval, class, split, merge, and so on."""
    narrow: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
    with served_here(reads, tmp_path) as address, visited(browser, address, **narrow) as page:
        new_class(page, "a")
        new_class(page, "b")
        typed(page, "[ > > > ]")
        expect(marks(page)).to_have_count(1)
        typed(page, "1")
        expect(marks(page)).to_contain_text(["a 31,000 to 37,000"])
        typed(page, "< s")
        expect(marks(page)).to_have_count(2)
        typed(page, "Escape j g")
        expect(marks(page)).to_have_count(1)
        typed(page, "v")
        expect(marks(page)).to_have_text(["looked at 0 to 60,000", "a 31,000 to 37,000"])
        typed(page, "j j Delete")
        expect(page.locator("#status")).to_have_text("Deleted")
        typed(page, "u u U d")
        expect(page.locator("#title")).to_have_text(reads_made(2)[1].read_id)
        page.select_option("#used-as", "boundary")
        page.focus("#view")
        typed(page, "+ + b")
        expect(marks(page)).to_have_text(["boundary 30,000"])
        page.select_option("#used-as", "read")
        page.focus("#view")
        typed(page, "2")
        expect(page.locator("#status")).to_have_text("This read is b")
        assert page.locator("html").evaluate("(html) => html.scrollWidth") <= 390


def test_a_network_learns_by_the_button_and_its_proposals_are_accepted(
    browser: Browser, reads: Path, tmp_path: Path
) -> None:
    """Mark, learn, look at what the model finds in the next read, accept it; then the same page at 390 pixels."""
    with served_here(reads, tmp_path, max_steps=2) as address, visited(browser, address) as page:
        new_class(page, "stall")
        for read in reads_made(3)[1:]:
            dragging(page)(10_100, 20_080)
            expect(marks(page)).to_have_count(1)
            typed(page, "d")
            expect(page.locator("#title")).to_have_text(read.read_id)
        page.click("#learn")
        expect(page.locator("#stop-learning")).to_be_visible()
        expect(page.locator("#models li")).to_contain_text("from 2 marked reads, from scratch", timeout=300_000)
        expect(page.locator("#status")).to_have_text("A new model: its proposals are in the lane below the squiggle")
        expect(page.locator("#lane")).to_have_value("proposals")
        typed(page, "r o")
        expect(page.locator("#reads button small").first).to_contain_text("doubt", timeout=60_000)
        expect(page.locator("#title")).to_have_text(reads_made(3)[2].read_id)
        page.set_viewport_size({"width": 390, "height": 844})
        expect(page.locator("#learn")).to_be_enabled()
        assert page.locator("html").evaluate("(html) => html.scrollWidth") <= 390
        page.click("#accept-all")
        expect(marks(page)).not_to_have_count(0)
        page.screenshot(path=tmp_path / "learnt.png", full_page=True)


def test_changes_are_stored_in_the_order_in_which_they_were_made(browser: Browser, reads: Path, tmp_path: Path) -> None:
    """A mark whose ends are still being placed is stored before the next one; undo takes back the last drag."""
    with served_here(reads, tmp_path) as address, visited(browser, address) as page:
        new_class(page, "stall")
        slow = page.context.new_cdp_session(page)
        slow.send("Network.enable")
        slow.send("Network.emulateNetworkConditions", SLOW_NETWORK)
        drag = dragging(page)
        drag(20_100, 30_080)
        page.keyboard.down("Alt")
        drag(40_000, 50_000)
        page.keyboard.up("Alt")
        expect(marks(page)).to_have_count(2)
        page.keyboard.press("u")
        expect(page.locator("#status")).to_have_text("Undone")
        expect(marks(page)).to_have_text(["stall 20,000 to 30,000"])


SLOW_NETWORK = {"offline": False, "latency": 300, "downloadThroughput": -1, "uploadThroughput": -1}
"""Each answer takes 0.3 s longer."""
