"""What is usual in each chemistry, where a `SquiggleConfig` leaves it open."""

from dataclasses import dataclass, fields, replace

from poreconv.config import SquiggleConfig, asdict_flat


@dataclass(frozen=True, slots=True)
class Usual:
    """Settings of a chemistry; meaning and units as in `SquiggleConfig`."""

    sample_rate_hz: float
    dwell_mean: float
    dwell_shape: float
    stall_rate: float
    stall_samples: float
    level_mean_pa: float
    level_sd_pa: float
    adapter_samples: float
    polya_mean: float
    kit: str
    """Kit that the reads name."""


_DNA = {"dwell_shape": 1.6, "stall_samples": 150, "adapter_samples": 600, "polya_mean": 0}
_RNA = {"dwell_shape": 1.0, "stall_rate": 5e-3, "stall_samples": 500, "polya_mean": 70}
_R9_RNA = {"dwell_mean": 3012 / 70, "level_mean_pa": 90, "level_sd_pa": 18, "adapter_samples": 5500, **_RNA}

CHEMISTRIES = {
    "dna_r9.4.1": Usual(4000, 4000 / 450, stall_rate=4e-4, level_mean_pa=90, level_sd_pa=14, kit="SQK-LSK109", **_DNA),
    "dna_r10.4.1": Usual(
        4000, 4000 / 400, stall_rate=1e-3, level_mean_pa=100, level_sd_pa=24, kit="SQK-LSK114", **_DNA
    ),
    "rna001": Usual(3012, kit="SQK-RNA001", **_R9_RNA),
    "rna002": Usual(3012, kit="SQK-RNA002", **_R9_RNA),
    "rna004": Usual(4000, 4000 / 130, level_mean_pa=73, level_sd_pa=16, adapter_samples=4000, kit="SQK-RNA004", **_RNA),
}
"""Speeds are the makers' (450, 400, 70 and 130 bases per second); the rest was read off some dozen public reads each,
of lambda and human DNA, human and yeast RNA, and E. coli tRNA."""

IN_SAMPLES = ("dwell_mean", "stall_samples", "adapter_samples")
"""What grows with the sample rate."""


def usual(config: SquiggleConfig) -> Usual:
    """The chemistry's settings, with those that the config states in their place."""
    chemistry = CHEMISTRIES[config.molecule.chemistry]
    faster = (config.sample_rate_hz or chemistry.sample_rate_hz) / chemistry.sample_rate_hz
    scaled = replace(chemistry, **{name: faster * getattr(chemistry, name) for name in IN_SAMPLES})
    stated, names = asdict_flat(config), {field.name for field in fields(Usual)}
    return replace(scaled, **{name: value for name, value in stated.items() if name in names and value is not None})
