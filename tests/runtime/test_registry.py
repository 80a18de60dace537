import os
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from poreconv.errors import ConfigError, SignalError
from poreconv.evaluation.baselines import BASELINES
from poreconv.events.writers import WRITERS
from poreconv.labels.sources import LABEL_SOURCES
from poreconv.models.architectures import ARCHITECTURES
from poreconv.reads.readers import READERS
from poreconv.runtime.registry import (
    called,
    errors_of,
    given,
    imported,
    installed,
    installed_names,
    lookup,
    name_of,
    sent,
    short_name,
    source_of,
)
from poreconv.simulate import SIMULATORS

NETWORKS = {name: architecture.network for name, architecture in ARCHITECTURES.items()}
TABLES = [BASELINES, LABEL_SOURCES, NETWORKS, READERS, SIMULATORS, WRITERS]
ENTRIES = [(table, name) for table in TABLES for name in table]


@pytest.mark.parametrize(("table", "name"), ENTRIES, ids=lambda value: value if isinstance(value, str) else "")
def test_every_entry_of_every_table_resolves(table: Mapping[str, str], name: str) -> None:
    """A name that is offered can be used."""
    assert callable(lookup(table, name, kind="entry"))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_has_its_settings(name: str) -> None:
    """Its network is built from its settings, which have defaults."""
    architecture = ARCHITECTURES[name]

    assert lookup(NETWORKS, name, kind="network")(architecture.settings(), 2).n_parameters > 0


@pytest.mark.parametrize(("name", "meant"), [("kiwi", ""), ("aple", "did you mean apple. ")])
def test_the_error_for_an_unknown_name_lists_the_names(name: str, meant: str) -> None:
    """The message names the one that was probably meant, and lists what can be chosen."""
    with pytest.raises(ConfigError, match=f"fruit '{name}' is not known; {meant}choose one of apple, pear"):
        lookup({"apple": "os:path", "pear": "os:path"}, name, kind="fruit")


FILE = """
class Mine:
    class Inner:
        pass


def function():
    raise ValueError("of mine\\nin two lines")
"""


def in_new_process(code: str, folder: Path) -> str:
    """Run code in a folder, as ``python -c`` does, and give what it printed."""
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_file_is_imported_once_for_each_content(tmp_path: Path) -> None:
    """Its things are the same each time, until the file changes."""
    path = tmp_path / "my.py"
    path.write_text(FILE)
    one, other = (imported(f"{path}:Mine", kind="thing") for _ in range(2))
    path.write_text(FILE + "\n")

    assert one is other
    assert imported(f"{path}:Mine", kind="thing") is not one
    assert imported(f"{path}:Mine.Inner", kind="thing").__name__ == "Inner"


def test_what_a_user_asks_for(tmp_path: Path) -> None:
    """A name in the table, one of the user's own, or the thing itself."""
    (tmp_path / "my.py").write_text(FILE)
    table = {"path": "os:path"}

    assert given(table, "path", kind="thing") is os.path
    assert given(table, "os.path:join", kind="thing") is os.path.join
    assert given(table, f"{tmp_path / 'my.py'}:Mine", kind="thing").__name__ == "Mine"
    assert given(table, 7, kind="thing") == 7
    with pytest.raises(ConfigError, match="thing 'pear' is not known"):
        given(table, "pear", kind="thing")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("{}/none.py:Mine", "", "none.py:Mine: cannot be imported: FileNotFoundError: "),
        ("{}/my.py:Other", "", "has no Other; it defines Mine, function"),
        ("{}/my.py:Mine", "import nix", r"ModuleNotFoundError: No module named 'nix' \(.*my.py, line 1\)"),
        ("{}/my.py:Mine", "x = (", "cannot be imported: SyntaxError: "),
        ("{}/my.py:Mine", "1 / 0", r"ZeroDivisionError: division by zero \(.*my.py, line 1\)"),
        ("nix.nix:Mine", "", "No module named 'nix'; the current folder is not searched: give a file, as my.py:NAME"),
        ("os.path:nix", "", "os.path has no nix"),
        ("my.py", "", "not a name that can be imported; give my.py:NAME"),
        ("my.py:", "", "not a name that can be imported"),
    ],
)
def test_what_cannot_be_imported(name: str, text: str, message: str, tmp_path: Path) -> None:
    """The error is one line, with the place in the user's file."""
    (tmp_path / "my.py").write_text(text or FILE)

    with pytest.raises(ConfigError, match=message) as caught:
        imported(name.format(tmp_path), kind="thing")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("thing ")


def test_the_current_folder_is_not_searched(tmp_path: Path) -> None:
    """A module there is imported as a file only, though Python would find it."""
    (tmp_path / "mine.py").write_text("print('imported')\n" + FILE)
    code = (
        "from poreconv.runtime.registry import imported\n"
        "try:\n    imported('mine:Mine', kind='thing')\n"
        "except Exception as exc:\n    print(exc)\n"
    )

    assert in_new_process(code, tmp_path).startswith("thing mine:Mine: cannot be imported: ModuleNotFoundError")
    assert in_new_process("import mine\n" + code, tmp_path) == "imported"
    assert in_new_process(code.replace("mine:", "mine.py:"), tmp_path) == "imported"


def test_what_is_sent_means_the_same_in_another_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file's path becomes absolute; a module's name stays, and what is imported already is sent itself."""
    monkeypatch.chdir(tmp_path)

    assert sent("my.py:Mine") == f"{tmp_path.resolve() / 'my.py'}:Mine"
    assert sent("package.module:Mine") == "package.module:Mine"
    assert sent("os.path:join") is os.path.join


def test_errors_of_a_users_code_are_one_line(tmp_path: Path) -> None:
    """With kind, message and place; errors of poreconv pass as they are."""
    (tmp_path / "my.py").write_text(FILE)
    with pytest.raises(ConfigError) as caught, errors_of("my.py:function", "calling it"):
        imported(f"{tmp_path / 'my.py'}:function", kind="thing")()

    assert str(caught.value) == (
        f"my.py:function: calling it failed: ValueError: of mine in two lines ({tmp_path / 'my.py'}, line 8)"
    )
    with pytest.raises(SignalError, match="flat"), errors_of("my.py:function", "calling it"):
        raise SignalError("flat", reason="flat")


@pytest.mark.parametrize(
    ("own", "name", "short"),
    [
        ("my.py:Mine.Inner", "my.py:Mine.Inner", "Inner"),
        (in_new_process, f"{__name__}:in_new_process", "in_new_process"),
        (partial(in_new_process, code=""), f"{__name__}:in_new_process", "in_new_process"),
        (Path("x"), f"{type(Path()).__module__}:{type(Path()).__qualname__}", type(Path()).__qualname__),
    ],
)
def test_what_users_bring_has_a_name(own: object, name: str, short: str) -> None:
    """As it was typed; of an object that of itself, or of its class."""
    assert (name_of(own), short_name(own)) == (name, short)


def test_a_changed_source_is_seen(tmp_path: Path) -> None:
    """Of a name the whole file counts, of an object its own lines."""
    (tmp_path / "my.py").write_text(FILE)
    name = f"{tmp_path / 'my.py'}:Mine"
    before, kind = source_of(name), source_of(imported(name, kind="thing"))
    (tmp_path / "my.py").write_text(FILE + "\nMORE = 1\n")

    assert source_of(name) != before
    assert source_of(imported(name, kind="thing")) == kind
    assert source_of(dict) == source_of(dict) != source_of(list)


def test_calls_have_the_arguments_that_they_can_take() -> None:
    """By keyword; what states no parameters gets none."""
    assert called(lambda b: b, a=1, b=2) == 2
    assert called(dict, a=1) == {}


def test_installed_packages_offer_things_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an entry point, imported when it is asked for; two of one name are an error."""
    for number in (1, 2):
        info = tmp_path / f"package{number}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: package{number}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(
            f"[some.group]\n.both = os:sep\n.one{number} = os:sep\n.bad = no:where\n"
        )
    monkeypatch.syspath_prepend(tmp_path)

    assert installed_names("some.group") == [".bad", ".both", ".one1", ".one2"]
    assert (installed("some.group", ".one1"), installed("some.group", ".none")) == (os.sep, None)
    with pytest.raises(ConfigError, match="several installed packages offer it"):
        installed("some.group", ".both")
    (tmp_path / "package2-1.dist-info" / "entry_points.txt").unlink()
    with pytest.raises(
        ConfigError, match=r"no:where: importing it as \.bad of some\.group failed: ModuleNotFoundError"
    ):
        installed("some.group", ".bad")
