"""What `inspect` shows of a project of the studio."""

from pathlib import Path

import pytest

from poreconv.cli.main import main
from poreconv.labels.marks import Mark, Marks
from poreconv.labels.project import Judged, Learnt, next_model
from tests.support.signal_files import reads_made


def test_inspect_lists_marks_and_models_of_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before there is a model, the commands name no reads; then those that the last one learnt from."""
    with Marks(tmp_path / "project", writable=True) as marks:
        for read in reads_made(2):
            marks.change("Ada", read.read_id, [Mark(0, "interval", 5, 9, "stall"), Mark(0, "seen", 0, 100)])
    main(["inspect", str(tmp_path / "project")])
    without = capsys.readouterr().out
    model = next_model(tmp_path / "project")
    model.run.mkdir(parents=True)
    model.bundle.touch()
    judged = Judged("macro F1", 0.9, 0.8, 0.95, 3, "test", "")
    model.finish(Learnt("segment", ("background", "stall"), 2, "", judged=judged, paths=(tmp_path / "my reads",)))
    main(["inspect", str(tmp_path / "project")])
    found = capsys.readouterr().out

    assert "background, stall" in without
    assert f"poreconv studio READS --project {tmp_path / 'project'}" in without
    assert "macro F1 0.900 (0.800-0.950)" in found
    assert f"prepare '{tmp_path / 'my reads'}' --labels studio --labels_from {tmp_path / 'project'} --task seg" in found


def test_another_folder_is_no_project(tmp_path: Path) -> None:
    """Its signal files are looked for."""
    with pytest.raises(SystemExit):
        main(["inspect", str(tmp_path)])
