"""Results: every table and picture is made from the JSON of the studies, with machine, commit and date.

To add a study, put its JSON into ``docs/results``, with a picture of the same name if it draws one, and an entry here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.site.pages import DOCS, INCLUDED, Pages
from scripts.site.result_tables import Dots, Table

RESULTS = DOCS / "results"


@dataclass(frozen=True)
class Study:
    """How the results of a study are shown."""

    title: str
    about: str
    """What was asked, how, and what is to be known about the numbers."""
    tables: Sequence[Table]
    dots: Dots | None = None
    """A picture that is drawn here."""
    figure: str = ""
    """Caption of the picture that the study drew, beside its JSON."""


F1 = ("scores.f1_1", "scores.f1_1_low", "scores.f1_1_high")
METHODS = {"model": "the model", "ttest": "t-test", "uniform": "equal events", "labels": "the truth"}
SHIPPED = (
    Table(
        "F1 of boundaries within one sample.",
        {"model": "model", "reads": "set", "truth": "truth"},
        {"": "scores.f1_1"},
        across="method",
        heads=METHODS,
    ),
    Table(
        "The models by other scores, and the 95 % interval of F1 over reads.",
        {"model": "model", "reads": "set", "truth": "truth"},
        {
            "F1, exact": "scores.f1_0",
            "within 1": F1,
            "within 2": "scores.f1_2",
            "R-value": "scores.r_value",
            "over-segmentation": "scores.over_segmentation",
            "number of reads": "scores.n_reads",
        },
        only={"method": ("model",)},
    ),
)
SHIPPED_ABOUT = (
    "Each shipped model on each labelled set that it fits, on reads that trained no part of it, beside two detectors"
    " that learnt nothing. The truth matters: of two programs that know the sequence, each places boundaries in its own"
    " way."
)
SHIPPED_DOTS = Dots(
    "F1 within one sample, of each model on each set.",
    value="scores.f1_1",
    label="F1 within one sample",
    lines=("model", "set"),
    by="method",
    heads=METHODS,
)

REGIONS_ABOUT = (
    "Adapter, poly(A) tail and transcript, each read judged by a model that learnt from the other folds' reads; beside"
    " two rules that learn nothing."
)
REGIONS = (
    Table(
        "How far a tail's ends are off, in samples (medians), and overlap with the true regions (IoU).",
        {"method": "method"},
        {
            "reads": "reads",
            "tail start": "tail_start_samples",
            "tail end": "tail_end_samples",
            "adapter": "iou.adapter",
            "tail": "iou.polya",
            "transcript": "iou.transcript",
            "mean": "mean_iou",
        },
        part="regions",
    ),
    Table(
        "Lengths of tails, each program against another: correlation, and difference as a share (medians).",
        {"programs": "compared"},
        {"reads": "reads", "r": "pearson_r", "absolute difference": "median_absolute", "difference": "median"},
        part="lengths",
    ),
)

STUDIES: Mapping[str, Study] = {
    "shipped_models_dna": Study("Shipped models: DNA", SHIPPED_ABOUT, SHIPPED, SHIPPED_DOTS),
    "shipped_models_rna": Study("Shipped models: RNA", SHIPPED_ABOUT, SHIPPED, SHIPPED_DOTS),
    "one_truth": Study(
        "Which truth to learn from",
        "The same network, trained on each of two truths of the same reads, and judged on reads of other labs: by F1"
        " against both truths, and without one, by how well its events fit the levels of the reads' known sequence.",
        (
            Table(
                "F1 within one sample.",
                {"chemistry": "chemistry", "learnt from": "learnt_from", "judged by": "judged_by"},
                {"": "scores.f1_1"},
                across="method",
                heads=METHODS,
                only={"judged_by": ("F1, f5c", "F1, refined")},
            ),
            Table(
                "By levels, at as many events per second for all: correlation with the sequence's levels is better if"
                " higher, distance if lower.",
                {"chemistry": "chemistry", "learnt from": "learnt_from", "method": "method"},
                {"correlation": "scores.correlation", "distance": "scores.distance", "skipped": "scores.skipped"},
                only={"judged_by": ("levels",)},
            ),
        ),
    ),
    "rna004_boundaries": Study(
        "RNA004: RNA that training never saw",
        "A model trained on reads of one tRNA and on simulated ones, judged on the other tRNAs and on a spike-in. The"
        " programs that know the sequence stand beside it, judged against each other: nothing can be expected to be"
        " better than those.",
        (
            Table(
                "F1 within two samples.",
                {"trained on": "trained_on", "judged on": "judged_on", "truth": "truth"},
                {"": "scores.f1_2"},
                across="method",
                heads=METHODS,
            ),
        ),
    ),
    "regions_rna002": Study("Regions of RNA002 reads", REGIONS_ABOUT, REGIONS),
    "regions_rna004": Study("Regions of RNA004 reads", REGIONS_ABOUT, REGIONS),
    "health_speed": Study(
        "Speed of reads in `poreconv health`",
        "How far the speed that `poreconv health` reports is from that of a basecaller or an aligner, as a share of it,"
        " on reads of another set than the one that calibrated it; beside two guesses that look at no current.",
        (
            Table(
                "Error of the speed: median over reads with its 95 % interval, and what nine in ten reads keep within.",
                {"chemistry": "finding.chemistry", "judged on": "finding.judged_on"},
                {
                    "reads": "finding.n_judged",
                    "median error": (
                        "finding.error_of_package.median",
                        "finding.error_of_package.low",
                        "finding.error_of_package.high",
                    ),
                    "9 in 10": "finding.error_of_package.p90",
                    "same speed for all": "finding.same_speed.median",
                    "same number of bases": "finding.same_count.median",
                    "correlation": "finding.correlation",
                },
            ),
        ),
    ),
    "bench": Study(
        "Speed: reading and starting",
        "Reading signal beside a bare loop of the format's own library, in turns, so that both share the load of the"
        " machine: trust the ratio, not the seconds. Then one short read from the command to the table. How fast a"
        " shipped model labels on your machine: `python -m scripts.studies.bench --only label`, which takes"
        " ten minutes and more.",
        tuple(
            Table(caption, {"what": "what"}, {"measured": "value", "unit": "unit", "expected": "bar"}, part=part)
            for part, caption in (("read", "Time of `open_reads` over that of the bare loop (x)."), ("start", "Start."))
        ),
    ),
    "studio_loop": Study(
        "Marking in the studio",
        "Known labels stand in the person's place: how many reads have to be marked until a model is nearly as good as"
        " one that learnt from all, if the studio offers the reads, or if they are random; and what proposals save.",
        (
            Table(
                "Marked reads to 95 % of the score of all, and actions per read with and without proposals.",
                {"set": "set"},
                {
                    "reads, offered": "marks_by_studio",
                    "reads, random": "marks_at_random",
                    "actions": "actions",
                    "actions without proposals": "actions_without",
                },
                part="summaries",
            ),
        ),
        figure="Score on the reads that were put aside, by the number of marked reads.",
    ),
}
"""Name of a JSON file -> how it is shown, in the order of the page."""


def result_pages() -> Pages:
    """Return the text of the results, and its pictures.

    Raises:
        KeyError: There is a JSON file that no entry shows.
    """
    found = {path.stem: json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))}
    if strange := found.keys() - STUDIES.keys():
        raise KeyError(f"docs/results: no entry in scripts/site/results.py shows {', '.join(sorted(strange))}.json")
    pages = dict[str, str]()
    text = ""
    for name, study in STUDIES.items():
        if name not in found:
            continue
        content = found[name]
        text += f"## {study.title}\n\n{study.about}\n\n{provenance(content)}\n\n"
        text += "\n".join(each.in_markdown(content["results"]) for each in study.tables) + "\n"
        if study.dots is not None:
            pages[f"pictures/{name}.svg"] = study.dots.drawn(content["results"])
        if study.figure:
            pages[f"pictures/{name}.svg"] = (RESULTS / f"{name}.svg").read_text()
        caption = study.dots.caption if study.dots is not None else study.figure
        text += f"![{caption}](/generated/pictures/{name}.svg)\n\n" if caption else ""
    return pages | {f"{INCLUDED}/results.md": text}


def provenance(content: Mapping[str, Any]) -> str:
    """Return by which program, when, and on what machine results were measured.

    Args:
        content: Of a JSON file.
    """
    machine = content["machine"]
    processor, versions = machine["processor"], machine["versions"]
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"*`python -m scripts.studies.{content['study']}`, {content['date']}, commit `{content['commit']}`;"
        f" {processor['cores']} cores of {processor['name']}, {machine['memory_gib']:g} GiB; {libraries}.*"
    )
