"""The chemistry of a read: its pore, kit and molecule."""

from typing import Any

PORES = {
    "flo-min106": "r9.4.1",
    "flo-min107": "r9.5",
    "flo-flg001": "r9.4.1",
    "flo-pro001": "r9.4.1",
    "flo-pro002": "r9.4.1",
    "flo-min110": "r10",
    "flo-min111": "r10.3",
    "flo-flg111": "r10.3",
    "flo-pro111": "r10.3",
    "flo-min112": "r10.4",
    "flo-flg112": "r10.4",
    "flo-pro112": "r10.4",
    "flo-min114": "r10.4.1",
    "flo-flg114": "r10.4.1",
    "flo-pro114": "r10.4.1",
}
"""Flow cell product code -> pore version.

Source: the flow cells' product pages of Oxford Nanopore Technologies.
"""


RNA_CODES = ("rna001", "rna002", "rna004")
"""Direct RNA kits; each has its own motor, pore and speed, so the kit alone determines the chemistry."""


def chemistry_of(*, pore: str, kit: str, experiment: str) -> str:
    """Return the chemistry code of a read, as far as its metadata determine it.

    Args:
        pore: Flow cell product code, such as ``FLO-MIN106``; any case; ``""`` if unknown.
        kit: Sequencing kit, such as ``SQK-LSK109``; any case; ``""`` if unknown.
        experiment: Kind of experiment, such as ``genomic_dna`` or ``rna``; any case; ``""`` if unknown.

    Returns:
        ``rna001``, ``rna002``, ``rna004``, ``dna_r9.4.1``, ``dna_r10.4.1``, ...; ``dna`` or ``rna`` if only that
        is known; ``unknown`` otherwise.
    """
    pore, kit, experiment = pore.lower(), kit.lower(), experiment.lower()
    for code in RNA_CODES:
        if code in kit or (code == "rna004" and pore.endswith("ra")):
            return code
    if "rna" in experiment and "cdna" not in experiment:
        return "rna"
    version = PORES.get(pore[:10])
    if version is not None:
        return f"dna_{version}"
    return "dna" if "dna" in experiment or "lsk" in kit or "pcs" in kit else "unknown"


def fields_of(chemistry: str) -> dict[str, Any]:
    """Return fields of a `Read` from which `chemistry_of` returns this code: the inverse.

    Args:
        chemistry: A chemistry code.

    Returns:
        Field -> value: ``pore``, ``kit`` or ``experiment``.

    Example:
        >>> fields_of("dna_r9.4.1")
        {'pore': 'flo-min106'}
    """
    if chemistry in RNA_CODES:
        return {"kit": chemistry}
    pore = next((pore for pore, version in PORES.items() if chemistry == f"dna_{version}"), None)
    return {"experiment": chemistry} if pore is None else {"pore": pore}


def family_of(chemistry: str) -> tuple[str, str]:
    """Split a chemistry code into molecule and pore family.

    Args:
        chemistry: A chemistry code, any case.

    Returns:
        Molecule and pore family; ``""`` for one that the code does not contain.

    Example:
        >>> family_of("DNA_R10.4.1")
        ('dna', 'r10')
    """
    code = chemistry.lower()
    if code in RNA_CODES:
        return "rna", code
    molecule, _, pore = code.partition("_")
    return ("" if molecule == "unknown" else molecule), pore.partition(".")[0]


def conflict(chemistry: str, other: str) -> bool:
    """Return whether two chemistries are known to differ in molecule or pore family.

    Args:
        chemistry: A chemistry code, any case.
        other: Another one.

    Returns:
        False if they differ in a detail only, or where one of them is unknown.
    """
    pairs = zip(family_of(chemistry), family_of(other), strict=True)
    return any(mine and its and mine != its for mine, its in pairs)
