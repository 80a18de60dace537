"""Chemistry: which pore, kit and molecule a read comes from."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chemistry:
    """What of the sequencing decides how a molecule looks as current: pore, kit family and molecule."""

    code: str
    """Such as ``dna_r10.4.1`` or ``rna004``; ``dna``, ``rna`` or ``r9.4.1`` where only that is known, ``unknown`` where
    nothing is."""
    molecule: str = ""
    """``dna`` or ``rna``; empty where it is not known."""
    families: tuple[str, ...] = ()
    """Pore families that it may be of: ``r9``, ``r10``, ``rna002``, ``rna004``; empty where nothing is known of it."""
    sample_rates_hz: tuple[float, ...] = ()
    """Usual sample rates, the most usual first."""
    bases_per_s: float | None = None
    """Usual speed through the pore."""

    @property
    def rna(self) -> bool:
        """Whether the molecule is known to be RNA, which passes the pore 3' to 5'."""
        return self.molecule == "rna"

    @property
    def family(self) -> str:
        """Pore family; empty where it is not known."""
        return self.families[0] if len(self.families) == 1 else ""

    @property
    def known(self) -> bool:
        """Whether both molecule and pore family are known."""
        return bool(self.molecule and self.family)

    def same_family(self, other: "Chemistry") -> bool:
        """Return whether molecule and pore family are the same.

        Args:
            other: The other chemistry.
        """
        return (self.molecule, self.family) == (other.molecule, other.family)

    def conflicts_with(self, other: "Chemistry") -> bool:
        """Return whether two chemistries are known to differ in molecule or pore family.

        Args:
            other: The other chemistry. A difference in detail (R10.4 and R10.4.1), or something unknown on either side,
                is no conflict.
        """
        molecules = {self.molecule, other.molecule} - {""}
        families = self.families and other.families and not set(self.families) & set(other.families)
        return len(molecules) > 1 or bool(families)

    def __str__(self) -> str:
        """The code."""
        return self.code


CHEMISTRIES = {
    each.code: each
    for each in (
        Chemistry("dna_r9.4.1", "dna", ("r9",), (4000.0,), 450.0),
        Chemistry("dna_r9.5", "dna", ("r9",), (4000.0,), 450.0),
        Chemistry("dna_r10", "dna", ("r10",), (4000.0,), 450.0),
        Chemistry("dna_r10.3", "dna", ("r10",), (4000.0,), 450.0),
        Chemistry("dna_r10.4", "dna", ("r10",), (4000.0,), 250.0),
        Chemistry("dna_r10.4.1", "dna", ("r10",), (5000.0, 4000.0), 400.0),
        Chemistry("rna001", "rna", ("rna002",), (3012.0, 3000.0), 70.0),
        Chemistry("rna002", "rna", ("rna002",), (3012.0, 3000.0), 70.0),
        Chemistry("rna004", "rna", ("rna004",), (4000.0,), 130.0),
        Chemistry("dna", "dna"),
        Chemistry("rna", "rna"),
        Chemistry("r9.4.1", "", ("r9", "rna002"), (4000.0, 3012.0, 3000.0)),
        Chemistry("r9.5", "", ("r9", "rna002"), (4000.0, 3012.0, 3000.0)),
        Chemistry("unknown"),
    )
}
"""Code -> chemistry. The R9 flow cells took RNA001 and RNA002 as well, so such a flow cell alone names no molecule.

Source: MinKNOW's usual sample rates; speeds as the names of the maker's basecalling models have them.
"""

UNKNOWN = CHEMISTRIES["unknown"]

FLOW_CELLS = {
    "r9.4.1": ("flo-min106", "flo-minsp6", "flo-flg001", "flo-pro001", "flo-pro002"),
    "r9.5": ("flo-min107",),
    "dna_r10": ("flo-min110",),
    "dna_r10.3": ("flo-min111", "flo-flg111", "flo-pro111"),
    "dna_r10.4": ("flo-min112", "flo-flg112", "flo-pro112"),
    "dna_r10.4.1": ("flo-min114", "flo-flg114", "flo-pro114"),
    "rna004": ("flo-min004ra", "flo-pro004ra", "flo-flg004ra"),
}
"""Chemistry code -> product codes of the flow cells that mean it; letters may follow them (``FLO-PRO114M``).

Source: the flow cells' product pages of Oxford Nanopore Technologies; dorado's list of flow cells.
"""

KITS = {
    "dna_r9.4.1": (
        "sqk-lsk108", "sqk-lsk109", "sqk-lsk110", "sqk-lsk111", "sqk-cs9109", "sqk-dcs108", "sqk-dcs109", "sqk-lrk001",
        "sqk-lwp001", "sqk-pcs108", "sqk-pcs109", "sqk-pcs110", "sqk-pcs111", "sqk-psk004", "sqk-rad002", "sqk-rad003",
        "sqk-rad004", "sqk-ras201", "sqk-rli001", "sqk-ulk001", "sqk-16s024", "sqk-mlk111", "sqk-nbd110", "sqk-nbd111",
        "sqk-pcb109", "sqk-pcb110", "sqk-pcb111", "sqk-rbk001", "sqk-rbk004", "sqk-rbk110", "sqk-rbk111", "sqk-rlb001",
        "sqk-lwb001", "sqk-pbk004", "sqk-rab201", "sqk-rab204", "sqk-rpb004", "vsk-vbk001", "vsk-vsk001", "vsk-vsk003",
        "vsk-vsk004", "vsk-ptc001", "vsk-vmk001", "vsk-vmk004", "vsk-vps001",
    ),
    "dna_r9.5": ("sqk-lsk308",),
    "dna_r10.4": ("sqk-lsk112", "sqk-rad112", "sqk-nbd112", "sqk-rbk112"),
    "dna_r10.4.1": (
        "sqk-lsk114", "sqk-ulk114", "sqk-rad114", "sqk-pcs114", "sqk-nbd114", "sqk-rbk114", "sqk-rpb114", "sqk-mlk114",
        "sqk-16s114", "sqk-mab114", "sqk-pcb114", "sqk-apk114", "sqk-htb114",
    ),
    "rna001": ("sqk-rna001",),
    "rna002": ("sqk-rna002",),
    "rna004": ("sqk-rna004", "sqk-drb004"),
}  # fmt: skip
"""Chemistry code -> kits that mean it where no flow cell is named; what follows their number (``-24``) is left out.

Source: dorado's list of kits and the pores that they go with.
"""

_OF_FLOW_CELL = {product: CHEMISTRIES[code] for code, products in FLOW_CELLS.items() for product in products}
_OF_KIT = {kit: CHEMISTRIES[code] for code, kits in KITS.items() for kit in kits}


def chemistry_named(code: str) -> Chemistry:
    """Return the chemistry of a code, as a store, a bundle or a user names it.

    Args:
        code: In upper or lower case. Of one that is not in ``CHEMISTRIES`` nothing is known but its code.
    """
    return CHEMISTRIES.get(code.lower(), Chemistry(code.lower()))


def chemistry_of(*, pore: str, kit: str, experiment: str) -> Chemistry:
    """Return the chemistry of a read, as far as its file names it; case does not matter.

    A kit decides between RNA and DNA, the kind of experiment where there is no kit; the flow cell decides on the pore
    of DNA, the kit where there is no flow cell.

    Args:
        pore: Flow cell product code; empty if unknown.
        kit: Sequencing kit; empty if unknown.
        experiment: Kind of experiment, such as ``genomic_dna``, ``internal_rna``, ``cdna``; empty if unknown.
    """
    by_flow_cell, by_kit = _by_flow_cell(pore.lower()), _by_kit(kit.lower())
    molecule = by_kit.molecule or by_flow_cell.molecule or molecule_in(experiment)
    if molecule == "rna":
        return next((each for each in (by_kit, by_flow_cell) if each.rna), CHEMISTRIES["rna"])
    if molecule == "dna":
        of_dna = (by_flow_cell, CHEMISTRIES.get(f"dna_{by_flow_cell.code}", UNKNOWN), by_kit)
        return next((each for each in of_dna if each.molecule == "dna"), CHEMISTRIES["dna"])
    return by_flow_cell


def _by_flow_cell(product: str) -> Chemistry:
    found = (chemistry for prefix, chemistry in _OF_FLOW_CELL.items() if product.startswith(prefix))
    return next(found, UNKNOWN)


def _by_kit(kit: str) -> Chemistry:
    maker_and_number = "-".join(re.split(r"[-.\s]", kit)[:2])
    return _OF_KIT.get(maker_and_number, UNKNOWN)


def molecule_in(experiment: str) -> str:
    """Return the molecule that a kind of experiment names, as a word of its own: ``internal`` is not RNA.

    Args:
        experiment: Such as ``genomic_dna`` or ``internal_rna``.

    Returns:
        ``dna`` or ``rna``; empty where it names none.
    """
    words = set(re.split(r"[^a-z]+", experiment.lower()))
    if words & {"dna", "cdna", "gdna"}:
        return "dna"
    return "rna" if "rna" in words else ""
