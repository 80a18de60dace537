"""Commands that are asked to end, or lose a process: the right exit code, one line, nothing hangs or is left over."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from poreconv.cli.main import main
from poreconv.cli.stopping import SIGNALS, Stop, stoppable
from poreconv.commands.stream import stream
from poreconv.commands.train import train
from poreconv.config import FlowCellConfig, SourceConfig, TrainConfig
from poreconv.errors import BundleError, ConfigError, MachineError, WorkerError
from poreconv.labels.opening import open_labels
from poreconv.models.architectures import Heartbeat
from poreconv.models.header import read_header
from poreconv.training import trainer
from tests.commands.test_kill import contents, inputs, prepare_command, undisturbed_store
from tests.support.data import heartbeat_store
from tests.support.faults import small_disk, tree

__all__ = ["inputs", "undisturbed_store"]

PATIENCE_S = 400
"""Time after which a process counts as one that hangs; machines are busy."""

PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # also in the background
from poreconv.cli.main import main
main()
"""

HEARING = (sys.executable, "-W", "ignore", "-c", PROGRAM)

INTERRUPTED = "interrupted; run the same command again to resume"

TRAINING = TrainConfig(
    max_steps=30, validate_every=10, batch_size=2, chunk_samples=64, accelerator="cpu", precision="32", loader_workers=1
)


@contextmanager
def started(words: list[str], *program: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command in a process group of its own, of which nothing is left at the end."""
    process = subprocess.Popen(
        [*(program or HEARING), *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for(process: subprocess.Popen[str], folder: Path, pattern: str) -> None:
    """Wait until a process has made a file."""
    while process.poll() is None and not any(folder.glob(pattern)):
        time.sleep(0.001)


def ended(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Wait until a process and all that share its stderr have ended; gives exit code and lines, without progress."""
    _, errors = process.communicate(timeout=PATIENCE_S)
    return process.returncode, [line for line in errors.splitlines() if not re.match(r"[\w ]+: \d+%", line)]


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Give the processes that do a command's jobs."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


@pytest.mark.parametrize(("numbers", "code"), [((signal.SIGINT,) * 2, 130), ((signal.SIGTERM,), 143)])
def test_a_command_of_several_processes_that_is_stopped_goes_on(
    numbers: tuple[int, ...], code: int, inputs: Path, undisturbed_store: dict[str, bytes], tmp_path: Path
) -> None:
    """The signals reach all its processes, as from a terminal or a batch system; one acts on the first."""
    words = [*prepare_command(inputs, tmp_path / "store"), "--workers", "2"]
    with started(words) as process:
        wait_for(process, tmp_path, ".store.parts/0*.parquet")
        for number in numbers:
            os.killpg(process.pid, number)
            time.sleep(0.05)  # two at once are one
        assert ended(process) == (code, [f"poreconv prepare: {INTERRUPTED}"])

    assert {name.split("/")[0] for name in tree(tmp_path)} == {".store.parts"}
    main([*prepare_command(inputs, tmp_path / "store"), "--workers", "1"])
    assert contents(tmp_path) == undisturbed_store


def test_a_command_whose_worker_dies_goes_on(inputs: Path, undisturbed_store: dict[str, bytes], tmp_path: Path) -> None:
    """As one that the system ends when memory is short."""
    words = [*prepare_command(inputs, tmp_path / "store"), "--workers", "2"]
    with started(words) as process:
        wait_for(process, tmp_path, ".store.parts/0*.parquet")
        os.kill(workers_of(process)[0], signal.SIGKILL)
        code, lines = ended(process)

    assert (code, len(lines)) == (1, 1)
    assert lines[0].startswith("poreconv prepare: a worker process died, possibly out of memory")
    assert {name.split("/")[0] for name in tree(tmp_path)} == {".store.parts"}
    main([*prepare_command(inputs, tmp_path / "store"), "--workers", "1"])
    assert contents(tmp_path) == undisturbed_store


def test_a_training_that_the_system_ends_leaves_a_bundle(tmp_path: Path) -> None:
    """As Ctrl-C does: a batch system sends SIGTERM, to all processes that train together, before it kills."""
    store = heartbeat_store(tmp_path / "in", n_reads=12)
    network = "--network unet --unet.channels [4,6] --unet.batch_norm false --chunk_samples 64 --batch_size 4"
    steps = "--max_steps 100000 --validate_every 10 --accelerator cpu --devices 2"
    out, words = tmp_path / "run", f"train {store} {network} {steps} --out"
    program = Path(sys.executable).with_name("poreconv")  # by its name, the others are started
    with started([*words.split(), str(out)], str(program)) as process:
        wait_for(process, out, "checkpoints/best.ckpt")
        os.killpg(process.pid, signal.SIGTERM)
        assert ended(process) == (143, [f"poreconv train: {INTERRUPTED}"])

    assert read_header(out / "model.safetensors").recipe.task == "segment"
    assert not [*tmp_path.glob(".*")]


def test_full_shared_memory_is_one_line(inputs: Path, tmp_path: Path) -> None:
    """Where no locks can be made for several processes, one process can work."""
    if subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("cannot give a process file systems of its own")
    full = 'mount -t tmpfs -o size=4k tmpfs /dev/shm && cat /proc/self/mounts > /dev/shm/full; exec "$@"'
    with started(
        [*prepare_command(inputs, tmp_path / "store"), "--workers", "2"],
        "unshare",
        "-m",
        "sh",
        "-c",
        full,
        "sh",
        *HEARING,
    ) as process:
        code, lines = ended(process)

    assert (code, len(lines)) == (1, 1)
    assert lines[0].startswith("poreconv prepare: worker processes cannot be started: ")
    assert lines[0].endswith("No space left on device; free some of /dev/shm, or use --workers 1")
    assert tree(tmp_path) == {}


def test_loader_processes_need_shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As containers have little of it; without it torch would end them with a bus error."""
    store = heartbeat_store(tmp_path / "in", n_reads=12)
    with small_disk(tmp_path / "shm", "64k") as disk:
        monkeypatch.setattr(trainer, "SHARED", disk)
        with pytest.raises(MachineError, match=r"0\.1 MB free, 1 loader processes need about 0\.1 MB"):
            train(store, out=tmp_path / "run", network="heartbeat", settings=Heartbeat(), config=TRAINING)

    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), WorkerError, "DataLoader worker .*, with --loader_workers 0$"),
        (lambda: 1 / 0, ConfigError, r"change: transforming a window failed: ZeroDivisionError: division by zero \("),
    ],
)
def test_what_goes_wrong_in_a_loader_process_is_one_line(
    act: Callable[[], Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    """It dies, or raises an error."""
    first, store = os.getpid(), heartbeat_store(tmp_path / "in", n_reads=12)

    def change(x: Any, y: Any) -> Any:
        if os.getpid() != first:
            act()
        return x, y

    with pytest.raises(error, match=message) as raised:
        train(
            store, out=tmp_path / "run", network="heartbeat", settings=Heartbeat(), config=TRAINING, transforms=[change]
        )

    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_during_the_clean_up_is_ignored(number: int, tmp_path: Path) -> None:
    """In any part of it, also where it meets other errors; afterwards the signals have their handlers again."""
    before, cleaned = [signal.getsignal(each) for each in SIGNALS], []

    @contextmanager
    def cleaning() -> Iterator[None]:
        try:
            yield
        finally:
            try:
                (tmp_path / "none").unlink()
            except OSError:
                signal.raise_signal(number)
                cleaned.append(number)

    with stoppable(at_end=False) as stop:
        signal.signal(number, stop)  # in the background, or under nohup, it is ignored
        with pytest.raises(KeyboardInterrupt), cleaning():
            signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):  # the first one may have been lost
            signal.raise_signal(number)
    signal.signal(number, before[SIGNALS.index(number)])

    assert (cleaned, stop.code) == ([number], 128 + number)
    assert [signal.getsignal(each) for each in SIGNALS] == before


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    """As under ``nohup``."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable(at_end=False):
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)

    assert Stop().code == 0


def test_an_interrupted_stream_leaves_nothing(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not resumed."""

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("poreconv.commands.stream.join_files", interrupted)
    config = FlowCellConfig(channels=4, seconds=6, speed="max", workers=1)
    with pytest.raises(KeyboardInterrupt):
        stream(inputs / "model.safetensors", inputs / "00.fast5", out=tmp_path / "events.tsv", config=config)

    assert tree(tmp_path) == {}


def test_a_pipe_is_no_model_and_no_table_of_labels(tmp_path: Path) -> None:
    """Opening one would wait for a writer."""
    os.mkfifo(tmp_path / "x.safetensors")
    with pytest.raises(BundleError, match="a pipe or device, no trained model"):
        read_header(tmp_path / "x.safetensors")
    with pytest.raises(ConfigError, match="a folder, pipe or device, no file"):
        open_labels("intervals", [tmp_path / "x.safetensors"], SourceConfig())
