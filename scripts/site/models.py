"""Cards of the shipped models, by name."""

from poreconv.models.shipped import shipped_paths
from scripts.site.pages import INCLUDED, Pages, table, toctree


def model_pages() -> Pages:
    """Return the cards, and a table of the models with what each is for."""
    cards = {path.stem: path.with_suffix(".md").read_text() for path in shipped_paths().values()}
    rows = [(f"[{name}](/generated/models/{name}.md)", purpose(card)) for name, card in sorted(cards.items())]
    names = [f"generated/models/{name}" for name in sorted(cards)]
    listed = table(["model", "finds"], rows) + "\n" + toctree(*names, hidden=True)
    return {f"models/{name}.md": card for name, card in cards.items()} | {f"{INCLUDED}/models.md": listed}


def purpose(card: str) -> str:
    """Return a card's first sentence.

    Args:
        card: Its text; its first line is the model's name.
    """
    return card.split("\n\n")[1].strip()
