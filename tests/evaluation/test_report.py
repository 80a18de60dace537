import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from poreconv.commands.report import report
from poreconv.config import BOUNDARY
from poreconv.errors import FormatError
from poreconv.evaluation.excerpt import Excerpt
from poreconv.evaluation.metrics.lengths import FoundByLength
from poreconv.evaluation.report import _tables, _words, cautions_of_training, page
from poreconv.evaluation.report._pictures import by_length, plain
from poreconv.evaluation.result import Evaluation, ReadScores, Scores, write_evaluation
from poreconv.events.events import Events
from poreconv.runtime.ledger import Ledger
from tests.support.models import recipe_for
from tests.support.pages import Tags
from tests.support.signal_files import reads_made

NAN = float("nan")
SEGMENTS = recipe_for("tcn", task="segment", classes=("adapter", "polya"), class_counts=(500, 500))


def boundary_scores(f1: float, **fields: float) -> Scores:
    """Scores of one method; ``fields`` overrides."""
    at = {f"{name}_{n}": f1 for name in ("f1", "precision", "recall") for n in (0, 1, 2, 3, 5)}
    more = {"r_value": f1, "over_segmentation": 0.0, "absolute_median": 0.0, "absolute_p95": 3.0}
    values = {**at, **more, "n_reads": 3.0, "n_true": 90.0, "n_pred": 90.0}
    ends = {f"{name}_{end}": x + off for name, x in at.items() for end, off in (("low", -0.01), ("high", 0.01))}
    return values | ends | fields


def segment_scores(f1: float, **fields: float) -> Scores:
    """Scores of one method; ``fields`` overrides."""
    means = dict.fromkeys(("accuracy", "macro_f1", "mean_sample_iou", "mean_segment_iou", "f1_adapter", "f1_polya"), f1)
    segments = {"segments_true": 6.0, "segments_found": 7.0, "segments_found_polya": 4.0, "absolute_start_polya": 12.0}
    support = {"support_adapter": 500.0, "support_polya": 500.0, "macro_f1_low": f1 - 0.01, "macro_f1_high": f1 + 0.01}
    return {**means, **segments, **support, "n_reads": 3.0, "n_samples": 1000.0} | fields


def excerpt_of(read_id: str, task: str = "boundary") -> Excerpt:
    """Make the excerpt of a read with boundaries every 9 samples, every third one missed; or of two segments."""
    [read] = reads_made(1, read_id=read_id)
    n = len(read.adc)
    likely = np.full((2, n), 0.5, np.float32)
    if task == "segment":
        target = (np.arange(n) > n // 2).astype(np.int8)
        found = Events.of([0, n // 3], [n // 3, n], label=[0, 1], classes=SEGMENTS.classes)
        return Excerpt.of(read, target, found, likely, SEGMENTS)
    target = (np.arange(n) % 9 == 0).astype(np.int8)
    start = np.flatnonzero(target == BOUNDARY)[np.arange(len(target[::9])) % 3 > 0]
    return Excerpt.of(read, target, Events.of(start, np.append(start[1:], n)), likely, recipe_for("tcn"))


def reads_with(key: str, *scores: float, baselines: tuple[str, ...] = ("ttest",)) -> list[ReadScores]:
    """Reads from the best to the worst, each baseline at 0.5."""
    return [
        ReadScores(f"read-{i}", 900 + i, {key: score, "accuracy": score}, dict.fromkeys(baselines, 0.5))
        for i, score in enumerate(scores)
    ]


def evaluation(task: str = "boundary", **fields: Any) -> Evaluation:
    """Return a possible result; ``fields`` overrides."""
    boundary = task == "boundary"
    made = boundary_scores if boundary else segment_scores
    reads = reads_with("f1_1" if boundary else "macro_f1", 0.9, 0.8, 0.4)
    if boundary:
        reads = [replace(read, model={"f1_1": read.model["f1_1"], "precision_1": 0.8}) for read in reads]
    values: dict[str, Any] = {
        "scores": {"model": made(0.8, ece=0.01), "ttest": made(0.5)},
        "recipe": recipe_for("tcn") if boundary else SEGMENTS,
        "ledger": Ledger(kept=3),
        "data": {"files": ["reads.fast5"], "labels": ["tombo"]},
        "network": {"n_parameters": 1000, "receptive_field": 51, "macs_per_sample": 900.0},
        "versions": {"python": "3.11", "poreconv": "0.1.0"},
        "reliability": [{"low": 0.0, "high": 0.1, "mean_predicted": 0.05, "observed": 0.04, "n_samples": 900.0}],
        "offsets": {0: 80, 1: 5, -20: 5} if boundary else {},
        "found_by_length": [FoundByLength("" if boundary else "polya", 4, 7, 90, 80)],
        "confusion": np.zeros((0, 0), int) if boundary else np.array([[480, 20, 0], [100, 390, 10]]),
        "reads": reads,
        "drawn": [excerpt_of(read.read_id, task) for read in reads],
    }
    return Evaluation(**(values | fields))


def test_the_model_is_compared_with_the_best_baseline() -> None:
    """Of several it is the one with the best headline score, and the difference is that of the numbers shown."""
    scores = {"model": boundary_scores(0.8484), "ttest": boundary_scores(0.5), "uniform": boundary_scores(0.8036)}
    verdict = _words.verdict(evaluation(scores=scores))

    assert verdict is not None
    assert (verdict.baseline, verdict.tone) == ("uniform", "good")
    assert f"{verdict.difference:.3f}" == "0.044"


@pytest.mark.parametrize(("baseline", "tone"), [(0.5, "good"), (0.79, "open"), (0.81, "open"), (0.9, "bad")])
def test_a_difference_counts_where_intervals_are_apart(baseline: float, tone: str) -> None:
    """Where intervals overlap, neither is better."""
    scores = {"model": boundary_scores(0.8), "ttest": boundary_scores(baseline)}
    verdict = _words.verdict(evaluation(scores=scores))

    assert verdict is not None
    assert verdict.tone == tone


def test_the_comparison_counts_reads() -> None:
    """The model is ahead of the baseline on two of three reads, and the page reports it."""
    assert "ahead on 2 of 3 reads" in _words.compared(evaluation())
    assert "the only baseline" in _words.compared(evaluation())


def test_one_read_has_no_interval() -> None:
    """So the page shows none, and does not compare them."""
    ends = {f"f1_1_{end}": NAN for end in ("low", "high")}
    alone = evaluation(scores={"model": boundary_scores(0.8, **ends), "ttest": boundary_scores(0.5, **ends)})

    assert _words.compared(alone).startswith(
        "With ttest, the only baseline, which scores 0.500: the model is 0.300 better."
    )
    assert "interval over reads" not in page(alone)


def test_without_baselines_there_is_nothing_to_compare_with() -> None:
    """The page states that there is no baseline."""
    alone = evaluation(scores={"model": boundary_scores(0.8)})

    assert _words.verdict(alone) is None
    assert "no baseline was judged" in _words.compared(alone)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"over_segmentation": -0.2, "recall_1": 0.7}, "20% too few boundaries; it misses 30% of"),
        (
            {"over_segmentation": 0.5, "precision_1": 0.6},
            "50% too many boundaries; it misses 20% of the true ones, and 40% of",
        ),
        ({"over_segmentation": 0.01}, "about as many boundaries as there are"),
        ({"over_segmentation": -1.0, "precision_1": NAN}, "no boundary at all"),
    ],
)
def test_it_reports_which_boundaries_fail(fields: Scores, text: str) -> None:
    """Too many or too few, missed or invented, and the worst read by name."""
    scores = {"model": boundary_scores(0.8, **fields)}
    words = _words.where_it_fails(evaluation(scores=scores))

    assert text in words
    assert "The worst read, read-2, scores 0.400; the best scores 0.900." in words


def test_it_reports_which_class_is_hard() -> None:
    """The class with the lowest F1, and the class that is predicted instead."""
    scores = {"model": segment_scores(0.9, f1_polya=0.7)}
    words = _words.where_it_fails(evaluation("segment", scores=scores))

    assert words.startswith("The hardest class is polya, with F1 0.700. 20% of its samples are predicted as adapter.")


def test_aligners_are_named_for_comparison() -> None:
    """The page states how well two aligners agree, where it is known."""
    unknown = evaluation(recipe=recipe_for("tcn", chemistries=("dna_r10.4.1",)))

    assert "agree with an F1 of 0.81 on dna_r9.4.1 reads" in _words.how_good(evaluation())
    assert "aligners" not in _words.how_good(unknown)


@pytest.mark.parametrize("labels", [["intervals"], ["tombo", "intervals"], []])
def test_aligners_are_no_yardstick_where_none_placed_the_truth(labels: list[str]) -> None:
    """On simulated reads, or labels of one's own, the truth is another; in files as in stores."""
    stores = judged_on("test", 3, 3) | {"stores": [{"path": "s", "labels": ["tombo"]}, {"path": "t", "labels": labels}]}

    assert "aligners" not in _words.how_good(evaluation(data={"files": ["x"], "labels": labels}))
    assert ("aligners" in _words.how_good(evaluation(data=stores))) == (not labels)


HARD, EASY = FoundByLength("", 2, 3, 100, 40), FoundByLength("", 4, 7, 900, 810)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([HARD, EASY], "Of the starts of events of 2 to 3 samples, 40% are found within one sample; of all, 85%."),
        ([HARD._replace(shortest=1, longest=1), EASY], "events of 1 sample, 40%"),
        ([HARD._replace(n_true=5, n_found=2), EASY], ""),
        ([HARD._replace(n_found=88), EASY], ""),
        ([], ""),
    ],
)
def test_it_reports_which_lengths_fail(rows: list[FoundByLength], text: str) -> None:
    """The least found length, if it is frequent and clearly worse than all; and a picture of all lengths."""
    result = evaluation(found_by_length=rows)
    words = _words.where_it_fails(result)

    assert text in words
    assert ("Of the starts" in words) == bool(text)
    assert (by_length(result) is not None) == bool(rows)


def test_it_reports_which_segments_fail() -> None:
    """By class and length."""
    rows = [FoundByLength("adapter", 512, 1023, 50, 48), FoundByLength("polya", 64, 127, 20, 9)]
    words = _words.where_it_fails(evaluation("segment", found_by_length=rows))

    assert "Of the segments of class polya of 64 to 127 samples, 45% are found with an IoU of 0.5 or more" in words


@pytest.mark.parametrize(
    ("scores", "text"),
    [
        ({10: 0.6}, "The training took 11 steps and was validated once: too little to judge the network"),
        ({199: 0.6, 399: 0.7}, "took 400 steps and was validated twice"),
        ({99: 0.5, 199: 0.6, 299: 0.7, 399: 0.8}, "score rose by 0.100 in the last quarter"),
        ({99: 0.5, 199: 0.7, 299: 0.79, 399: 0.8}, ""),
        ({99: 0.5, 199: 0.8, 299: 0.79, 399: 0.7}, ""),
    ],
)
def test_a_short_training_is_pointed_out(scores: dict[int, float], text: str, tmp_path: Path) -> None:
    """By the number of its validations, and by a score that still rose when it ended; else nothing is added."""
    rows = [f"{step},0.5,0.5,{score}" for step, score in scores.items()]
    log = tmp_path / "logs/csv/version_0/metrics.csv"
    log.parent.mkdir(parents=True)
    log.write_text("\n".join(["step,train_loss,validation_loss,validation_score", *rows]))
    found = cautions_of_training(tmp_path)

    assert len(found) == bool(text)
    assert all(text in caution and "Train longer" in caution for caution in found)


def judged_on(split: str, taken: int, there: int) -> dict[str, Any]:
    """Return a description of the reads of a store that a model was judged on."""
    return {"split": split, "reads_in_split": there, "reads_taken": taken, "stores": []}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"data": judged_on("validation", 3, 3)}, "the scores are optimistic"),
        ({"data": judged_on("test", 3, 9)}, "3 of the split's 9 reads"),
        ({"ledger": Ledger(kept=1)}, "Only 1 read was judged"),
        ({"data": judged_on("all", 3, 3)}, "the reads that this model was trained on were left out"),
        (
            {"data": judged_on("all", 3, 3) | {"include_training": True}},
            "trained the model were judged too (none of 3)",
        ),
        ({"data": judged_on("all", 3, 3) | {"folds": 5}}, "judged by one of 5 models that had not seen it; the bundle"),
    ],
)
def test_the_page_warns_of_what_weakens_the_scores(fields: dict[str, Any], text: str) -> None:
    """Reads that chose the model, a part of the reads, few reads, training reads, models of folds."""
    assert any(text in caution for caution in _words.cautions(evaluation(**fields)))


@pytest.mark.parametrize("how", [{"include_training": True}, {"folds": 5}])
def test_reads_that_were_judged_were_not_left_out(how: dict[str, Any]) -> None:
    """Where the guard did not drop training reads, the page does not state that it did."""
    cautions = _words.cautions(evaluation(data=judged_on("all", 5, 5) | how, ledger=Ledger(kept=5)))

    assert len(cautions) == 1
    assert "were left out" not in cautions[0]


def test_reads_whose_split_is_listed_are_counted() -> None:
    """The page states how many, and in which split they were."""
    recipe = recipe_for("tcn", moved={"a": "train", "b": "train", "c": "test"})

    assert ("reads listed by name", "test 1, train 2") in _tables.training_facts(evaluation(recipe=recipe))


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """A page of each kind; that of segments is about validation reads."""
    validated = evaluation("segment", data=judged_on("validation", 3, 3))
    return {"boundary": page(evaluation()), "segment": page(validated)}


def test_cautions_come_first(pages: dict[str, str]) -> None:
    """What weakens the scores is above all tables."""
    assert 0 < pages["segment"].index("the scores are optimistic") < pages["segment"].index("All scores")


@pytest.mark.parametrize("task", ["boundary", "segment"])
def test_the_page_needs_nothing_but_itself(task: str, pages: dict[str, str]) -> None:
    """All that it refers to is in it, and it has no script."""
    tags = Tags(pages[task])
    referred = [tag[name] for _, tag in tags.seen for name in ("src", "href") if name in tag]

    assert len(referred) > 5
    assert all(str(uri).startswith("data:") for uri in referred)
    assert not tags.all("script")


def test_the_page_can_be_read_aloud(pages: dict[str, str]) -> None:
    """It states its language, describes its pictures, and its headings skip no level."""
    tags = Tags(pages["boundary"])
    levels = [int(tag[1]) for tag, _ in tags.seen if re.fullmatch("h[1-6]", tag)]

    assert tags.all("html") == [{"lang": "en"}]
    assert all(image["alt"] for image in tags.all("img"))
    assert levels[0] == 1
    assert max(np.diff(levels)) <= 1


def test_each_class_has_its_row(pages: dict[str, str]) -> None:
    """With numbers of segments and distances of their edges; a dash where one is not known; of a task with classes."""
    rows = dict(_tables.classes(evaluation("segment"))[1])

    assert [cell.text for cell in rows["polya"]] == ["0.800", "-", "4", "-", "-", "12", "-"]
    assert "Each class, by the model" in pages["segment"]
    assert "Each class" not in pages["boundary"]


HOSTILE = "<script>alert('$1\\frac')</script>\"onerror=\"$"


def test_names_from_files_stay_names() -> None:
    """A read id, a path or a class that is markup or a formula is shown as it is."""
    reads = [ReadScores(HOSTILE, 900, {"macro_f1": 0.5, "accuracy": 0.5}, {"ttest": 0.5})]
    recipe = replace(SEGMENTS, classes=("adapter", "polya"), labels=(HOSTILE,), runs=(HOSTILE,))
    drawn = [replace(excerpt_of("x", "segment"), read_id=HOSTILE)]
    data = {"files": [HOSTILE], "labels": [HOSTILE]}
    html = page(evaluation("segment", reads=reads, drawn=drawn, recipe=recipe, data=data))
    tags = Tags(html)

    assert escape(HOSTILE) in html.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")
    assert not tags.all("script")
    assert not any("onerror" in attributes for _, attributes in tags.seen)


def test_a_dollar_begins_no_formula() -> None:
    """A letter that cannot be drawn is replaced."""
    assert plain("a$b$") == r"a\$b\$"
    assert plain("a\0b") == "a?b"


def test_where_nothing_is_defined_there_is_a_page() -> None:
    """Reads without a boundary have no score; the page states this, and draws nothing."""
    nothing = dict.fromkeys(boundary_scores(0.5), NAN) | {"n_reads": 1.0}
    html = page(evaluation(scores={"model": nothing, "ttest": nothing}, reads=[], drawn=[], reliability=[], offsets={}))

    assert "contain nothing to find" in html


def test_baselines_with_equal_scores_are_shown_once() -> None:
    """If the task has classes, detectors of boundaries label as `majority` does."""
    scores = {"model": segment_scores(0.9), "ttest": segment_scores(0.4), "majority": segment_scores(0.4)}
    reads = reads_with("macro_f1", 0.9, 0.8, baselines=("ttest", "majority"))
    html = page(evaluation("segment", scores=scores, reads=reads, drawn=[]))

    assert "With majority, the only baseline" in html
    assert "score the same as majority: ttest" in html


def test_a_report_from_json_alone(pages: dict[str, str], tmp_path: Path) -> None:
    """The reads' files are not needed, and the same JSON gives the same page."""
    write_evaluation(tmp_path / "result.json", evaluation())
    made = report(tmp_path / "result.json", out=tmp_path / "deep" / "result.html")

    assert made.read_text() == pages["boundary"]


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    """The message names what is missing, and what to do."""
    with pytest.raises(FormatError, match=r"evaluation\.json: No such file .* evaluate --out"):
        report(tmp_path, out=tmp_path / "page.html")


WIDTHS = (1280, 390)

FLAGS = (
    "--headless",
    "--no-sandbox",  # root needs it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",  # the harness looks into the page
    "--enable-logging=stderr",  # the console
    "--virtual-time-budget=20000",
    "--dump-dom",
)

HARNESS = """<!doctype html><body><script>
const page = (name, width) => new Promise(done => {{
  const frame = document.createElement("iframe");
  const laidOut = () => setTimeout(() => done(frame.contentWindow), 100);
  Object.assign(frame, {{width, height: 900, src: name, onload: laidOut}});
  document.body.append(frame);
}});
Promise.all({names}.flatMap(name => {widths}.map(width => page(name, width)))).then(views => {{
  const seen = views.map(view => ({{
    width: view.innerWidth,
    overflow: view.document.documentElement.scrollWidth - view.document.documentElement.clientWidth,
    requests: view.performance.getEntriesByType("resource").map(entry => entry.name.slice(0, 5)),
    pictures: [...view.document.images].every(image => image.complete && image.naturalWidth > 0),
  }}));
  document.body.textContent = "seen=" + JSON.stringify(seen);
}});
</script></body>"""
"""A page that opens others in frames as wide as screens, so that one browser shows all of them."""

Look = Callable[..., tuple[list[dict[str, Any]], str]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Return a function that opens pages in a browser, and returns what it finds at each width, and the console."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine; .ci/run installs it")

    def seen(*pages: str) -> tuple[list[dict[str, Any]], str]:
        names = [f"{number}.html" for number in range(len(pages))]
        for name, html in zip(names, pages, strict=True):
            (tmp_path / name).write_text(html)
        harness = tmp_path / "harness.html"
        harness.write_text(HARNESS.format(names=names, widths=list(WIDTHS)))
        command = [chromium, *FLAGS, f"--user-data-dir={tmp_path / 'user'}", harness.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout.partition("seen=")[2].partition("</body>")[0]), done.stderr

    return seen


def test_a_browser_shows_the_pages(pages: dict[str, str], look: Look) -> None:
    """No console error, no request, all pictures loaded, nothing wider than the screen of a desk or a telephone."""
    seen, console = look(*pages.values())

    assert "CONSOLE" not in console
    assert [view["width"] for view in seen] == [*WIDTHS] * len(pages)
    assert all(view["pictures"] for view in seen)
    assert {request for view in seen for request in view["requests"]} <= {"data:"}
    assert all(view["overflow"] <= 0 for view in seen)


def test_the_browser_finds_faults(look: Look) -> None:
    """A page that requests a picture from elsewhere, throws, and is too wide does not pass."""
    bad = "<img src='http://127.0.0.1:9/x.png'><script>throw Error()</script><p style='width: 2000px'>wide"
    seen, console = look(f"<!doctype html>{bad}")

    assert "CONSOLE" in console
    assert all(view["overflow"] > 0 and not view["pictures"] and "http:" in view["requests"] for view in seen)
