"""The architecture: a drawing of the rooms, from the layers that import-linter holds."""

import importlib
import textwrap
import tomllib
from collections.abc import Sequence
from html import escape
from typing import Any

from scripts.site.pages import INCLUDED, ROOT, Pages, table

WIDTH, HEIGHT, GAP = 760, 62, 10
"""Of a floor, and between floors and rooms, in pixels."""

CHARACTER = 6.2
"""Width of a letter of the small text, in pixels, on average."""

STYLE = """
  text { font-family: system-ui, sans-serif; fill: #1f2933; }
  .room { fill: #e8f1f8; stroke: #4a7fa7; }
  .name { font-size: 15px; font-weight: 600; }
  .about { font-size: 11.5px; }
"""


def architecture_pages() -> Pages:
    """Return the drawing, a table of the rooms from the top floor down, and what else import-linter holds."""
    contracts = import_contracts()
    floors = floors_of(contracts)
    rows = [(name_in_words(floor), " / ".join(about(room) for room in floor)) for floor in floors]
    rules = "".join(f"* {contract['name']}.\n" for contract in contracts)
    text = table(["floor", "holds"], rows) + f"\n## What is checked\n\n{rules}"
    return {"pictures/architecture.svg": drawing(floors), f"{INCLUDED}/architecture.md": text}


def import_contracts() -> list[dict[str, Any]]:
    """Return what import-linter is to hold, from ``pyproject.toml``."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return list(settings["tool"]["importlinter"]["contracts"])


def floors_of(contracts: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return the rooms of each floor, from the top.

    Args:
        contracts: One of them has layers.
    """
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [[room.strip() for room in layer.split("|")] for layer in layers]


def name_in_words(floor: Sequence[str]) -> str:
    """Return the names of a floor's rooms as code.

    Args:
        floor: Its rooms.
    """
    return ", ".join(f"`{room}`" for room in floor)


def about(room: str) -> str:
    """Return the first sentence of a room's docstring, without the room's name before a colon.

    Args:
        room: Its name.
    """
    text = str(importlib.import_module(f"poreconv.{room}").__doc__).partition("\n")[0].partition(". ")[0].rstrip(".")
    head, _, rest = text.partition(": ")
    same = rest and head.lower().removeprefix("the ").replace(" ", "_") in {room, f"{room}s"}
    return rest[:1].upper() + rest[1:] if same else text


def drawing(floors: Sequence[Sequence[str]]) -> str:
    """Draw the rooms on their floors as SVG.

    Args:
        floors: Rooms of each, from the top.
    """
    height = len(floors) * (HEIGHT + GAP) + GAP
    rooms = "".join(
        room_drawn(room, i, len(floor), GAP + level * (HEIGHT + GAP))
        for level, floor in enumerate(floors)
        for i, room in enumerate(floor)
    )
    size = f'viewBox="0 0 {WIDTH + 2 * GAP} {height}" width="{WIDTH + 2 * GAP}" height="{height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="Rooms of poreconv, floor by floor">\n'
        f'<style>{STYLE}</style>\n<rect width="100%" height="100%" rx="8" fill="#ffffff"/>\n{rooms}</svg>\n'
    )


def room_drawn(room: str, i: int, n_rooms: int, top: int) -> str:
    """Draw a room: its name and what it is about, as far as two lines hold that.

    Args:
        room: Its name.
        i: Its place on the floor, from 0.
        n_rooms: Rooms of that floor.
        top: Upper edge.
    """
    width = (WIDTH - (n_rooms - 1) * GAP) / n_rooms
    left = GAP + i * (width + GAP)
    lines = textwrap.wrap(about(room), int((width - 24) / CHARACTER), max_lines=2, placeholder=" …")
    spans = "".join(
        f'<text class="about" x="{left + 12:g}" y="{top + 37 + 15 * j}">{escape(line)}</text>'
        for j, line in enumerate(lines)
    )
    return (
        f"<g><title>{escape(room)}: {escape(about(room))}</title>"
        f'<rect class="room" x="{left:g}" y="{top}" width="{width:g}" height="{HEIGHT}" rx="6"/>'
        f'<text class="name" x="{left + 12:g}" y="{top + 20}">{escape(room)}</text>{spans}</g>\n'
    )
