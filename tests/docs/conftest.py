"""The site, built once for all tests of a run; that is the run of the notebooks, too."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Build the site as `scripts/docs` does; of several processes of a run, the first builds for all."""
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    folder = shared / "site"
    with FileLock(f"{folder}.lock"):
        if not (shared / "site.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            built = subprocess.run([ROOT / "scripts/docs", folder], capture_output=True, text=True, check=False)
            (shared / "site.json").write_text(json.dumps([built.returncode, built.stdout + built.stderr]))
    code, printed = json.loads((shared / "site.json").read_text())
    assert code == 0, printed
    return folder
