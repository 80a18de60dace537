"""Measure a live flow cell: how soon labels come, and how many channels this machine would hold.

Usage: python -m scripts.studies.bench_stream [--seconds 20] [--channels 512] [--json bench_stream.json]

Plays lambda and E. coli reads from a file in real time, on all cores, for the fast R9.4.1 model and for the best one.
"""

from collections.abc import Iterator, Sequence

from poreconv.commands.stream import stream
from poreconv.config import FlowCellConfig
from scripts.studies.bench_inputs import BEST, FAST, Inputs
from scripts.studies.results import Measurement, print_measurements, study_parser, write_results

CHANNELS, SECONDS = 512, 20.0


def measure(inputs: Inputs, seconds: float = SECONDS, channels: int = CHANNELS) -> Iterator[Measurement]:
    """Measure both models.

    Args:
        inputs: Reads.
        seconds: Of signal that each channel plays.
        channels: Sequenced at once.
    """
    config = FlowCellConfig(channels=channels, seconds=seconds)
    for model, bars in ((FAST, ("about 0", "< 0.5", f">= {CHANNELS}")), (BEST, ("", "", ""))):
        live = stream(model, inputs.file(1, ".pod5"), config=config)
        beyond_s = live.total.latency_s(0.95) - live.lookahead_s
        within = f"95 % of labels within, beyond the lookahead of {live.lookahead_s:.3f} s"
        held = f"channels at {live.sample_rate_hz:g} Hz that this machine holds"
        behind = f"{channels} channels in real time: behind at the end"
        yield Measurement(f"{model}: stream, {behind}", live.total.behind_s, "s of signal", bars[0])
        yield Measurement(f"{model}: stream, {within}", beyond_s, "s of signal", bars[1])
        yield Measurement(f"{model}: stream, {held}", live.channels_held, "", bars[2])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("bench_stream", __doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of signal that is played; default: 20")
    parser.add_argument("--channels", type=int, default=CHANNELS, help=f"sequenced at once; default: {CHANNELS}")
    chosen = parser.parse_args(arguments)
    with Inputs.temporary() as inputs:
        write_results(chosen, print_measurements(measure(inputs, chosen.seconds, chosen.channels)))


if __name__ == "__main__":
    main()
