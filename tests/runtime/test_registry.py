from collections.abc import Mapping

import pytest

from poreconv.errors import ConfigError
from poreconv.evaluation.baselines import BASELINES
from poreconv.events.writers import WRITERS
from poreconv.labels.sources import LABEL_SOURCES
from poreconv.models.architectures import ARCHITECTURES
from poreconv.reads.readers import READERS
from poreconv.runtime.registry import lookup
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


def test_the_error_for_an_unknown_name_lists_the_names() -> None:
    """The message lists what can be chosen."""
    with pytest.raises(ConfigError, match="fruit 'kiwi' is not known; choose one of apple, pear"):
        lookup({"apple": "os:path", "pear": "os:path"}, "kiwi", kind="fruit")
