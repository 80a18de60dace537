"""How the server answers: what a method returns becomes JSON or bytes, and an error a problem in one line."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from poreconv.errors import ConfigError, PoreconvError

T = TypeVar("T")

MOST_BYTES = 64 << 20
"""Of what the page sends at a time."""


def answering(answer: Callable[[Request], Any]) -> Callable[[Request], Response]:
    """Return the endpoint that answers with what a function returns.

    Args:
        answer: The function; called in a thread.
    """

    def endpoint(request: Request) -> Response:
        return _response(lambda: answer(request))

    return endpoint


def doing(kind: type[T], do: Callable[[T], Any]) -> Callable[[Request], Any]:
    """Return the endpoint that does what the page sends.

    Args:
        kind: Type of what it sends.
        do: Called with it, in a thread; the answer is what it returns.
    """

    async def endpoint(request: Request) -> Response:
        length = request.headers.get("content-length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            return _problem(f"at most {MOST_BYTES >> 20} MB at a time", 413)
        try:
            body = await request.body()
        except ClientDisconnect:
            return _problem("the page went away before all was sent", 400)
        return await run_in_threadpool(_response, lambda: do(msgspec.json.decode(body, type=kind)))

    return endpoint


def _response(answer: Callable[[], Any]) -> Response:
    try:
        found = answer()
    except KeyError as exc:
        return _problem(f"no {exc}; load the page again", 404)
    except (PoreconvError, ValueError, msgspec.MsgspecError) as exc:
        return _problem(str(exc), 400)
    if isinstance(found, Response):
        return found
    if isinstance(found, bytes):
        return Response(found, media_type="application/octet-stream")
    return Response(msgspec.json.encode(found), media_type="application/json")


def _problem(text: str, code: int) -> Response:
    return Response(msgspec.json.encode({"problem": text}), status_code=code, media_type="application/json")


def number_in(request: Request, name: str, most: int) -> int:
    """Return a whole number of a query.

    Args:
        request: What the page asks.
        name: Of the number.
        most: The largest possible one.

    Raises:
        ConfigError: It is none.
    """
    text = request.query_params[name]
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= most:
        raise ConfigError(f"{name} {text!r}: give a whole number from 0 to {most}")
    return number
