"""Labels from Tombo's resquiggle: one event per reference base."""

import h5py
import numpy as np

from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.labels.bases import BASES, base_index
from poreconv.labels.fit import fitted
from poreconv.labels.parsing.fast5 import InFast5, analyses, rows_of, text, unreadable_dropped
from poreconv.reads.read import Read


class Tombo(InFast5):
    """``Analyses/RawGenomeCorrected_nnn/BaseCalled_template/Events`` of the read's own fast5 file.

    A base's first sample is ``read_start_rel_to_raw + start``, and it has ``length`` samples; for RNA these count on
    the reversed signal. Of several resquiggles the newest that succeeded is used; the others are counted as
    ``other_resquiggles``. Letters other than A, C, G and T (or U) have class -1.

    Source:
        Stoiber et al. 2016, doi:10.1101/094672; nanoporetech/tombo.
    """

    classes = BASES
    base_offset: int | None = 0

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: Its fast5 file and id locate the resquiggle; where Tombo doesn't state the molecule, its chemistry
                does.
        """
        with unreadable_dropped(read):
            corrected = analyses(self._groups.of(read), "RawGenomeCorrected")
            templates = [group["BaseCalled_template"] for group in corrected if _succeeded(group)]
            if not templates:
                return None
            if len(templates) > 1:
                self.notes["other_resquiggles"] += len(templates) - 1
            return _events(read, templates[0])


def _succeeded(group: h5py.Group) -> bool:
    template = group.get("BaseCalled_template")
    if template is None or text(template.attrs.get("status", "success")) != "success":
        return False
    return "Events" in template and len(template["Events"]) > 0


def _events(read: Read, template: h5py.Group) -> Events:
    table, n_samples = rows_of(read, template["Events"]), len(read.adc)
    start = int(template["Events"].attrs["read_start_rel_to_raw"]) + table["start"].astype(np.int64)
    end = start + table["length"].astype(np.int64)
    label = base_index(table["base"].astype("S1").tobytes())
    if _on_reversed_signal(read, template):
        start, end, label = (n_samples - end)[::-1], (n_samples - start)[::-1], label[::-1]
    return fitted(read, start, end, label=label, classes=BASES)


def _on_reversed_signal(read: Read, template: h5py.Group) -> bool:
    """Return whether the read is RNA: from Tombo's attribute, or, since old versions don't write it, its chemistry."""
    rna = template.attrs.get("rna")
    if rna is not None:
        return text(rna).lower() in ("true", "1")
    if not read.chemistry.molecule:
        raise LabelError(
            f"{read.where}: neither Tombo nor the file states whether it is RNA, whose events Tombo counts from the "
            "signal's end; resquiggle it again with Tombo 1.5",
            reason="label_orientation",
        )
    return read.chemistry.rna
