"""The site: every link leads somewhere, no page asks for anything elsewhere, and what is searched for is found."""

import re
import shutil
import threading
from collections.abc import Iterator
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.notebooks import NOTEBOOKS
from tests.support.pages import Tags

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium: apt-get install chromium")

KINDS = [
    "index.html", "get_started.html", "guides/studio.html", "reference/commands.html", "generated/commands/label.html",
    "generated/python/poreconv.html", "reference/architecture.html", "results.html",
    "generated/models/dna_r9.4.1_boundary.html", "generated/lecture/03_dense_is_madness.html", "glossary.html",
    "troubleshooting.html", "search.html",
]  # fmt: skip
"""A page of each kind."""

LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}
"""Tag -> attribute with the address of what a browser loads by itself."""

LEADS = LOADED | {"a": "href"}
"""The same, and what a reader can follow."""

OUTSIDE = re.compile(r"(https?:)?//")
NAMES = {"id", "name"}
"""Attributes that name a place of a page."""

IN_STYLES = re.compile(r"url\(\s*['\"]?(?:https?:)?//|@import\s+['\"]?(?:https?:)?//")


@cache
def tags_of(path: Path) -> Tags:
    """The tags of a page."""
    return Tags(path.read_text())


@cache
def places_in(path: Path) -> set[str]:
    """The anchors of a page."""
    return {
        str(attributes[key]) for _, attributes in tags_of(path).seen for key in ("id", "name") if attributes.get(key)
    }


def pages_of(site: Path) -> list[Path]:
    """All pages."""
    return sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)


def broken(page: Path, address: str) -> bool:
    """Whether an address within the site leads to no file, or to no place in it."""
    parts = urlsplit(address)
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not path.is_file():
        return True
    return bool(parts.fragment) and path.suffix == ".html" and unquote(parts.fragment) not in places_in(path)


def test_every_link_leads_somewhere(site: Path) -> None:
    """Pages, places in them, pictures and files."""
    wrong = []
    for page in pages_of(site):
        links = [(tag, attributes.get(LOADED.get(tag, "href"))) for tag, attributes in tags_of(page).seen]
        inside = [link for tag, link in links if link and tag in {"a", *LOADED} and not urlsplit(link).scheme]
        wrong += [
            f"{page.relative_to(site)}: {link}" for link in inside if not OUTSIDE.match(link) and broken(page, link)
        ]

    assert wrong == []


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    """No picture, style, script, font or frame, nor a style that imports one."""
    wrong = []
    for page in pages_of(site):
        for tag, attributes in tags_of(page).seen:
            address = attributes.get(LOADED[tag]) if tag in LOADED else None
            if address and OUTSIDE.match(address):
                wrong.append(f"{page.relative_to(site)}: {tag} {address}")
        wrong += [f"{page.relative_to(site)}: {found[0]}" for found in IN_STYLES.finditer(page.read_text())]
    wrong += [str(path) for path in site.rglob("*.css") if IN_STYLES.search(path.read_text())]

    assert wrong == []


def test_every_picture_is_described(site: Path) -> None:
    """Who cannot see a picture reads what it shows; outputs of notebooks have the text around them."""
    shown = {page: tags_of(page).all("img") for page in pages_of(site)}
    silent = [f"{page.name}: {each['src']}" for page, images in shown.items() for each in images if not each.get("alt")]

    assert silent == []


def test_the_notebooks_were_run(site: Path) -> None:
    """Their pages show outputs."""
    pages = [site / "generated/lecture" / f"{path.stem}.html" for path in NOTEBOOKS]

    assert [path.stem for path in pages if 'class="cell_output' not in path.read_text()] == []


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site on a server of this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


def watched(browser: Browser, address: str, width: int) -> tuple[Page, list[str]]:
    """Open a page of that width, and keep a list of its errors and of what it asks for elsewhere."""
    page, problems = browser.new_page(viewport={"width": width, "height": 900}), list[str]()
    page.set_default_timeout(30_000)
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((address, "data:")) else problems.append(asked.url))
    page.on("response", lambda given: problems.append(f"{given.status} {given.url}") if given.status >= 400 else None)
    return page, problems


@needs_browser
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_work_in_a_browser(browser: Browser, address: str, width: int) -> None:
    """No error, nothing from elsewhere, and no page wider than the window."""
    page, problems = watched(browser, address, width)
    wide = []
    for kind in KINDS:
        page.goto(f"{address}/{kind}", wait_until="load")
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(kind)
    page.close()

    assert (problems, wide) == ([], [])


@needs_browser
@pytest.mark.parametrize(
    ("words", "found"), [("wrong_rate", "troubleshooting"), (".peaks", "raw signals"), ("leak guard", "Glossary")]
)
def test_search_finds(browser: Browser, address: str, words: str, found: str) -> None:
    """A drop reason, a suffix, and two words of a term, as a reader types them."""
    page, problems = watched(browser, address, 1280)
    page.goto(f"{address}/search.html")
    page.fill("input[name=q] >> visible=true", words)
    page.keyboard.press("Enter")
    expect(page.locator("#search-results li").filter(has_text=re.compile(found, re.IGNORECASE))).not_to_have_count(0)
    page.close()

    assert problems == []
