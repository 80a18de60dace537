"""``poreconv studio``: open reads, labels, a model and a project, and serve the page."""

import logging
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from poreconv.config import StudioConfig
from poreconv.errors import ConfigError
from poreconv.labels.marks import Marks
from poreconv.labels.opening import LabelsAsked
from poreconv.labels.project import usable_models
from poreconv.models.own import Networks
from poreconv.reads.readers import open_reads
from poreconv.reads.selection import Selection
from poreconv.studio.catalogue import Catalogue
from poreconv.studio.doubts import Doubts
from poreconv.studio.lanes import Lanes
from poreconv.studio.learning import Learner
from poreconv.studio.shelf import Shelf
from poreconv.studio.worker import Worker

if TYPE_CHECKING:
    from starlette.applications import Starlette

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
"""The only address that is listened at: this machine's own."""

TOKEN_BYTES = 24
"""Random bytes of the token."""


def studio(
    paths: Path | str | Sequence[Path | str],
    *,
    project: Path | str,
    labels: LabelsAsked = (),
    labels_from: Sequence[Path | str] = (),
    model: Path | str | None = None,
    config: StudioConfig | None = None,
    networks: Networks = None,
    ready: Callable[[str], None] = print,
) -> None:
    """Serve a page on which people look at reads and mark them, and a network learns, until the process is interrupted.

    Every change is stored at once: what was marked is there again after the process was killed. What a network learnt
    is in the folder ``models`` of the project, each model with its marks, store, and training run.

    Args:
        paths: Signal files and folders: one, or several.
        project: Folder for the marks; made if it does not exist.
        labels: Label sources, each drawn as a lane, whose events can be accepted as marks; see `prepare`.
        labels_from: Files of the label sources; ``NAME=FILE`` if several sources read files.
        model: A trained model, or ``auto``, drawn as a lane in the same way.
        config: Port, browser, how a network learns, and how files, label sources and models are used.
        networks: The user's own network, such as ``my.py:Net``: it learns from the marks, and runs models that were
            trained with it; see `load`.
        ready: Called with the page's address when it can be opened; default: prints it.

    Raises:
        ConfigError: The extra ``studio`` is not installed, the port is in use, or see `Lanes`.
        FormatError: No read can be read, or the project cannot.
    """
    config = config or StudioConfig()
    _check_installed()
    with ExitStack() as stack:
        listening = stack.enter_context(closing(_listening(config.port)))
        token = secrets.token_urlsafe(TOKEN_BYTES)
        asked = {"labels": labels, "labels_from": labels_from, "model": model, "networks": networks}
        app = stack.enter_context(opened_app(paths, project=project, token=token, config=config, **asked))
        address = f"http://{HOST}:{listening.getsockname()[1]}/?token={token}"
        ready(address)
        if not config.no_browser:
            webbrowser.open(address)
        _serve(app, listening)


@contextmanager
def opened_app(
    paths: Path | str | Sequence[Path | str],
    *,
    project: Path | str,
    token: str,
    labels: LabelsAsked = (),
    labels_from: Sequence[Path | str] = (),
    model: Path | str | None = None,
    config: StudioConfig,
    networks: Networks = None,
) -> "Iterator[Starlette]":
    """Open what the studio shows, and give the application; see `studio`.

    Args:
        paths: Signal files and folders.
        project: Folder for the marks.
        token: Of the page's address.
        labels: Label sources.
        labels_from: Their files.
        model: A trained model.
        config: How they are used.
        networks: The user's own network.

    Raises:
        FormatError: No read can be read.
    """
    from poreconv.studio.app import Studio, application

    selection = Selection.of(config.files)
    reads = open_reads(paths, skip_bad_files=config.files.skip_bad_files, selection=selection)
    catalogue = Catalogue(reads)
    with ExitStack() as stack:
        worker = stack.enter_context(closing(Worker(config, networks)))
        lanes = stack.enter_context(Lanes(labels, labels_from, model, config, networks, worker))
        stack.callback(catalogue.stop)
        catalogue.start()
        if not len(catalogue):
            raise catalogue.problem or ConfigError(
                f"{reads.files[0]}: no read to show ({reads.ledger.summary()}); give other files"
            )
        shelf = stack.enter_context(closing(Shelf(catalogue)))
        marks, marking = stack.enter_context(Marks(Path(project), writable=True)), threading.Lock()
        signal_files = [Path(path) for path in ([paths] if isinstance(paths, Path | str) else paths)]
        learner = Learner(signal_files, marks, marking, config, networks, partial(_propose, lanes, marks.path.parent))
        stack.callback(learner.close)
        _propose(lanes, marks.path.parent)
        doubts = stack.enter_context(closing(Doubts(catalogue, marks, marking, worker, lambda: learner.running)))
        yield application(Studio(catalogue, shelf, marks, marking, lanes, learner, doubts), token)


def _propose(lanes: Lanes, folder: Path) -> None:
    """Let the newest model of a project make the proposals."""
    for model in usable_models(folder)[-1:]:
        lanes.propose(model.bundle)


def _check_installed() -> None:
    try:
        import starlette  # noqa: F401 - asked for at once, not when the page is
        import uvicorn  # noqa: F401
    except ImportError as exc:
        raise ConfigError(f"studio: {exc.name} is not installed; pip install 'poreconv[studio]'") from exc


def _listening(port: int) -> socket.socket:
    found = socket.socket()
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
        found.listen()
    except OSError as exc:
        found.close()
        raise ConfigError(f"--port {port}: cannot be used ({exc.strerror}); give another one, or 0 for any") from exc
    return found


def _serve(app: "Starlette", listening: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", ws="none")
    uvicorn.Server(config).run(sockets=[listening])
