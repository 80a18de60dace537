import logging
from collections.abc import Iterator

import pytest

from poreconv.runtime.messages import console, logger, messages_shown
from poreconv.runtime.progress import LogLines, as_words, progress_bar


def read_at(*times_s: float) -> Iterator[float]:
    """A clock that is read at the beginning, and once for each time."""
    return iter([0.0, *times_s])


def test_a_log_has_a_line_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    """What, how many of how many, how long still; more and more rarely."""
    caplog.set_level(logging.INFO, logger="poreconv")
    clock = read_at(0, 9, 12, 20, 25, 49, 100)
    progress = LogLines("label", lambda: next(clock))
    for share, note in [(0.0, "0 of 40 jobs"), (0.2, ""), (0.25, "10 of 40 jobs"), (0.4, ""), (0.5, "20 of 40 jobs")]:
        progress(share, note)
    progress(0.7)
    progress(1.0, "40 of 40 jobs")

    assert caplog.messages == [
        "label: 25%, 10 of 40 jobs, 36 s left",
        "label: 50%, 20 of 40 jobs, 25 s left",
        "label: 100%, 40 of 40 jobs",
    ]


def test_what_was_done_before_took_no_time(caplog: pytest.LogCaptureFixture) -> None:
    """A resumed command estimates the rest from what it does itself."""
    caplog.set_level(logging.INFO, logger="poreconv")
    clock = read_at(0, 60)
    progress = LogLines("prepare", lambda: next(clock))
    progress(0.8)
    progress(0.9)

    assert caplog.messages == ["prepare: 90%, 1 min left"]


def test_a_progress_without_a_terminal_writes_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """It draws no bar; and with messages of errors only, nothing."""
    monkeypatch.setattr(type(console), "is_terminal", False)
    with progress_bar("inspect") as progress:
        assert isinstance(progress, LogLines)
    with messages_shown(logging.ERROR), progress_bar("inspect") as progress:
        assert not isinstance(progress, LogLines)
        progress(0.5, "1 of 2 reads")


def test_messages_are_shown_only_inside(capsys: pytest.CaptureFixture[str]) -> None:
    """Each in one line, as it is; those below the level are not shown."""
    with messages_shown(logging.WARNING):
        logger.warning("%s", "[red]" + "x" * 300)
        logger.info("not shown")
    logger.error("nor this")

    assert capsys.readouterr().err == f"[red]{'x' * 300}\n"


@pytest.mark.parametrize(
    ("seconds", "words"), [(4, "4 s"), (89, "1 min"), (700, "12 min"), (3600, "1 h"), (11_100, "3 h 5 min")]
)
def test_durations_are_written_as_people_do(seconds: float, words: str) -> None:
    """Seconds below a minute, hours and minutes above."""
    assert as_words(seconds) == words
