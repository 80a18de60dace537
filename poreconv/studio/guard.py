"""Who may ask the studio: pages of its own with its token, at this machine's own names."""

import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = {"127.0.0.1", "localhost", "::1"}
"""Names of this machine; any port, because people tunnel."""

OPEN_TO_ALL = "/page/"
"""Paths that need no token: what the package contains."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load and run: files of the studio, nothing inline."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """Answers requests without the right host, origin or token itself, and adds headers to all answers.

    Args:
        app: What answers the others.
        token: In the query of the page's address, and in the header ``Authorization`` of what the page asks.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; see ASGI."""
        if scope["type"] != "http":
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        app = self._app if not refusal else PlainTextResponse(refusal, status_code=403)
        await app(scope, receive, sending)

    def _refusal(self, scope: Scope) -> str:
        """Return why a request is refused; empty: it is not."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _name_of(host) not in HOSTS:
            return "this name is not known here; open http://127.0.0.1 with the port of the studio"
        if headers.get("origin", f"http://{host}") != f"http://{host}":
            return "asked by another page"
        if scope["path"].startswith(OPEN_TO_ALL) or self._has_token(scope, headers):
            return ""
        return "no valid token; open the address that poreconv studio printed"

    def _has_token(self, scope: Scope, headers: Headers) -> bool:
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if scope["path"] == "/":
            query = scope["query_string"].decode("latin-1").split("&")
            given = next((pair.removeprefix("token=") for pair in query if pair.startswith("token=")), "")
        return secrets.compare_digest(given.encode(), self._token)


def _name_of(host: str) -> str:
    try:
        return urlsplit(f"http://{host}").hostname or ""
    except ValueError:
        return ""
