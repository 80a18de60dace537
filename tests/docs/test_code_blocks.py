"""README and every page of the site: what stands in a code block runs, and prints what the page shows."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from poreconv.runtime import progress
from tests.support.code_blocks import Block, Session, blocks_of, whole_lines

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(path for path in DOCS.rglob("*.md") if "generated" not in path.parts)]

NOT_RUN = {
    "git clone": "the repository is here already",
    "cd ": "into that repository",
    "pip install": "asks the network",
    "scripts/demo": "takes minutes",
    "scripts/test": "takes minutes, and runs this test",
    "scripts/docs": "takes minutes, and is run by tests/docs/test_site.py",
    "poreconv studio": "serves a page until it is stopped",
    "dask ": "a cluster's scheduler and workers, which run until they are stopped",
    "poreconv label --scheduler": "asks that scheduler",
    "poreconv train store --devices": "starts a second process, which takes a quarter of a minute",
    "torchrun ": "needs two machines",
    "ssh ": "needs another machine",
    "rawhash2 ": "another program, which isn't here",
    "python -m scripts.studies.map_windows": "runs that program",
    "poreconv label dna_r9.4.1_boundary reads.npz": "needs the package that pip installs in the line before",
    "poreconv refine wt.pod5": "real reads; the page runs what follows on simulated ones",
    "poreconv convert wt.pod5": "the same",
}
"""Beginning of a line of a block that isn't run -> why not."""

SAMPLE = """
# A page

```bash
# a comment
poreconv --version
echo one; echo two 1>&2
```
```text
...
one
two
```

:::{tip}
```{code-block} python
:caption: sub/mine.py

WORD = "written"
```
:::

```python
from sub.mine import WORD
print(f"{WORD}   by   the page")
```

```text
written by the page
```

```{code-block} text
An illustration.
```

```{code-block} bash
:class: not-run

pip install poreconv
```

```bash
poreconv inspect \\
    nowhere
```
```text
poreconv inspect: nowhere: ...
```
"""


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A fresh folder, from which modules are imported as in an interpreter, and forgotten afterwards."""
    session = Session(ModuleType("page"))
    monkeypatch.setitem(sys.modules, "page", session.module)
    monkeypatch.setattr(progress, "FIRST_LINE_S", float("inf"))  # on a slow machine, there would be lines of progress
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield session
    for name, module in [*sys.modules.items()]:
        if str(getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def is_run(block: Block) -> bool:
    """Whether a block is for the test; not if all its lines have a reason: README has no directives to mark it."""
    return block.is_run and not (block.language == "bash" and unexplained(block) == [])


def unexplained(block: Block) -> list[str]:
    """Lines of a shell block that have no reason not to be run."""
    return [line for line in whole_lines(block.text) if not line.startswith(tuple(NOT_RUN))]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_blocks_of_the_page_run(page: Path, session: Session) -> None:
    """Top to bottom, in one folder, with what the page itself makes."""
    for block in blocks_of(page.read_text()):
        if is_run(block):
            session.run(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_not_run_has_a_reason(page: Path) -> None:
    """Such blocks are few, and each of their lines is of a kind that is listed here."""
    blocks = [block for block in blocks_of(page.read_text()) if not block.is_run]

    assert [line for block in blocks for line in unexplained(block)] == []


def test_each_kind_of_block_is_understood(session: Session) -> None:
    """Lines for the shell, files, Python, outputs of each, and an error that the page shows."""
    blocks = blocks_of(SAMPLE)
    for block in blocks:
        if block.is_run:
            session.run(block)

    assert [block.language for block in blocks] == ["bash", "python", "python", "bash", "bash"]
    assert [block.line for block in blocks] == [4, 16, 23, 36, 42]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (Block(3, "bash", "echo one\n", output="two\n"), "line 3: the page shows\ntwo"),
        (Block(3, "python", "print('one')\n", output="two\n"), "line 3: the page shows\ntwo"),
        (Block(3, "bash", "false\ntrue\n"), "line 3: exit code 1 of\nfalse"),
        (Block(3, "bash", "poreconv inspect nowhere\n", output="...\n"), "line 3: exit code 1 of\nporeconv inspect"),
    ],
)
def test_what_differs_from_the_page_fails(session: Session, block: Block, message: str) -> None:
    """Other output, and an error that the page does not show."""
    with pytest.raises(AssertionError, match=message):
        session.run(block)


@pytest.mark.parametrize("info", ["text", "console", "", "{code-block} toml", "{code-block} bash"])
def test_a_block_of_no_known_kind_is_an_error(info: str) -> None:
    """A page cannot leave a block out of the test by another word."""
    with pytest.raises(ValueError, match="line 3: "):
        blocks_of(f"words\n\n```{info}\nx\n```\n")
