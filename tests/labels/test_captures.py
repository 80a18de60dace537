"""Labels from segmented files of protein and peptide captures."""

from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from poreconv.config import SourceConfig
from poreconv.errors import ConfigError, FormatError, LabelError
from poreconv.events.events import Events
from poreconv.labels.opening import open_labels
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from tests.support.labels import read_of, spans, write_segmented

CHANNEL = read_of("run_channel_1", channel=1)


def label(path: Path, read: Read = CHANNEL, outside: str = "unknown") -> Events | None:
    """Label one channel."""
    with closing(open_labels("captures", [path], SourceConfig(outside=outside))) as source:
        return source.events(read)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path for a test's segmented file."""
    return tmp_path / "segmented.fast5"


def test_captures_are_events_of_one_class(path: Path) -> None:
    """They are in signal order; the rest of the trace stays uncovered."""
    events = label(write_segmented(path, [(60, 90), (15, 20)], [(10, 30), (50, 90)]))

    assert spans(events) == [(15, 20, 0), (60, 90, 0)]
    assert events is not None
    assert events.classes == ("capture",)
    assert events.coverage.tolist() == [[15, 20], [60, 90]]


def test_an_outside_class_fills_the_windows(path: Path) -> None:
    """Its class comes first; samples outside the windows, where the voltage differs, stay uncovered."""
    events = label(write_segmented(path, [(60, 90), (15, 20)], [(10, 30), (50, 90)]), outside="open")

    assert spans(events) == [(10, 15, 0), (15, 20, 1), (20, 30, 0), (50, 60, 0), (60, 90, 1)]
    assert events is not None
    assert events.classes == ("open", "capture")
    assert events.coverage.tolist() == [[10, 30], [50, 90]]


def test_a_capture_beside_its_window_is_kept_as_it_is(path: Path) -> None:
    """Segmenters may look a little further than the window."""
    events = label(write_segmented(path, [(5, 15), (25, 40)], [(10, 30)]), outside="open")

    assert spans(events) == [(5, 15, 1), (15, 25, 0), (25, 40, 1)]


def test_a_channel_that_caught_nothing_is_a_negative_only_where_outside_is_a_class(path: Path) -> None:
    """Without an outside class there is no label."""
    write_segmented(path, [], [(10, 30)])

    assert label(path) is None
    assert spans(label(path, outside="open")) == [(10, 30, 0)]


def test_windows_of_a_part_of_the_bulk_file_are_moved_to_their_place(path: Path) -> None:
    """Windows count from the part's first sample, as ``start_time_local`` does."""
    write_segmented(path, [(60, 70)], [(50, 80)], part_starts=40)

    assert spans(label(path, outside="open")) == [(50, 60, 0), (60, 70, 1), (70, 80, 0)]


def test_channels_are_separate_and_files_joined(tmp_path: Path) -> None:
    """Captures of one channel may be in several files."""
    one = write_segmented(tmp_path / "1.fast5", [(0, 5)])
    write_segmented(one, [(7, 9)], channel=2)
    two = write_segmented(tmp_path / "2.fast5", [(10, 15)])
    with closing(open_labels("captures", [one, two], SourceConfig())) as source:
        found = [source.events(read_of("x", channel=number)) for number in (1, 2, 3)]

    assert [events and len(events) for events in found] == [2, 1, None]


def test_a_run_id_in_the_file_must_be_the_reads(path: Path) -> None:
    """Channel 1 of another sequencing run is another pore."""
    write_segmented(path, [(0, 5)], run_id="run")

    assert spans(label(path, read_of("x", channel=1, run_id="run"))) == [(0, 5, 0)]
    assert label(path, read_of("x", channel=1, run_id="other")) is None


def test_a_read_that_was_cut_out_of_its_channel_has_no_label(path: Path) -> None:
    """Its first sample is not the channel's."""
    assert label(write_segmented(path, [(0, 5)]), read_of("x", channel=1, start_sample=1000)) is None


@pytest.mark.parametrize(
    ("places", "windows", "attributes", "reason"),
    [
        ([(0, 5)], [], {"sampling_rate": 10_000}, "label_sample_rate"),
        ([(0, 5)], [], {"duration": 6}, "label_signal"),
        ([(0, 5)], [], {"duration": 0}, "label_empty"),
        ([(0, 5)], [], {"start_time_bulk": -3, "start_time_local": -3}, "label_outside_signal"),
        ([(0, 5), (4, 9)], [], {}, "label_order"),
        ([(90, 101)], [], {}, "label_outside_signal"),
        ([(0, 5)], [(0, 101)], {}, "label_outside_signal"),
        ([(0, 5)], [(0, 20), (10, 30)], {}, "label_order"),
    ],
)
def test_a_misfit_is_a_named_drop(
    path: Path, places: list[tuple[int, int]], windows: list[tuple[int, int]], attributes: dict[str, Any], reason: str
) -> None:
    """Captures and windows are not moved or cut to fit."""
    write_segmented(path, places, windows, **attributes)
    with pytest.raises(LabelError) as caught:
        label(path, outside="open")

    assert caught.value.reason == reason


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_the_stored_samples_may_be_a_count_off(path: Path, off: int) -> None:
    """Poretitioner's rounding changes samples by as much."""
    write_segmented(path, [(0, 50)], signal=CHANNEL.adc + np.int16(off))

    assert spans(label(path)) == [(0, 50, 0)]


def test_captures_of_another_bulk_file_are_a_named_drop(path: Path) -> None:
    """All bulk files have the same channel numbers, but not the same samples."""
    write_segmented(path, [(0, 50)], signal=CHANNEL.adc + np.int16(2))
    with pytest.raises(LabelError, match="cut out of") as caught:
        label(path)

    assert caught.value.reason == "label_signal"


def damaged(path: Path, what: str) -> None:
    """Damage one thing in a segmented file."""
    with h5py.File(path, "r+") as file:
        windows = "Meta/Segmentation/capture_windows/Channel_1"
        if what == "nothing in it":
            del file["read_0000"], file["Meta"]
        elif what == "no start":
            del file["read_0000/Signal"].attrs["start_time_bulk"]
        elif what == "no channel":
            file["read_0000/channel_id"].attrs["channel_number"] = "x"
        elif what == "a group for a signal":
            del file["read_0000/Signal"]
            file.create_group("read_0000/Signal").attrs.update(start_time_bulk=0, duration=3)
        elif what == "windows of 3 columns":
            del file[windows]
            file[windows] = np.zeros((4, 3), np.int64)
        elif what == "a claimed size":
            del file[windows]
            file.create_dataset(windows, (10**12, 2), np.int64, chunks=(9, 2))


@pytest.mark.parametrize(
    "what",
    ["nothing in it", "no start", "no channel", "a group for a signal", "windows of 3 columns", "a claimed size"],
)
def test_another_layout_is_a_format_error(path: Path, what: str) -> None:
    """The message is one line, whatever h5py's is; sizes are checked before memory is allocated."""
    write_segmented(path, [(0, 5)], [(0, 9)])
    damaged(path, what)
    with pytest.raises(FormatError, match="not a segmented fast5") as caught:
        label(path)

    assert "\n" not in str(caught.value)


def test_text_is_a_format_error(path: Path) -> None:
    """So is every file that is not HDF5."""
    path.write_text("read_id\tstart\tend\n")

    with pytest.raises(FormatError, match=r"segmented\.fast5: not a segmented fast5"):
        label(path)


def test_captures_of_several_parts_in_one_file_are_refused(path: Path) -> None:
    """The file does not state from which part the windows count."""
    write_segmented(path, [(0, 5)])
    write_segmented(path, [(50, 55)], part_starts=40)

    with pytest.raises(FormatError, match="several parts"):
        label(path)


def test_outside_must_not_have_the_class_of_the_captures(path: Path) -> None:
    """Two classes can't have the same name."""
    with pytest.raises(ConfigError, match="choose another name"):
        label(write_segmented(path, [(0, 5)]), outside="capture")


# ---- real captures ----

SET = "protein_nanopore_captures"


@pytest.mark.real
def test_real_captures_lie_in_their_channels(real_data: Path) -> None:
    """9 captures with 596,189 samples in 3 channels of 500,000, and 4 windows per channel."""
    files = [real_data / SET / "classified_9captures.fast5"]
    labelled = {}
    for outside in ("unknown", "open"):
        source = open_labels("captures", files, SourceConfig(outside=outside))
        with closing(source), open_reads(real_data / SET / "bulk_fast5_dummy.fast5") as reads:
            labelled[outside] = [(read, source.events(read)) for read in reads]

    captures = [events for _, events in labelled["unknown"] if events is not None]
    assert [(read.channel, len(read.adc), read.sample_rate_hz) for read, _ in labelled["open"]] == [
        (number, 500_000, 10_000) for number in (1, 2, 3)
    ]
    assert [len(events) for events in captures] == [2, 4, 3]
    assert sum(int(events.duration.sum()) for events in captures) == 596_189
    for _, events in labelled["open"]:
        assert events is not None
        assert events.coverage.tolist() == [[41670, 135380], [192039, 285550], [342109, 435768], [492332, 500000]]


@pytest.mark.real
def test_real_captures_are_the_bulk_files_samples_but_for_rounding(real_data: Path) -> None:
    """1 sample in 31 differs by 1 count, none by 2: poretitioner converted them to pA and back."""
    differences = []
    with (
        open_reads(real_data / SET / "bulk_fast5_dummy.fast5") as reads,
        h5py.File(real_data / SET / "classified_9captures.fast5") as file,
    ):
        trace = {read.channel: read.adc for read in reads}
        for group in (group for name, group in file.items() if name.startswith("read_")):
            start = group["Signal"].attrs["start_time_bulk"]
            in_bulk = trace[group["channel_id"].attrs["channel_number"]][start : start + len(group["Signal"])]
            differences.append(in_bulk.astype(int) - group["Signal"][()])

    found = np.concatenate(differences)
    assert len(found) == 596_189
    assert np.abs(found).max() == 1
    assert np.count_nonzero(found) == 18_980
