"""The command line as a function."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from poreconv.cli.main import main
from poreconv.runtime import progress


@dataclass(frozen=True)
class Done:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def poreconv_(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return the command line as a function: words in, exit code and printed text out."""
    monkeypatch.setattr(progress, "FIRST_LINE_S", float("inf"))  # on a slow machine, there would be lines of progress

    def run(*words: object) -> Done:
        code = 0
        try:
            main([str(word) for word in words])
        except SystemExit as exc:
            code = int(exc.code or 0)
        return Done(code, *capsys.readouterr())

    return run
