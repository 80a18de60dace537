from pathlib import Path

import pytest

from poreconv import plot_read
from poreconv.cli.main import main
from poreconv.config import FilesConfig, PlotConfig
from poreconv.errors import ConfigError, LabelError
from poreconv.reads.readers import open_reads
from tests.support.data import simulated
from tests.support.models import bundle_at


@pytest.fixture(scope="module")
def squiggles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three simulated reads and their events."""
    return simulated(tmp_path_factory.mktemp("squiggles") / "reads", n_reads=3)


def run(*words: str | Path) -> None:
    """The command line."""
    main(["plot", *map(str, words)])


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".html"])
def test_a_read_is_drawn_in_every_format(suffix: str, squiggles: Path, tmp_path: Path) -> None:
    """The command writes the file, and prints its name; with labels and what a model finds."""
    out, model = tmp_path / f"read{suffix}", bundle_at(tmp_path / "model.safetensors")
    labels = ["--labels", "intervals", "--labels_from", squiggles / "events.tsv"]
    run(squiggles / "reads.fast5", *labels, "--model", model, "--out", out)

    assert out.stat().st_size > 1000


def test_the_read_asked_for_is_in_the_picture(squiggles: Path, tmp_path: Path) -> None:
    """Its id is the title; without an id, the first read's is."""
    with open_reads(squiggles) as reads:
        first, second, *_ = reads.read_ids
    plot_read(squiggles / "reads.fast5", read_id=second, out=tmp_path / "second.svg")
    plot_read(squiggles / "reads.fast5", out=tmp_path / "first.svg")

    assert f"read {second}" in (tmp_path / "second.svg").read_text()
    assert f"read {first}" in (tmp_path / "first.svg").read_text()


def test_each_source_is_a_track(squiggles: Path, tmp_path: Path) -> None:
    """Labels and model stand beneath each other, each under its name."""
    model = bundle_at(tmp_path / "model.safetensors")
    out = tmp_path / "x.svg"
    plot_read(
        squiggles / "reads.fast5", labels="intervals", labels_from=[squiggles / "events.tsv"], model=model, out=out
    )

    assert all(word in out.read_text() for word in ("intervals", "model", "P(boundary)"))


def test_a_page_has_the_reads_asked_for(squiggles: Path, tmp_path: Path) -> None:
    """All that the limit or the list of ids chooses; the one that has no label is left out, with a warning."""
    with open_reads(squiggles) as reads:
        first, second, third = reads.read_ids
    rows = [f"{read_id}\t0\t50" for read_id in (first, third)]
    (tmp_path / "two.tsv").write_text("\n".join(["read_id\tstart\tend", *rows, ""]))
    limited = PlotConfig(files=FilesConfig(limit=3))
    with pytest.warns(UserWarning, match=f"left out: .*{second}.*no label"):
        drawn = plot_read(
            squiggles / "reads.fast5",
            labels="intervals",
            labels_from=[tmp_path / "two.tsv"],
            config=limited,
            out=tmp_path / "x.html",
        )

    assert [read.read_id for read in drawn] == [first, third]
    assert len(plot_read(squiggles / "reads.fast5", config=limited, out=tmp_path / "x.png")) == 1


def test_an_unknown_read_is_refused(squiggles: Path, tmp_path: Path) -> None:
    """The message contains the number of reads, and one's id."""
    with pytest.raises(ConfigError, match="read nobody: not among these 3 reads; choose one, such as "):
        plot_read(squiggles / "reads.fast5", read_id="nobody", out=tmp_path / "x.png")


@pytest.mark.parametrize(
    ("name", "window", "message"),
    [
        ("x.gif", {}, r"end the name in .png, .svg, .pdf, .html"),
        ("x.png", {"start": 5, "end": 5}, "no samples 5 to 5;"),
        ("x.html", {"start": 10**6}, "choose start < end within 0 to "),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    name: str, window: dict[str, int], message: str, squiggles: Path, tmp_path: Path
) -> None:
    """An unknown suffix, or samples that are not in the read; nothing is written."""
    with pytest.raises(ConfigError, match=message):
        plot_read(squiggles / "reads.fast5", out=tmp_path / name, **window)

    assert not list(tmp_path.iterdir())


def test_a_source_without_a_label_is_told(squiggles: Path, tmp_path: Path) -> None:
    """A track that would be empty for want of a label is an error, not an empty picture."""
    (tmp_path / "other.tsv").write_text("read_id\tstart\tend\nsomebody\t0\t5\n")

    with pytest.raises(LabelError, match="no label"):
        plot_read(squiggles, labels="intervals", labels_from=[tmp_path / "other.tsv"], out=tmp_path / "x.png")


def test_a_model_of_another_rate_is_drawn_at_the_read_s_samples(squiggles: Path, tmp_path: Path) -> None:
    """Probabilities of a resampling model at 2000 samples per second are drawn at the read's 4000."""
    model = bundle_at(tmp_path / "model.safetensors", sample_rate_hz=2000.0, resampled_from_hz=(4000.0,))
    plot_read(squiggles / "reads.fast5", model=model, out=tmp_path / "x.svg")

    assert (tmp_path / "x.svg").exists()


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "labels", "files", "model"),
    [
        ("dna_r941_lambda_tombo", "tombo", [], "dna_r9.4.1_boundary"),
        ("rna002_polya_regions/basecalled_test.fast5", "polya", ["nanopolish_output.tsv"], "rna002_regions"),
    ],
)
def test_real_reads_are_drawn(
    folder: str, labels: str, files: list[str], model: str, real_data: Path, tmp_path: Path
) -> None:
    """A shipped model and a real read's labels make a page of the read."""
    paths = [real_data / "rna002_polya_regions" / file for file in files]
    [read] = plot_read(real_data / folder, labels=labels, labels_from=paths, model=model, out=tmp_path / "x.html")

    assert read.read_id in (tmp_path / "x.html").read_text()
