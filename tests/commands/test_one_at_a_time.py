"""Two commands on one output at once: the second is refused, whatever the command."""

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from poreconv import commands
from poreconv.commands.label import label
from poreconv.commands.simulate import simulate
from poreconv.commands.train import train
from poreconv.config import HeartbeatConfig, SimulateConfig
from poreconv.errors import ConfigError, FormatError
from poreconv.runtime.outputs import claimed
from tests.support.data import heartbeat_store
from tests.support.faults import tree


def writing_commands() -> Iterator[Any]:
    """Give every command that takes an output."""
    for found in pkgutil.iter_modules(commands.__path__):
        module = import_module(f"{commands.__name__}.{found.name}")
        for name, function in vars(module).items():
            own = inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
            if own and "out" in inspect.signature(function).parameters:
                yield pytest.param(function, id=name)


@pytest.mark.parametrize("command", [*writing_commands()])
def test_the_second_of_two_commands_is_refused(command: Callable[..., Any], tmp_path: Path) -> None:
    """Before it reads anything: what it is given besides need not exist."""
    if command is train:
        pytest.skip("opens its stores first; has a test of its own")
    out = tmp_path / "out"
    asked = {
        name: "nothing"
        for name, parameter in inspect.signature(command).parameters.items()
        if parameter.default is parameter.empty and name != "out"
    }
    positional = [
        asked.pop(name)
        for name, parameter in inspect.signature(command).parameters.items()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and name in asked
    ]
    with claimed(out), pytest.raises(ConfigError, match=r"out: process \d+ on .* is writing it; wait until"):
        command(*positional, **asked, out=out)

    assert tree(tmp_path) == {}


def test_the_second_of_two_trainings_is_refused(tmp_path: Path) -> None:
    """Also one that would replace the training run."""
    store = heartbeat_store(tmp_path / "in", n_reads=12)
    for overwrite in (False, True):
        with claimed(tmp_path / "run"), pytest.raises(ConfigError, match=r"run: process \d+ on .* is writing it"):
            train(store, out=tmp_path / "run", overwrite=overwrite)

    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_refused_command_leaves_no_folder(tmp_path: Path) -> None:
    """Not even those that were made for its output."""
    with pytest.raises(FormatError, match="no such file"):
        label("dna_r9.4.1_boundary", tmp_path / "none.pod5", out=tmp_path / "a" / "b" / "out.tsv")

    assert [*tmp_path.iterdir()] == []


def test_what_was_written_stays_when_the_next_is_refused(tmp_path: Path) -> None:
    """The folder holds reads, and keeps them."""
    settings: dict[str, Any] = {"common": SimulateConfig(reads=1), "config": HeartbeatConfig()}
    before = tree(simulate("heartbeat", out=tmp_path / "out", **settings))
    with pytest.raises(ConfigError, match="contains reads"):
        simulate("heartbeat", out=tmp_path / "out", **settings)

    assert tree(tmp_path / "out") == before
