"""Fixtures: signal files made with the real writers, and the way to real reads where there are any."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.signal_files import (
    COMPRESSIONS,
    ReadMaker,
    Sample,
    reads_made,
    sample,
    write_multi,
    write_old_single,
    write_single,
)

SLOW_FIRST = ("docs", "training", "studio", "commands")
"""Folders whose tests take long: begun last, they would keep one process busy while the others have ended."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of `SLOW_FIRST` before the others."""
    order = {Path(__file__).parent / folder: place for place, folder in enumerate(SLOW_FIRST)}
    items.sort(key=lambda item: order.get(item.path.parent, len(order)))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let tests, and the processes that they start, remember nothing from or for other runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def make_reads() -> ReadMaker:
    return reads_made


@pytest.fixture
def sample_file(tmp_path: Path) -> Callable[[str], Sample]:
    """Give a maker of files by format: the path, and the reads in it."""

    def make(form: str) -> Sample:
        path = tmp_path / f"sample{form}"
        return path, sample(path, form, reads_made(4))

    return make


@pytest.fixture(params=COMPRESSIONS)
def multi_fast5(request: pytest.FixtureRequest, tmp_path: Path) -> Sample:
    path, reads = tmp_path / "multi.fast5", reads_made(4)
    write_multi(path, reads, request.param)
    return path, reads


@pytest.fixture(params=COMPRESSIONS)
def single_fast5(request: pytest.FixtureRequest, tmp_path: Path) -> Sample:
    path, reads = tmp_path / "single.fast5", reads_made(1)
    write_single(path, reads[0], request.param)
    return path, reads


@pytest.fixture
def old_fast5(tmp_path: Path) -> Sample:
    path, reads = tmp_path / "old.fast5", reads_made(1)
    write_old_single(path, reads[0])
    return path, reads


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Give the folder of real reads; tests that use it are marked ``real``."""
    named = os.environ.get("PORECONV_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real reads: {folder} is no folder; set PORECONV_DATA")
    return folder
