"""Looking at pages without a browser."""

import gzip
import re
from base64 import b64decode
from html.parser import HTMLParser


def content_of(page: str, name: str) -> str:
    """A packed text of a page of figures: ``plotly``, or ``figure-0`` and so on."""
    [found] = re.findall(rf'<script type="text/plain" id="{name}">([^<]*)</script>', page)
    return gzip.decompress(b64decode(found)).decode()


class Tags(HTMLParser):
    """The tags of a page, and their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.seen.append((tag, dict(attrs)))

    def all(self, *names: str) -> list[dict[str, str | None]]:
        """Attributes of all tags of these names."""
        return [attributes for tag, attributes in self.seen if tag in names]
