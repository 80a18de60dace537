"""Labels from poretitioner: the parts of a channel's trace during which a protein or peptide was held in the pore."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from poreconv.config import SourceConfig, require
from poreconv.errors import FormatError, LabelError
from poreconv.events.events import Events
from poreconv.labels.fit import check_fit, fitted
from poreconv.labels.sources.intervals import UNKNOWN
from poreconv.reads.read import Read
from poreconv.runtime.hdf5 import open_hdf5

CAPTURE = "capture"
"""The class of every capture."""

WINDOWS = "Meta/Segmentation/capture_windows"
"""HDF5 group with the capture windows of each channel, shape ``(k, 2)``."""

MAX_WINDOWS = 1 << 20
"""Largest number of windows read per channel, so that a corrupt size can't exhaust the memory; no experiment reverses
its voltage so often."""

ROUNDING = 1
"""Counts by which a stored capture may differ from the read: poretitioner converts it to pA and back."""

ERRORS = (AttributeError, KeyError, OSError, OverflowError, RuntimeError, TypeError, ValueError)
"""Errors that h5py raises on a file that is damaged or of another layout."""

Spans = NDArray[np.int64]
"""``[start, end)`` in samples of the bulk file, shape ``(n, 2)``, sorted by start."""


@dataclass(frozen=True, slots=True)
class Capture:
    """One capture in a segmented file."""

    start: int
    """Its first sample, in samples of the bulk file."""
    end: int
    """The sample after its last."""
    sample_rate_hz: float
    signal: h5py.Dataset
    """The stored counts of the capture."""


@dataclass(slots=True)
class Channel:
    """What the segmented files contain about one channel."""

    captures: list[Capture] = field(default_factory=list)
    windows: list[Spans] = field(default_factory=list)
    """Capture windows, one array per file."""


class Captures:
    """The segmented fast5 files that poretitioner makes of a bulk fast5; a read is a whole channel of the bulk file.

    Each ``read_<id>/Signal`` is a capture of ``duration`` samples from sample ``start_time_bulk`` on. Captures are
    matched to reads by the channel's number, and by the run id if the segmented file has one. The stored samples must
    be those of the read, since nothing else distinguishes one bulk file from another. Events are of class ``capture``.
    `SourceConfig.outside` may name a class for the rest of the capture windows, during which the voltage could hold a
    molecule: it is the first class, and a channel without a capture then has events too. Samples outside the windows
    stay uncovered, because the voltage differs there.

    The classes that poretitioner's own classifiers assign are not read: they are numbers from one model's training, and
    only some of the captures have one. Reads that start later than their file's first sample are not whole channels and
    have no label.
    """

    in_file = False
    base_offset: int | None = None

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Open the files and list their captures and windows.

        Args:
            files: Segmented fast5 files.
            config: ``outside`` is used.

        Raises:
            FormatError: A file is not a segmented fast5 file.
            ConfigError: ``outside`` is ``capture``, the class of the captures.
        """
        require(
            config.outside != CAPTURE, f"outside {CAPTURE!r}: this is the class of the captures; choose another name"
        )
        self.notes: Counter[str] = Counter()
        self._outside = config.outside != UNKNOWN
        self.classes: tuple[str, ...] = (config.outside, CAPTURE) if self._outside else (CAPTURE,)
        self._channels: defaultdict[tuple[str, int], Channel] = defaultdict(Channel)
        with ExitStack() as opened:
            for path in files:
                with _of_this_layout(path):
                    self._add(opened.enter_context(open_hdf5(h5py.File, path)))
            self._files = opened.pop_all()

    def events(self, read: Read) -> Events | None:
        """Label one channel; see `LabelSource.events`.

        Args:
            read: A whole channel. Its captures are found by its channel and run id; its samples and sample rate are
                compared with theirs.

        Raises:
            LabelError: The captures are not from this channel's trace (``label_sample_rate``, ``label_signal``), or
                captures or windows don't fit it (see `check_fit`).
        """
        channel = self._channels.get((read.run_id, read.channel)) or self._channels.get(("", read.channel))
        if channel is None or read.start_sample > 0:
            return None
        captures, windows = _captures(channel), _windows(channel) if self._outside else np.empty((0, 2), np.int64)
        if len(captures) + len(windows) == 0:
            return None
        _check(read, channel, captures, windows)
        outside = _outside(windows, captures)
        spans = np.concatenate([outside, captures])
        label = np.repeat([0, len(self.classes) - 1], [len(outside), len(captures)])
        order = np.argsort(spans[:, 0])
        return fitted(read, *spans[order].T, label=label[order], classes=self.classes)

    def close(self) -> None:
        """Close the files."""
        self._files.close()

    def _add(self, file: h5py.File) -> None:
        captures = [(name, file[name]) for name in file if name.startswith("read_")]
        run_id = _run_id(file)
        shifts = {
            _attribute(group["Signal"], "start_time_bulk") - _local_start(group["Signal"]) for _, group in captures
        }
        if len(shifts) > 1:
            raise ValueError("its captures were cut from several parts of a bulk file")
        shift = next(iter(shifts), 0)
        for _, group in captures:
            self._channels[run_id, _attribute(group["channel_id"], "channel_number")].captures.append(
                _stored_capture(group)
            )
        for number, windows in _stored_windows(file):
            self._channels[run_id, number].windows.append(windows + shift)
        if not captures and WINDOWS not in file:
            raise ValueError("neither read_<id> nor capture windows in it")


@contextmanager
def _of_this_layout(path: Path) -> Iterator[None]:
    try:
        yield
    except ERRORS as exc:
        problem = " ".join(str(exc.args[0] if exc.args else exc).split())
        raise FormatError(
            f"{path}: not a segmented fast5 file of poretitioner ({problem}); give the file that poretitioner wrote"
        ) from exc


def _run_id(file: h5py.File) -> str:
    run_id = file["Meta/tracking_id"].attrs.get("run_id", "") if "Meta/tracking_id" in file else ""
    return run_id.decode("utf-8", "replace") if isinstance(run_id, bytes) else str(run_id)


def _attribute(location: h5py.Group | h5py.Dataset, name: str) -> int:
    return int(location.attrs[name])


def _local_start(signal: h5py.Dataset) -> int:
    """Return the start in the part of the bulk file that was segmented; the windows count from that part's start."""
    return _attribute(signal, "start_time_local" if "start_time_local" in signal.attrs else "start_time_bulk")


def _stored_capture(group: h5py.Group) -> Capture:
    signal = group["Signal"]
    if not isinstance(signal, h5py.Dataset):
        raise TypeError(f"{signal.name} is not a dataset")
    start = _attribute(signal, "start_time_bulk")
    rate = float(group["channel_id"].attrs["sampling_rate"])
    return Capture(start, start + _attribute(signal, "duration"), rate, signal)


def _stored_windows(file: h5py.File) -> Iterator[tuple[int, Spans]]:
    for name, windows in file[WINDOWS].items() if WINDOWS in file else ():
        if not (number := re.fullmatch(r"Channel_(\d{1,9})", name)):
            continue
        shape, kind = windows.shape, windows.dtype.kind
        if len(shape) != 2 or shape[1] != 2 or shape[0] > MAX_WINDOWS or kind not in "iu":
            raise ValueError(f"windows of {name} have shape {shape} and type {windows.dtype}")
        yield int(number[1]), windows[()].astype(np.int64)


def _captures(channel: Channel) -> Spans:
    spans = sorted((capture.start, capture.end) for capture in channel.captures)
    return np.array(spans, np.int64).reshape(-1, 2)


def _windows(channel: Channel) -> Spans:
    windows = np.concatenate([np.empty((0, 2), np.int64), *channel.windows])
    return windows[np.argsort(windows[:, 0])]


def _check(read: Read, channel: Channel, captures: Spans, windows: Spans) -> None:
    """Check that the segmented files were made from this trace.

    Raises:
        LabelError: Captures or windows don't fit the read (see `check_fit`), its sample rate differs from theirs
            (``label_sample_rate``), or its samples do (``label_signal``).
    """
    check_fit(read, *captures.T)
    check_fit(read, *windows.T)
    for capture in channel.captures:
        if capture.sample_rate_hz != read.sample_rate_hz:
            raise LabelError(
                f"{read.where}: sampled at {read.sample_rate_hz:g} Hz, its captures at {capture.sample_rate_hz:g} Hz; "
                "give the bulk file that the captures were cut out of",
                reason="label_sample_rate",
            )
        if not _same_samples(capture, read):
            raise LabelError(
                f"{read.where}: its samples [{capture.start}, {capture.end}) differ from {capture.signal.name}; "
                "give the bulk file that the captures were cut out of",
                reason="label_signal",
            )


def _same_samples(capture: Capture, read: Read) -> bool:
    """Return whether a capture's stored samples are the read's; their number is checked before they are loaded."""
    in_read = read.adc[capture.start : capture.end]
    if capture.signal.shape != in_read.shape or capture.signal.dtype.kind not in "iu":
        return False
    try:
        stored = capture.signal[()].astype(np.int64)
    except ERRORS:
        return False
    return bool((np.abs(stored - in_read) <= ROUNDING).all())


def _outside(windows: Spans, captures: Spans) -> Spans:
    """Return the parts of the windows that are outside all captures."""
    edge = np.unique(np.concatenate([windows, captures]))
    first = edge[:-1]
    free = _inside(windows, first) & ~_inside(captures, first)
    return np.column_stack([first[free], edge[1:][free]])


def _inside(spans: Spans, sample: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether each sample lies in one of the intervals, which must not overlap."""
    inside: NDArray[np.bool_] = np.searchsorted(spans[:, 0], sample, "right") > np.searchsorted(
        spans[:, 1], sample, "right"
    )
    return inside
