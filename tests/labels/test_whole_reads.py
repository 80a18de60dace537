"""Sources that label a read as a whole: `read_table` and `path_class`."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from poreconv.config import SourceConfig
from poreconv.errors import ConfigError, FormatError, LabelError
from poreconv.labels.sources.path_class import PathClass
from poreconv.labels.sources.read_table import ReadTable
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from tests.support.labels import read_of


def table(folder: Path, text: str, name: str = "labels.tsv") -> ReadTable:
    """Return a source of one table."""
    path = folder / name
    path.write_text(text)
    return ReadTable([path], SourceConfig())


def class_of(source: ReadTable | PathClass, read: Read) -> str | None:
    """Return the class that a source gives a read."""
    events = source.events(read)
    return None if events is None else events.classes[events.label[0]]


@pytest.mark.parametrize(
    "text",
    [
        "read_id\tlabel\nr1\tb\nr2\ta\n",
        "label,read_id,other\nb,r1,3\na,r2,4\n",
        "filename\tread_id\tbarcode\nf\tr1\tb\nf\tr2\ta\n",
        "parent_read_id\tread_id\tbarcode_arrangement\tbarcode_score\nr2\tr1\tb\t90\nr1\tr2\ta\t80\n",
    ],
)
def test_own_tables_and_those_of_basecallers_are_read(text: str, tmp_path: Path) -> None:
    """Columns read_id and label, or guppy's barcode_arrangement, or dorado's barcode, in any order."""
    source = table(tmp_path, text)

    assert source.classes == ("a", "b")
    assert [class_of(source, read_of(read_id)) for read_id in ("r1", "r2")] == ["b", "a"]


def test_parquet_is_read(tmp_path: Path) -> None:
    """Numbers as labels become names."""
    path = tmp_path / "labels.parquet"
    pq.write_table(pa.table({"read_id": ["r1", "r2"], "label": [1, 0]}), path)

    assert class_of(ReadTable([path], SourceConfig()), read_of("r1")) == "1"


def test_a_read_without_a_barcode_has_no_label(tmp_path: Path) -> None:
    """Neither empty cells nor what basecallers write for a read without a barcode are classes."""
    source = table(tmp_path, "read_id,barcode\nr1,unclassified\nr2,\nr3,barcode07\nr4,unknown\n")
    own = table(tmp_path, "read_id,label\nr1,unclassified\nr2,\nr3,barcode07\nr4,unknown\n")

    assert source.classes == ("barcode07",)
    assert [class_of(source, read_of(read_id)) for read_id in ("r1", "r2", "r4")] == [None, None, None]
    assert own.classes == ("barcode07", "unknown")


def test_a_split_read_has_the_label_that_its_parts_share(tmp_path: Path) -> None:
    """The signal file has the read that was split; a row of its own wins."""
    rows = ["parent_read_id,read_id,barcode", "p,p1,a", "p,p2,a", "q,q1,a", "q,q2,b", "s,s,b", "s,s2,a"]
    source = table(tmp_path, "\n".join(rows) + "\n")

    assert class_of(source, read_of("p")) == "a"
    assert class_of(source, read_of("s")) == "b"
    with pytest.raises(LabelError, match="different labels"):
        source.events(read_of("q"))


def test_a_table_without_a_label_names_the_column_that_was_read(tmp_path: Path) -> None:
    """A sample sheet's names stand in another column, which is mentioned if there is one."""
    with pytest.raises(FormatError, match="column barcode_arrangement: no read has a label in it; if column alias has"):
        table(tmp_path, "read_id\talias\tbarcode_arrangement\nr1\tsample\tunclassified\n")
    with pytest.raises(FormatError, match="column label: no read has a label in it; give labels"):
        table(tmp_path, "read_id\tlabel\nr1\t\n")


@pytest.mark.real
def test_barcodes_of_a_summary_from_the_field(real_data: Path) -> None:
    """Of 180 reads 60 have barcode ``unknown``, which is no class."""
    folder = real_data / "field_reports" / "labels"
    source = ReadTable([folder / "unknown.txt"], SourceConfig())
    with open_reads(real_data / "rna004_trna_ecoli" / "ecoli_trna_wt_reads.pod5") as reads:
        found = Counter(class_of(source, read) for read in reads)

    assert len(source.classes) == 2
    assert found[None] == 60
    with pytest.raises(FormatError, match="if column alias has the labels"):
        ReadTable([folder / "alias.txt"], SourceConfig())


def test_rows_that_repeat_are_counted_and_rows_that_contradict_drop_the_read(tmp_path: Path) -> None:
    """It is not known which of two labels is right."""
    source = table(tmp_path, "read_id\tlabel\nr1\ta\nr1\ta\nr2\ta\nr2\tb\n")
    source.events(read_of("r1"))
    with pytest.raises(LabelError) as caught:
        source.events(read_of("r2"))

    assert source.notes == {"other_records": 1}
    assert caught.value.reason == "label_contradicted"


@pytest.mark.parametrize("text", ["read_id\tkind\nr1\ta\n", "read\tlabel\nr1\ta\n", "", "read_id,label\nr1\n"])
def test_another_table_is_refused(text: str, tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(FormatError, match=r"labels\.tsv: (row 2: 1 cells|no columns read_id and label)"):
        table(tmp_path, text)


def laid_out(folder: Path, *names: str) -> list[Path]:
    """Make empty files."""
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def by_path(given: Sequence[object]) -> PathClass:
    """Return a source of paths."""
    return PathClass([Path(str(path)) for path in given], SourceConfig())


def test_a_folder_or_a_file_is_a_class(tmp_path: Path) -> None:
    """Its name is the class, without a file's suffix, or else the given name is."""
    can, mod, wt = laid_out(tmp_path, "can.pod5", "mod.pod5", "wt/deep/r.fast5")
    source = by_path([can, f"5mC={mod}", tmp_path / "wt"])

    assert source.classes == ("5mC", "can", "wt")
    assert [class_of(source, read_of("r", source=path)) for path in (can, mod, wt)] == ["can", "5mC", "wt"]


def test_the_inner_of_two_folders_decides(tmp_path: Path) -> None:
    """So one folder of a sequencing run can have another class."""
    outer, inner = laid_out(tmp_path, "run/r.fast5", "run/bad/r.fast5")
    source = by_path([f"good={tmp_path / 'run'}", tmp_path / "run/bad"])

    assert [class_of(source, read_of("r", source=path)) for path in (outer, inner)] == ["good", "bad"]


def test_links_count_by_their_own_path_and_by_their_target(tmp_path: Path) -> None:
    """A folder of links to files elsewhere can be a class."""
    (kept,) = laid_out(tmp_path, "store/r.fast5")
    (tmp_path / "ivt").mkdir()
    (tmp_path / "ivt" / "r.fast5").symlink_to(kept)

    assert class_of(by_path([tmp_path / "ivt"]), read_of("r", source=tmp_path / "ivt" / "r.fast5")) == "ivt"
    assert class_of(by_path([tmp_path / "store"]), read_of("r", source=tmp_path / "ivt" / "r.fast5")) == "store"


def test_a_relative_path_is_the_same_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not matter how the path of the reads is written."""
    (path,) = laid_out(tmp_path, "ivt/r.fast5")
    monkeypatch.chdir(tmp_path / "ivt")

    assert class_of(by_path(["."]), read_of("r", source=path)) == "ivt"
    assert class_of(by_path(["x=../ivt"]), read_of("r", source=Path("r.fast5"))) == "x"


def test_a_path_that_is_not_there_or_of_two_classes_is_refused(tmp_path: Path) -> None:
    """It is checked before any read is read."""
    laid_out(tmp_path, "ivt/r.fast5")
    with pytest.raises(ConfigError, match="gone: no such file or folder"):
        by_path([f"a={tmp_path / 'gone'}"])
    with pytest.raises(ConfigError, match="has the classes b and a"):
        by_path([f"b={tmp_path / 'ivt'}", f"a={tmp_path / 'ivt'}"])
