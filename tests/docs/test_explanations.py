import re

from poreconv.runtime.explaining import KINDS, WORDS, explanations
from scripts.site.explanations import anchor, explanation_pages, listed


def test_every_word_has_a_place_on_the_site() -> None:
    """A heading, or an anchor, so that a guide can link to it."""
    for name, kinds in (("glossary", [WORDS]), ("troubleshooting", [kind for kind in KINDS if kind != WORDS])):
        page = explanation_pages()[f"included/{name}.md"]
        places = [*re.findall(r"^### `?(.*?)`?$", page, re.MULTILINE), *re.findall(r"^\((.*)\)=$", page, re.MULTILINE)]
        words = [(each.words[0], *map(anchor, each.words[1:])) for each in explanations(kinds)]

        assert sorted(places) == sorted(place for several in words for place in several)


def test_troubleshooting_begins_with_what_a_user_meets_first() -> None:
    """Reasons in the ledger's line, then errors, then what no message names."""
    page = listed([kind for kind in KINDS if kind != WORDS])
    places = [
        page.index(f"### {word}") for word in ("`wrong_rate`", "`other_records`", "`FormatError`", "slow", "no GPU")
    ]

    assert places == sorted(places)
