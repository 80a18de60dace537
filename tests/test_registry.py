from collections.abc import Mapping

import pytest

from poreconv.baselines import BASELINES
from poreconv.config import ARCHITECTURES
from poreconv.errors import ConfigError
from poreconv.labels import LABEL_SOURCES
from poreconv.models import MODELS
from poreconv.readers import READERS
from poreconv.registry import lookup
from poreconv.simulate import SIMULATORS
from poreconv.writers import WRITERS

TABLES = [BASELINES, LABEL_SOURCES, MODELS, READERS, SIMULATORS, WRITERS]
ENTRIES = [(table, name) for table in TABLES for name in table]


@pytest.mark.parametrize(("table", "name"), ENTRIES, ids=lambda value: value if isinstance(value, str) else "")
def test_every_entry_of_every_table_resolves(table: Mapping[str, str], name: str) -> None:
    """A name that is offered can be used."""
    assert callable(lookup(table, name, kind="entry"))


def test_every_architecture_has_its_settings() -> None:
    """The table of settings, which the command line reads, and that of the networks have the same names."""
    assert list(ARCHITECTURES) == list(MODELS)


def test_an_unknown_name_is_told_what_there_is() -> None:
    """The message lists what can be chosen."""
    with pytest.raises(ConfigError, match="fruit 'kiwi' is not known; choose one of apple, pear"):
        lookup({"apple": "os:path", "pear": "os:path"}, "kiwi", kind="fruit")
