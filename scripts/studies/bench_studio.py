"""Time moving and zooming in the studio's page, in a real browser, on one very long read; and the server's memory.

Usage: python -m scripts.studies.bench_studio [--samples 10000000] [--inputs 60] [--browser /usr/bin/chromium]
                                              [--json bench_studio.json]

Writes a read to a temporary folder, starts ``poreconv studio`` on it, opens its page in Chromium and presses the keys
for moving and zooming. Each time is that from the key to the drawn frame in which all of the signal is at its full
detail, as the page itself measures it. For comparison the same is done on a read of ten thousand samples. Linux only.
"""

import statistics
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from poreconv.reads.readers.writing import write_reads
from scripts.studies.made_reads import made_reads
from scripts.studies.processes import COMMAND
from scripts.studies.results import Measurement, print_measurements, study_parser, write_results

SHORT = 10_000
"""Samples of the read that is compared."""

PIXELS = {"width": 1280, "height": 900}

PANS = ("ArrowRight", "ArrowLeft", "Shift+ArrowRight")
ZOOMS = ("+", "+", "+", "-")
"""Keys that are pressed in turn; zooming ends at the shortest part that is shown, and begins anew."""

RECORD = """() => {
    window.times = [];
    new PerformanceObserver((list) => window.times.push(...list.getEntries().map((entry) => entry.duration)))
        .observe({ type: "measure" });
}"""
"""Keeps the page's own measures."""

Times = dict[str, list[float]]


def write_read(path: Path, n_samples: int) -> None:
    """Write a read of levels and noise.

    Args:
        path: The signal file.
        n_samples: Its length.
    """
    first = next(iter(made_reads(1)))
    rng = np.random.default_rng(0)
    levels = rng.normal(500, 80, n_samples // 9 + 1).repeat(9)[:n_samples]
    adc = (levels + rng.normal(0, 8, n_samples)).astype(np.int16)
    write_reads(path, [replace(first, adc=adc)])


@contextmanager
def served(path: Path, project: Path) -> Iterator[tuple[str, int]]:
    """Start the studio; gives the page's address and the server's process.

    Args:
        path: Signal file.
        project: Folder for the marks.
    """
    words = [COMMAND, "studio", str(path), "--project", str(project), "--port", "0", "--no_browser"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip(), server.pid
        finally:
            server.terminate()


def peak_mb(pid: int) -> float:
    """Return the peak resident memory of a process in MB.

    Args:
        pid: Its number.
    """
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def times_of(page: Page, address: str, inputs: int) -> Times:
    """Open a page, move and zoom; return milliseconds from each key to its picture.

    Args:
        page: Of the browser.
        address: Of the studio.
        inputs: Keys of each kind.
    """
    page.goto(address)
    page.fill("#ask-who", "bench")
    page.keyboard.press("Enter")
    drawn(page)
    page.evaluate(RECORD)
    found: Times = {}
    for name, keys in {"pan": PANS, "zoom": ZOOMS}.items():
        for number in range(inputs):
            if number % 20 == 0:
                page.keyboard.press("0")
                for _ in range(4 if name == "pan" else 0):
                    page.keyboard.press("+")
                drawn(page)
                page.evaluate("() => { window.times = []; }")
            page.keyboard.press(keys[number % len(keys)])
            drawn(page)
            found.setdefault(name, []).extend(page.evaluate("() => window.times.splice(0)"))
    return found


def drawn(page: Page) -> None:
    """Wait until all of the signal is drawn, and measured.

    Args:
        page: Of the browser.
    """
    page.wait_for_selector("#view[data-complete=true]")
    page.wait_for_timeout(50)


def measured(samples: int, inputs: int, browser: str) -> Iterator[Measurement]:
    """Measure one read.

    Args:
        samples: Its length.
        inputs: Keys of each kind.
        browser: Program.

    Yields:
        Medians and largest times, and memory.
    """
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "long.blow5"
        write_read(path, samples)
        with served(path, Path(folder) / "project") as (address, pid):
            before = peak_mb(pid)
            chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            options: dict[str, Any] = {"viewport": PIXELS}
            found = times_of(chromium.new_page(**options), address, inputs)
            chromium.close()
            for name, times in found.items():
                what = f"{name}, {samples:,} samples"
                yield Measurement(f"{what}: median", statistics.median(times), "ms", "< 100")
                yield Measurement(f"{what}: 95 of 100 below", float(np.percentile(times, 95)), "ms")
            yield Measurement(f"server, {samples:,} samples: peak memory", peak_mb(pid), "MB")
            yield Measurement(f"server, {samples:,} samples: peak memory when the reads were listed", before, "MB")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure a short and a long read, and write the results.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("bench_studio", __doc__)
    parser.add_argument("--samples", type=int, default=10_000_000, help="Length of the long read.")
    parser.add_argument("--inputs", type=int, default=60, help="Keys of each kind.")
    parser.add_argument("--browser", default="/usr/bin/chromium", help="Program.")
    chosen = parser.parse_args(arguments)
    results = [
        measurement
        for samples in (SHORT, chosen.samples)
        for measurement in print_measurements(measured(samples, chosen.inputs, chosen.browser))
    ]
    write_results(chosen, results)


if __name__ == "__main__":
    main()
