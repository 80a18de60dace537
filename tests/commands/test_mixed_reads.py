import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import poreconv
from poreconv.cli.main import main
from poreconv.commands.evaluate import evaluate
from poreconv.commands.label import label
from poreconv.commands.plot import plot_read
from poreconv.commands.stream import stream
from poreconv.commands.tails import tails
from poreconv.config import (
    EvaluateConfig,
    FitConfig,
    FlowCellConfig,
    InferenceConfig,
    LabelConfig,
    TailsConfig,
    WorkConfig,
)
from poreconv.errors import BundleError, ConfigError, MisfitWarning, MismatchError, StoreError, UntriedWarning
from poreconv.events import tabulation
from poreconv.events.resampling import resample_events
from poreconv.inference import choosing
from poreconv.inference.backends.pytorch import TorchBackend
from poreconv.inference.labeller import load
from poreconv.inference.streaming.labeller import StreamingLabeller
from poreconv.reads import pieces
from poreconv.reads.read import Read
from poreconv.reads.resampling import resample_read
from tests.support.models import bundle_at
from tests.support.signal_files import reads_made, write_multi, write_single, write_with_pod5, write_with_pyslow5

R9, R10, RNA = "dna_r9.4.1_boundary", "dna_r10.4.1_boundary", "rna002_boundary"
R10_5KHZ, RNA004 = "dna_r10.4.1_5khz_boundary", "rna004_boundary"
OF_R10 = {"pore": "FLO-MIN114", "kit": "SQK-LSK114"}
OF_RNA = {"kit": "SQK-RNA002", "experiment": "rna", "sample_rate_hz": 3012.0}
UNKNOWN = {"pore": "", "kit": "", "experiment": ""}


def some(seed: int, **fields: Any) -> list[Read]:
    """Make two reads; another ``seed`` gives others."""
    return reads_made(2, seed, **fields)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that mixes chemistries, rates and formats; two reads of each."""
    folder = tmp_path_factory.mktemp("mixed") / "reads"
    folder.mkdir()
    write_multi(folder / "a_r9.fast5", some(1))
    write_with_pod5(folder / "b_rna002.pod5", some(2, **OF_RNA))
    write_with_pyslow5(folder / "c_r10_4khz.blow5", some(3, **OF_R10))
    write_with_pod5(folder / "d_r10_5khz.pod5", some(4, **OF_R10, sample_rate_hz=5000.0))
    write_with_pod5(folder / "e_rna004.pod5", some(5, kit="SQK-RNA004", pore="FLO-MIN004RA", experiment="rna"))
    for number, read in enumerate(some(6, **UNKNOWN)):
        write_single(folder / f"f_unknown_{number}.fast5", read)
    return folder


def settings(workers: int = 1, **fit: Any) -> LabelConfig:
    """Settings in float32, with exceptions from what fits."""
    inference = InferenceConfig(precision="32", accelerator="cpu")
    return LabelConfig(inference=inference, fit=FitConfig(**fit), work=WorkConfig(workers=workers))


def seeds_in(table: Path, *columns: str) -> Counter[Any]:
    """Count reads by seed, and by more columns if they are named."""
    header, *rows = [line.split("\t") for line in table.read_text().splitlines()]
    read_id, others = header.index("read_id"), [header.index(name) for name in columns]
    distinct = {(row[read_id], *(row[i] for i in others)) for row in rows}
    return Counter((int(one[:8], 16), *more) for one, *more in distinct)


def ledger_of(out: Path) -> dict[str, Any]:
    """The ledger beside a table."""
    found: dict[str, Any] = json.loads(out.with_name(f"{out.name}.ledger.json").read_text())
    return found


def test_foreign_reads_are_drops_among_reads_that_fit(folder: Path, tmp_path: Path) -> None:
    """Each is named, with the way out; each kind of them is reported before the work, an unknown one once."""
    out = tmp_path / "out.tsv"
    with pytest.warns() as caught:
        ledger = label(R9, folder, out=out, config=settings())
    drops = {drop["read_id"]: drop for drop in map(dict, map(_as_dict, ledger_of(out)["drops"]))}
    misfits = [str(one.message) for one in caught if one.category is MisfitWarning]
    untried = [str(one.message) for one in caught if one.category is UntriedWarning]

    assert seeds_in(out) == {(1,): 2, (6,): 2}
    assert ledger.summary() == "reads in 12 = kept 4 + dropped 8 (wrong_chemistry 8)"
    assert "rna002, and the model was trained on dna_r9.4.1; use rna002_boundary" in drops[some(2)[0].read_id]["detail"]
    assert ["b_rna002" in text for text in misfits] == [True, False, False, False]
    assert all(text.startswith("the first reads of 1 of 7 files, such as") for text in misfits)
    assert [text.partition(",")[0] for text in untried] == ["reads of chemistry unknown"]


def _as_dict(drop: Any) -> dict[str, str]:
    return drop if isinstance(drop, dict) else dict(zip(("read_id", "source", "reason", "detail"), drop, strict=True))


def test_where_no_read_fits_it_is_an_error(folder: Path, tmp_path: Path) -> None:
    """It names an example and the way out, and nothing is left behind."""
    message = r"as no read fits the model \(reads in 2 .*wrong_chemistry 2\)\), such as .*b_rna002.*use rna002_boundary"
    with pytest.warns(MisfitWarning), pytest.raises(MismatchError, match=message):
        label(R9, folder / "b_rna002.pod5", out=tmp_path / "out.tsv", config=settings())

    assert list(tmp_path.iterdir()) == []


def test_a_wrong_rate_is_a_drop_too(folder: Path, tmp_path: Path) -> None:
    """Of reads of the model's chemistry."""
    files = [folder / "c_r10_4khz.blow5", folder / "d_r10_5khz.pod5"]
    way = rf"5000 Hz, and the model was trained on 4000 Hz; use {R10_5KHZ}, which comes with poreconv, or use"
    with pytest.warns(MisfitWarning, match=way):
        ledger = label(R10, files, out=tmp_path / "out.tsv", config=settings())

    assert dict(ledger.counts) == {"wrong_rate": 2}


@pytest.mark.filterwarnings("ignore::poreconv.errors.MisfitWarning")
def test_auto_labels_each_read_by_its_model(folder: Path, tmp_path: Path) -> None:
    """The table names it in a column, and the events are those of that model; the others are drops with a reason."""
    ledger = label("auto", folder, out=tmp_path / "auto.tsv", config=settings())
    label(RNA, folder / "b_rna002.pod5", out=tmp_path / "rna.tsv", config=settings())
    lines, rna = ((tmp_path / name).read_text().splitlines() for name in ("auto.tsv", "rna.tsv"))

    of_models = {(1, R9): 2, (2, RNA): 2, (3, R10): 2, (4, R10_5KHZ): 2, (5, RNA004): 2}
    assert seeds_in(tmp_path / "auto.tsv", "model") == of_models
    assert dict(ledger.counts) == {"unknown_chemistry": 2}
    assert lines[0] == f"{rna[0]}\tmodel"
    assert [line.removesuffix(f"\t{RNA}") for line in lines if line.endswith(f"\t{RNA}")] == rna[1:]


@pytest.mark.filterwarnings("ignore::poreconv.errors.MisfitWarning")
def test_several_processes_write_the_table_of_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each chooses alike, and the ledgers agree."""
    monkeypatch.setattr(pieces, "JOB_BYTES", 1)
    for workers in (1, 2):
        label("auto", folder, out=tmp_path / f"{workers}.tsv", config=settings(workers))

    assert (tmp_path / "1.tsv").read_bytes() == (tmp_path / "2.tsv").read_bytes()
    assert ledger_of(tmp_path / "1.tsv") == ledger_of(tmp_path / "2.tsv")


def test_a_table_in_parquet_has_the_column_too(folder: Path, tmp_path: Path) -> None:
    """The formats that hold events only are refused at once."""
    label("auto", folder / "a_r9.fast5", out=tmp_path / "out.parquet", config=settings())

    assert set(pq.read_table(tmp_path / "out.parquet")["model"].to_pylist()) == {R9}
    with pytest.raises(ConfigError, match=r"out\.paf: a table that names the model of each read is \.tsv or \.parquet"):
        label("auto", folder, out=tmp_path / "out.paf")


@pytest.mark.filterwarnings("ignore::poreconv.errors.MisfitWarning")
def test_a_stated_chemistry_lets_auto_choose(folder: Path, tmp_path: Path) -> None:
    """It is that of the reads whose files contain none, and stands in the ledger."""
    out = tmp_path / "out.tsv"
    ledger = label("auto", folder, out=out, config=settings(chemistry="DNA_R10.4.1", resample=True))

    of_models = {(1, R9): 2, (2, RNA): 2, (3, R10): 2, (4, R10_5KHZ): 2, (5, RNA004): 2, (6, R10): 2}
    assert seeds_in(out, "model") == of_models
    assert not ledger.counts
    assert ledger_of(out)["settings"]["fit"] == {"chemistry": "DNA_R10.4.1", "any_chemistry": False, "resample": True}
    assert ledger_of(out)["settings"]["models"][R9]["fit"]["resample"]


def test_a_stated_chemistry_is_that_of_the_model_s_reads(folder: Path, tmp_path: Path) -> None:
    """A model that is named drops reads of another one; without warning where it is the model's own."""
    files = [folder / "f_unknown_0.fast5", folder / "a_r9.fast5"]
    label(R9, files, out=tmp_path / "r9.tsv", config=settings(chemistry="dna_r9.4.1"))
    with pytest.warns(MisfitWarning, match="such as .*f_unknown_0"):
        label(R9, files, out=tmp_path / "rna.tsv", config=settings(chemistry="rna002"))

    assert seeds_in(tmp_path / "r9.tsv") == {(1,): 2, (6,): 1}
    assert seeds_in(tmp_path / "rna.tsv") == {(1,): 2}


def test_any_chemistry_overrides(folder: Path, tmp_path: Path) -> None:
    """It is labelled, with a warning; auto cannot choose so."""
    file = folder / "c_r10_4khz.blow5"
    with pytest.warns(UntriedWarning, match=r"chemistry dna_r10\.4\.1, and the model was trained on dna_r9\.4\.1"):
        ledger = label(R9, file, out=tmp_path / "out.tsv", config=settings(any_chemistry=True))

    assert ledger.kept == 2
    assert ledger_of(tmp_path / "out.tsv")["settings"]["fit"]["any_chemistry"]
    with pytest.raises(ConfigError, match="any_chemistry: auto chooses by the chemistry"):
        label("auto", file, out=tmp_path / "auto.tsv", config=settings(any_chemistry=True))


def test_resampled_reads_have_events_in_their_own_samples(folder: Path) -> None:
    """Those at the model's rate, moved; a lower rate is still refused."""
    [read, _] = some(4, **OF_R10, sample_rate_hz=5000.0)
    config = InferenceConfig(precision="32")
    labeller = load(R10, config, "cpu", fit=FitConfig(resample=True))
    at_4khz = resample_read(read, 4000.0)
    expected = resample_events(load(R10, config, "cpu")(at_4khz), len(at_4khz.adc), len(read.adc), 1.25)
    found = labeller(read)

    assert found.start.tolist() == expected.start.tolist()
    assert (found.end[-1], len(found) > 5) == (len(read.adc), True)
    with pytest.raises(MismatchError, match="3000 Hz, and the model was trained on 4000 Hz; train"):
        labeller(replace(read, sample_rate_hz=3000.0))


def killed_when_done(folder: Any, paths: Iterator[Path], *others: Any) -> None:
    """Stands for `join_files`: the jobs are done, and the command ends."""
    assert [*paths]
    raise ZeroDivisionError


def test_a_killed_command_keeps_its_choice(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each model's backend and precision; with other exceptions it begins anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))  # nothing is remembered there
    (tmp_path / "file").touch()
    monkeypatch.setattr(TorchBackend, "precisions", lambda *_: ("32", "bf16"))
    monkeypatch.setattr(choosing, "measured", lambda runs, *_: {name: float(name == "torch bf16") for name in runs})
    out, files, auto = tmp_path / "out.tsv", folder / "a_r9.fast5", LabelConfig(work=WorkConfig(workers=1))
    with monkeypatch.context() as patch:
        patch.setattr(tabulation, "join_files", killed_when_done)
        with pytest.raises(ZeroDivisionError):
            label("auto", files, out=out, config=auto)
    monkeypatch.setattr(choosing, "measured", lambda runs, *_: {name: float(name == "torch 32") for name in runs})
    label("auto", files, out=out, config=auto)
    label("auto", files, out=tmp_path / "new.tsv", config=replace(auto, fit=FitConfig(resample=True)))
    chosen = [ledger_of(path)["settings"]["models"][R9]["chosen"] for path in (out, tmp_path / "new.tsv")]

    assert [one["precision"] for one in chosen] == ["bf16", "32"]


@pytest.mark.filterwarnings("ignore::poreconv.errors.MisfitWarning")
def test_tails_choose_too(folder: Path, tmp_path: Path) -> None:
    """Among the shipped models of tails."""
    ledger = tails("auto", folder, out=tmp_path / "tails.tsv", config=TailsConfig(work=WorkConfig(workers=1)))

    assert seeds_in(tmp_path / "tails.tsv", "model") == {(2, "rna002_regions"): 2, (5, "rna004_regions"): 2}
    assert dict(ledger.counts) == {"wrong_chemistry": 6, "unknown_chemistry": 2}


def test_a_picture_is_of_the_model_that_fits(folder: Path, tmp_path: Path) -> None:
    """And none is drawn where no model does."""
    [read] = plot_read(folder / "b_rna002.pod5", out=tmp_path / "read.png", model="auto")

    assert read.chemistry.code == "rna002"
    with pytest.raises(MismatchError, match="by which no model can be chosen"):
        plot_read(folder / "f_unknown_0.fast5", out=tmp_path / "none.png", model="auto")


def test_commands_that_run_one_model_do_not_choose(folder: Path) -> None:
    """The message names the models."""
    with pytest.raises(BundleError, match=rf"auto: only label, tails and plot choose .*; name one: .*{R9}"):
        poreconv.load("auto")
    with pytest.raises(BundleError, match="auto: only label"):
        stream("auto", folder)


def test_a_flow_cell_plays_the_reads_that_fit(folder: Path) -> None:
    """The others are drops; none that fits is an error; whole reads alone are resampled."""
    short = FlowCellConfig(channels=1, seconds=0.5, speed="max", workers=1)
    files = [folder / "b_rna002.pod5", folder / "a_r9.fast5"]

    assert dict(stream(R9, files, config=short).ledger.counts) == {"wrong_chemistry": 2}
    with pytest.raises(MismatchError, match="use rna002_boundary"):
        stream(R9, files[:1], config=short)
    with pytest.raises(ConfigError, match=r"resample: .*use poreconv label"):
        replace(short, fit=FitConfig(resample=True))


def test_a_live_read_is_not_resampled() -> None:
    """A labeller that resamples whole reads refuses one that is being sequenced; it would label it at its own rate."""
    [read, _] = some(4, **OF_R10, sample_rate_hz=5000.0)
    streaming = StreamingLabeller(load(R10, device="cpu", fit=FitConfig(resample=True)))

    with pytest.raises(MismatchError, match="5000 Hz; the model resamples whole reads to 4000 Hz, use poreconv label"):
        streaming.start(read)


def test_what_a_flow_cell_wrote_names_its_settings(folder: Path, tmp_path: Path) -> None:
    """A stated chemistry among them."""
    short = FlowCellConfig(channels=1, seconds=1.0, speed="max", workers=1, fit=FitConfig(chemistry="dna_r9.4.1"))
    stream(R9, folder / "f_unknown_0.fast5", out=tmp_path / "out.tsv", config=short)

    assert ledger_of(tmp_path / "out.tsv")["settings"]["fit"]["chemistry"] == "dna_r9.4.1"


def test_a_model_is_judged_on_the_reads_that_fit(folder: Path, tmp_path: Path) -> None:
    """The others are in the ledger; resampled, those of a higher rate are judged too."""
    rows = [f"{read.read_id},0,90,a\n" for seed in (3, 4) for read in some(seed)]
    (tmp_path / "labels.csv").write_text("read_id,start,end,label\n" + "".join(rows))
    files = [folder / "c_r10_4khz.blow5", folder / "d_r10_5khz.pod5"]
    model = bundle_at(tmp_path / "model.safetensors", chemistries=("dna_r10.4.1",))
    asked: Any = {"labels": "intervals", "labels_from": [tmp_path / "labels.csv"], "baselines": []}
    config = EvaluateConfig(work=WorkConfig(workers=1))
    with pytest.warns(MisfitWarning, match="wrong_rate"):
        result = evaluate(model, files, **asked, config=config)
    resampled = evaluate(model, files, **asked, config=replace(config, fit=FitConfig(resample=True)))

    assert (result.ledger.kept, dict(result.ledger.counts)) == (2, {"wrong_rate": 2})
    assert (resampled.ledger.kept, resampled.data["fit"]["resample"]) == (4, True)
    with pytest.warns(MisfitWarning), pytest.raises(StoreError, match=r"wrong_rate 2\).*use --resample"):
        evaluate(model, files[1:], **asked, config=config)


@pytest.mark.real
@pytest.mark.filterwarnings("ignore::poreconv.errors.MisfitWarning")
def test_real_reads_of_many_chemistries(real_data: Path, tmp_path: Path) -> None:
    """Each is labelled by its model, or dropped with its reason."""
    files = {
        "dna_r941_lambda_tombo/080fbbfd-2a90-4f17-a3ec-5a5f41d2378c.fast5": R9,
        "rna001_actb_tombo_and_moves/078315ab-77bc-40f8-b7f2-732c9a754e26.fast5": RNA,
        "dna_r1041_5khz_unlabelled/problem_read.pod5": R10_5KHZ,
        "dna_r9_aligntoref/read5.fast5": "unknown_chemistry",
        "dna_r9_aligntoref/read7.fast5": "unknown_chemistry",
        "rna004_polya_regions/reads.pod5": RNA004,
    }
    models = {R9, RNA, R10_5KHZ, RNA004}
    out = tmp_path / "out.parquet"
    ledger = label("auto", [real_data / file for file in files], out=out, config=settings())
    drops = {Path(drop.source).relative_to(real_data): drop.reason for drop in ledger.named}

    assert set(pq.read_table(out)["model"].to_pylist()) == models
    assert drops == {Path(file): reason for file, reason in files.items() if reason not in models}


@pytest.mark.filterwarnings("ignore::poreconv.errors.MisfitWarning")
def test_the_command_line_has_the_settings(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table, and a line with what was dropped."""
    out = tmp_path / "out.tsv"
    main(["label", "auto", str(folder), "--chemistry", "dna_r9.4.1", "--resample", "--workers", "1", "--out", str(out)])

    assert "kept 12 + dropped 0" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["label", "auto", str(folder), "--chemistry", "dna_r11", "--out", str(tmp_path / "no.tsv")])
    assert "chemistry: 'dna_r11'; choose one of" in capsys.readouterr().err
