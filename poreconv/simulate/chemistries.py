"""Usual settings of each chemistry, for what a `SquiggleConfig` leaves open."""

from dataclasses import dataclass, fields, replace

from poreconv.config import SquiggleConfig, asdict_flat, require
from poreconv.reads.chemistry import chemistry_named


@dataclass(frozen=True, slots=True)
class UsualSettings:
    """Usual settings of a chemistry; meanings and units as in `SquiggleConfig`."""

    sample_rate_hz: float
    dwell_mean: float
    dwell_shape: float
    stall_rate: float
    stall_samples: float
    level_mean_pa: float
    level_sd_pa: float
    adapter_samples: float
    polya_mean: float
    flow_cell: str
    """Flow cell product code in the reads' metadata."""
    kit: str
    """Kit in the reads' metadata."""


_DNA = {"dwell_shape": 1.6, "stall_samples": 150, "adapter_samples": 600, "polya_mean": 0}
_RNA = {"dwell_shape": 1.0, "stall_rate": 5e-3, "stall_samples": 500, "polya_mean": 70}
_R9_RNA = {"dwell_mean": 3012 / 70, "level_mean_pa": 90, "level_sd_pa": 18, "adapter_samples": 5500, **_RNA}

USUAL = {
    "dna_r9.4.1": UsualSettings(
        4000, 4000 / 450, stall_rate=4e-4, level_mean_pa=90, level_sd_pa=14, flow_cell="FLO-MIN106", kit="SQK-LSK109",
        **_DNA,
    ),
    "dna_r10.4.1": UsualSettings(
        4000, 4000 / 400, stall_rate=1e-3, level_mean_pa=100, level_sd_pa=24, flow_cell="FLO-MIN114", kit="SQK-LSK114",
        **_DNA,
    ),
    "rna001": UsualSettings(3012, flow_cell="FLO-MIN106", kit="SQK-RNA001", **_R9_RNA),
    "rna002": UsualSettings(3012, flow_cell="FLO-MIN106", kit="SQK-RNA002", **_R9_RNA),
    "rna004": UsualSettings(
        4000, 4000 / 130, level_mean_pa=73, level_sd_pa=16, adapter_samples=4000, flow_cell="FLO-MIN004RA",
        kit="SQK-RNA004", **_RNA,
    ),
}  # fmt: skip
"""Chemistry code -> its usual settings. Speeds are the manufacturer's (450, 400, 70 and 130 bases per second); the
other values were read off some dozen public reads each, of lambda and human DNA, human and yeast RNA, E. coli tRNA."""

IN_SAMPLES = ("dwell_mean", "stall_samples", "adapter_samples")
"""Settings in samples, which scale with the sample rate."""


def usual_settings(config: SquiggleConfig) -> UsualSettings:
    """Return the usual settings of a chemistry, replaced by those that a config sets.

    Args:
        config: Settings of the squiggles; None: as usual.

    Returns:
        The settings, those in samples scaled to the config's sample rate.

    Raises:
        ConfigError: A poly(A) tail is asked for, and the chemistry is DNA's.
    """
    molecule = config.molecule
    rna = chemistry_named(molecule.chemistry).rna
    require(rna or not molecule.polya_mean, "polya_mean: only RNA has a tail; use an RNA chemistry, such as rna002")
    chemistry = USUAL[molecule.chemistry]
    faster = (config.sample_rate_hz or chemistry.sample_rate_hz) / chemistry.sample_rate_hz
    scaled = replace(chemistry, **{name: faster * getattr(chemistry, name) for name in IN_SAMPLES})
    given, names = asdict_flat(config), {field.name for field in fields(UsualSettings)}
    return replace(scaled, **{name: value for name, value in given.items() if name in names and value is not None})
