"""Bundles exported as ONNX, kept in the cache folder, since an export takes seconds. No torch here."""

from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from poreconv.models.header import ONNX
from poreconv.runtime.cache import cache_folder
from poreconv.runtime.files import sha256

FOLDER = "exported"

LIBRARIES = ("poreconv", "torch", "onnxruntime")
"""Those whose versions decide the exported file, and how fast it runs."""

MOST_KEPT = 8
"""Exported bundles in the cache folder; the oldest go."""


def versions() -> dict[str, str]:
    """Return the versions of `LIBRARIES`."""
    return {name: version(name) for name in LIBRARIES}


def can_export() -> bool:
    """Return whether the extra is installed."""
    return all(find_spec(name) is not None for name in ("onnx", "onnxscript"))


def exported_file(bundle: Path) -> Path:
    """Return where a bundle's exported model is kept, whether or not it is there.

    Args:
        bundle: The bundle; its network is one of poreconv's.
    """
    return cache_folder() / FOLDER / f"{'-'.join([sha256([bundle]), *versions().values()])}{ONNX}"


def forget_oldest() -> None:
    """Remove all but the newest exported bundles."""
    with suppress(OSError):
        kept = sorted((cache_folder() / FOLDER).glob(f"*{ONNX}"), key=lambda path: path.stat().st_mtime)
        for path in kept[:-MOST_KEPT]:
            path.unlink()
