"""Labels from poretitioner: where in a channel's trace a protein or peptide was held in the pore."""

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

CAPTURE = "capture"
"""The class of every capture."""

WINDOWS = "Meta/Segmentation/capture_windows"
"""Group of the windows of each channel, shape ``(k, 2)``."""

MAX_WINDOWS = 1 << 20
"""No experiment reverses its voltage so often: a wrong size can't exhaust the memory."""

ROUNDING = 1
"""Counts by which a stored capture may differ: poretitioner turns it to pA and back on its way."""

ERRORS = (AttributeError, KeyError, OSError, OverflowError, RuntimeError, TypeError, ValueError)
"""What h5py raises on a file that is damaged or of another layout."""

Spans = NDArray[np.int64]
"""``[start, end)`` in samples of the bulk file, shape ``(n, 2)``, by start."""


@dataclass(frozen=True, slots=True)
class Capture:
    """One segment that the segmented file holds."""

    start: int
    """In samples of the bulk file."""
    end: int
    sample_rate_hz: float
    signal: h5py.Dataset


@dataclass(slots=True)
class Channel:
    """What the segmented files say of one channel."""

    captures: list[Capture] = field(default_factory=list)
    windows: list[Spans] = field(default_factory=list)


class Captures:
    """The segmented fast5 files that poretitioner makes of a bulk fast5; a read is a whole channel of that file.

    ``read_<id>/Signal`` was cut out at ``start_time_bulk``, ``duration`` samples long. Joined by the channel's number,
    and by the run where the segmented file names one; the stored samples must be those of the read, for nothing else
    tells one bulk file from another. Events are of class ``capture``. `SourceConfig.outside` may name a class for the
    rest of the capture windows, where the voltage could hold a molecule: it comes first, and a channel without a
    capture then has events too. Samples outside the windows stay uncovered: there the voltage is another.

    The classes that poretitioner's own classifiers assign are left out: they are numbers of one model's training, given
    to some of the captures only. Reads that start later than their file's first sample are no channels, and have no
    label.
    """

    in_file = False
    base_offset: int | None = None

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Open the files and list their captures and windows.

        Raises:
            FormatError: A file is no segmented fast5.
            ConfigError: ``outside`` is called as the captures are.
        """
        require(config.outside != CAPTURE, f"outside {CAPTURE!r}: so are the captures called; choose another name")
        self.notes: Counter[str] = Counter()
        self._outside = config.outside != UNKNOWN
        self.classes: tuple[str, ...] = (config.outside, CAPTURE) if self._outside else (CAPTURE,)
        self._channels: defaultdict[tuple[str, int], Channel] = defaultdict(Channel)
        with ExitStack() as opened:
            for path in files:
                with _of_this_layout(path):
                    self._add(opened.enter_context(h5py.File(path, "r")))
            self._files = opened.pop_all()

    def events(self, read: Read) -> Events | None:
        """Label one channel; see `LabelSource.events`."""
        channel = self._channels.get((read.run_id, read.channel)) or self._channels.get(("", read.channel))
        if channel is None or read.start_sample > 0:
            return None
        held, windows = _held(channel), _searched(channel) if self._outside else np.empty((0, 2), np.int64)
        if len(held) + len(windows) == 0:
            return None
        _check(read, channel, held, windows)
        free = _without(windows, held)
        spans = np.concatenate([free, held])
        label = np.repeat([0, len(self.classes) - 1], [len(free), len(held)])
        order = np.argsort(spans[:, 0])
        return fitted(read, *spans[order].T, label=label[order], classes=self.classes)

    def close(self) -> None:
        """Close the files."""
        self._files.close()

    def _add(self, file: h5py.File) -> None:
        captures = [(name, file[name]) for name in file if name.startswith("read_")]
        run_id = _run_id(file)
        shifts = {_attribute(group["Signal"], "start_time_bulk") - _local(group["Signal"]) for _, group in captures}
        if len(shifts) > 1:
            raise ValueError("its captures were cut from several parts of a bulk file")
        shift = next(iter(shifts), 0)
        for _, group in captures:
            self._channels[run_id, _attribute(group["channel_id"], "channel_number")].captures.append(_capture(group))
        for number, windows in _windows(file):
            self._channels[run_id, number].windows.append(windows + shift)
        if not captures and WINDOWS not in file:
            raise ValueError("no read_<id> and no capture windows")


@contextmanager
def _of_this_layout(path: Path) -> Iterator[None]:
    try:
        yield
    except ERRORS as exc:
        problem = " ".join(str(exc.args[0] if exc.args else exc).split())
        raise FormatError(
            f"{path}: no segmented fast5 of poretitioner ({problem}); give the file that it wrote"
        ) from exc


def _run_id(file: h5py.File) -> str:
    said = file["Meta/tracking_id"].attrs.get("run_id", "") if "Meta/tracking_id" in file else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _attribute(location: h5py.Group | h5py.Dataset, name: str) -> int:
    return int(location.attrs[name])


def _local(signal: h5py.Dataset) -> int:
    """Start in the part of the bulk file that was segmented, which is what its windows count from."""
    return _attribute(signal, "start_time_local" if "start_time_local" in signal.attrs else "start_time_bulk")


def _capture(group: h5py.Group) -> Capture:
    signal = group["Signal"]
    if not isinstance(signal, h5py.Dataset):
        raise TypeError(f"{signal.name} is no dataset")
    start = _attribute(signal, "start_time_bulk")
    rate = float(group["channel_id"].attrs["sampling_rate"])
    return Capture(start, start + _attribute(signal, "duration"), rate, signal)


def _windows(file: h5py.File) -> Iterator[tuple[int, Spans]]:
    for name, windows in file[WINDOWS].items() if WINDOWS in file else ():
        if not (number := re.fullmatch(r"Channel_(\d{1,9})", name)):
            continue
        shape, kind = windows.shape, windows.dtype.kind
        if len(shape) != 2 or shape[1] != 2 or shape[0] > MAX_WINDOWS or kind not in "iu":
            raise ValueError(f"windows of {name} have shape {shape} and type {windows.dtype}")
        yield int(number[1]), windows[()].astype(np.int64)


def _held(channel: Channel) -> Spans:
    spans = sorted((capture.start, capture.end) for capture in channel.captures)
    return np.array(spans, np.int64).reshape(-1, 2)


def _searched(channel: Channel) -> Spans:
    windows = np.concatenate([np.empty((0, 2), np.int64), *channel.windows])
    return windows[np.argsort(windows[:, 0])]


def _check(read: Read, channel: Channel, held: Spans, windows: Spans) -> None:
    """Check that the segmented files speak of this very trace.

    Raises:
        LabelError: See `check_fit`; or another sample rate (``label_sample_rate``), or samples that are others than the
            read's (``label_signal``).
    """
    check_fit(read, *held.T)
    check_fit(read, *windows.T)
    for capture in channel.captures:
        if capture.sample_rate_hz != read.sample_rate_hz:
            raise LabelError(
                f"{read.where}: {read.sample_rate_hz:g} Hz, and its captures have {capture.sample_rate_hz:g} Hz; are "
                "they of this bulk file?",
                reason="label_sample_rate",
            )
        if not _same(capture, read):
            raise LabelError(
                f"{read.where}: its samples [{capture.start}, {capture.end}) are not those of {capture.signal.name}; "
                "give the bulk file that the captures were cut out of",
                reason="label_signal",
            )


def _same(capture: Capture, read: Read) -> bool:
    """Whether the segmented file stores what the read has there; its size is checked before it is believed."""
    there = read.adc[capture.start : capture.end]
    if capture.signal.shape != there.shape or capture.signal.dtype.kind not in "iu":
        return False
    try:
        stored = capture.signal[()].astype(np.int64)
    except ERRORS:
        return False
    return bool((np.abs(stored - there) <= ROUNDING).all())


def _without(windows: Spans, held: Spans) -> Spans:
    """What of the windows no capture holds."""
    edge = np.unique(np.concatenate([windows, held]))
    first = edge[:-1]
    free = _inside(windows, first) & ~_inside(held, first)
    return np.column_stack([first[free], edge[1:][free]])


def _inside(spans: Spans, sample: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each sample lies in one of some intervals that don't overlap."""
    inside: NDArray[np.bool_] = np.searchsorted(spans[:, 0], sample, "right") > np.searchsorted(
        spans[:, 1], sample, "right"
    )
    return inside
