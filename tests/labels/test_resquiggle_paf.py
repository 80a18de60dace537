"""Labels from PAF files with a run string."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from poreconv.config import SourceConfig
from poreconv.errors import FormatError, LabelError
from poreconv.events.events import Events
from poreconv.labels.opening import open_labels
from poreconv.labels.sources import LabelSource
from poreconv.reads.read import Read
from tests.support.labels import paf_line, read_of

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a text file and return its path."""

    def written(text: str, name: str = "labels.txt") -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return written


def from_paf(files: Sequence[Path], *reads: Read) -> tuple[list[Events | None], LabelSource]:
    """Label reads from PAF files; the returned source is closed."""
    source = open_labels("resquiggle_paf", files, SourceConfig())
    try:
        return [source.events(read) for read in reads], source
    finally:
        source.close()


def test_extra_samples_belong_to_no_event(write: Write) -> None:
    """They are a hole in the coverage; skipped bases take no samples."""
    path = write(paf_line("r1", 100, 10, 26, "3I4,2D5I4,"))
    (events,), _ = from_paf([path], read_of("r1"))

    assert events is not None
    assert events.coverage.tolist() == [[13, 17], [22, 26]]


def test_of_several_records_the_longest_wins(write: Write) -> None:
    """Records may be in any order; the others are counted."""
    lines = [paf_line("r1", 100, 0, 5, "5,"), paf_line("r1", 100, 20, 50, "30,"), paf_line("r1", 100, 60, 70, "10,")]
    (events,), source = from_paf([write("".join(lines))], read_of("r1"))

    assert events is not None
    assert events.start.tolist() == [20]
    assert source.notes == {"other_records": 2}


def test_a_primary_record_wins_over_a_longer_secondary_one(write: Write) -> None:
    """Minimap2's ``tp`` tag marks secondary records."""
    secondary = paf_line("r1", 100, 20, 50, "30,", tags="\ttp:A:S")
    (events,), _ = from_paf([write(secondary + paf_line("r1", 100, 0, 5, "5,", tags="\ttp:A:P"))], read_of("r1"))

    assert events is not None
    assert events.start.tolist() == [0]


def test_several_files_count_as_one(write: Write) -> None:
    """Each record is found in its own file."""
    files = [write(paf_line("r1", 100, 0, 5, "5,"), "a"), write(paf_line("r2", 100, 7, 9, "2,"), "b")]
    (one, two), _ = from_paf(files, read_of("r1"), read_of("r2"))

    assert one is not None
    assert two is not None
    assert (one.start[0], two.start[0]) == (0, 7)


def test_gzip_is_unpacked(tmp_path: Path) -> None:
    """It is recognised by its content, whatever its name."""
    path = tmp_path / "labels.paf"
    path.write_bytes(gzip.compress(paf_line("r1", 100, 0, 5, "5,").encode()))
    (events,), _ = from_paf([path], read_of("r1"))

    assert events is not None


def test_truncated_gzip_is_a_format_error(tmp_path: Path) -> None:
    """A partly copied file is not taken for a whole one."""
    path = tmp_path / "labels.paf.gz"
    path.write_bytes(gzip.compress(paf_line("r1", 100, 0, 5, "5,").encode())[:-12])

    with pytest.raises(FormatError, match="broken gzip"):
        from_paf([path])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (paf_line("r1", 99, 0, 5, "5,"), "label_length"),
        (paf_line("r1", 100, 0, 6, "5,"), "label_span"),
        (paf_line("r1", 100, 98, 103, "5,"), "label_outside_signal"),
        (paf_line("r1", 100, 0, 5, "5?"), "label_unreadable"),
    ],
)
def test_records_that_do_not_fit_are_named_drops(write: Write, line: str, reason: str) -> None:
    """Another number of samples, a run string of another span, beyond the signal, not a run string."""
    with pytest.raises(LabelError, match="read r1: ") as caught:
        from_paf([write(line)], read_of("r1"))

    assert caught.value.reason == reason


def test_a_record_of_skipped_bases_only_is_not_a_label(write: Write) -> None:
    """It has no event."""
    labels, _ = from_paf([write(paf_line("r1", 100, 5, 5, "9D"))], read_of("r1"))

    assert labels == [None]


@pytest.mark.parametrize(
    "line",
    ["read_id,start,end\n", "r1\tx\t0\t5\n", "r1\t100\t0\t5\t+\n", paf_line("r1", 100, 0, 5, "").replace("ss:", "xx:")],
)
def test_a_file_that_is_not_a_paf_is_a_format_error(write: Write, line: str) -> None:
    """The message names the line."""
    with pytest.raises(FormatError, match=r"labels\.txt: line 2: (not a PAF record|no 'ss' tag)"):
        from_paf([write(paf_line("r0", 100, 0, 5, "5,") + line)])


def test_memory_holds_no_run_strings(write: Write) -> None:
    """The index holds the place of a record, not its contents."""
    source = open_labels("resquiggle_paf", [write(paf_line("r1", 500_000, 0, 450_000, "9," * 50_000))], SourceConfig())
    kept = [value for value in vars(source).values() if isinstance(value, dict)]
    source.close()

    assert max(len(repr(value)) for value in kept) < 200


def kmer_line(read: Read, run_string: str, n_kmers: int, first: int, last: int) -> str:
    """Return a record whose target is the read's called sequence, in k-mers."""
    columns = paf_line(read.read_id, len(read.adc), 10, 20, run_string).split("\t")
    columns[6:9] = [str(n_kmers), str(first), str(last)]
    return "\t".join(columns)


@pytest.mark.parametrize(
    ("first", "last", "bases"),
    [(0, 4, "TGA"), (4, 0, "GGT")],  # letters of ACTTGAGTA at places 2, 4, 5; from the 3' end at 6, 4, 3
    ids=["5' to 3'", "3' to 5'"],
)
def test_called_sequences_give_the_bases(write: Write, first: int, last: int, bases: str) -> None:
    """With a FASTA among the files events have classes; skipped bases are counted too."""
    read = read_of("r1", 30)
    paf = write(kmer_line(read, "3,1D4,3,", 4, first, last))
    fasta = write(">r1\nACTTGAGTA\n", "reads.fasta")
    [events], source = from_paf([paf, fasta], read)

    assert source.classes == ("A", "C", "G", "T")
    assert events is not None
    assert "".join(source.classes[label] for label in events.label) == bases
    assert events.start.tolist() == [10, 13, 17]


def test_a_read_without_a_sequence_has_places_only(write: Write) -> None:
    """Its events have no class."""
    read = read_of("r1", 30)
    [events], _ = from_paf([write(kmer_line(read, "3,4,3,", 3, 0, 3)), write(">other\nACGT\n", "o.fa")], read)

    assert events is not None
    assert events.label.tolist() == [-1, -1, -1]


def test_another_basecalls_sequence_is_a_named_drop(write: Write) -> None:
    """Three k-mers can't come from a sequence of 40 bases."""
    read = read_of("r1", 30)
    with pytest.raises(LabelError) as dropped:
        from_paf([write(kmer_line(read, "3,4,3,", 3, 0, 3)), write(f">r1\n{'A' * 40}\n", "o.fa")], read)

    assert dropped.value.reason == "label_sequence"


@pytest.mark.parametrize("text", ["", "no sequences\n"])
def test_a_file_without_sequences_is_refused(write: Write, text: str) -> None:
    """The message names the file."""
    with pytest.raises(FormatError, match=r"o\.fa: (not a FASTA|no new sequence)"):
        from_paf([write(kmer_line(read_of("r1", 30), "3,4,3,", 3, 0, 3)), write(text, "o.fa")])
