"""A client of the gate's HTTP API: over its own socket as its own user, or from afar with a token."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, NoReturn

import typer

from bawn.cli.options import fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2

_PATIENCE: Final = 10.0

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url", help="A gate elsewhere, by its public URL; needs a token.", show_default=False
    ),
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token-file",
        help="File with your access token; `-` reads it from standard input. Default: BAWN_TOKEN.",
        show_default=False,
    ),
]


class Where(NamedTuple):
    """Which gate, as the options say."""

    config: Path | None
    url: str | None
    token_file: str | None


def answer(client: httpx2.Client, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """What the gate answers; exits with its refusal."""
    import httpx2

    try:
        reply = client.request(method, path, json=body) if body else client.request(method, path)
        told = reply.json()
    except httpx2.HTTPError as error:
        fail(
            f"the gate cannot be reached: {type(error).__name__}.", "Is it up? `bawn status` tells."
        )
    except ValueError:
        fail(f"this is no gate: it answered {reply.status_code} without JSON.", code=2)
    found: dict[str, Any] = told if isinstance(told, dict) else {}
    if reply.status_code != 200:
        _refused(found)
    return found


def _refused(told: dict[str, Any]) -> NoReturn:
    from bawn.errors import REASONS

    id_ = str(told.get("error", "?"))
    fix = REASONS[id_].fix if id_ in REASONS else ""
    wrong = id_ in ("message.params", "http.not_found")
    fail(printable(f"{told.get('message', 'refused')} ({id_})"), fix, code=2 if wrong else 1)


@contextmanager
def gate(where: Where) -> Iterator[httpx2.Client]:
    """A client of the gate: by its socket as its own user, or by its URL with a token."""
    import httpx2

    if where.url is not None:
        headers = {"authorization": f"Bearer {_token(where.token_file)}"}
        base = _checked(where.url)
        client = httpx2.Client(
            base_url=base, headers=headers, timeout=_PATIENCE, follow_redirects=False
        )
    else:
        if where.token_file is not None:
            fail("--token-file goes with --url.", code=2)
        transport = httpx2.HTTPTransport(uds=str(_socket(where.config)))
        client = httpx2.Client(base_url="http://localhost", transport=transport, timeout=_PATIENCE)
    with client:
        yield client


def _socket(config: Path | None) -> Path:
    from bawn.storage.directory import StateDirectory

    found = loaded(config)
    with explained():
        if not found.state.is_dir():
            fail(
                f"no gate ever ran on {found.state}.", f"`bawn up --config {found.path}` starts it."
            )
        return StateDirectory(found.state).socket("gate.sock")


def _checked(url: str) -> str:
    from urllib.parse import urlsplit

    from bawn.config.kinds import is_loopback

    parts = urlsplit(url)
    sound = parts.scheme == "https" or (
        parts.scheme == "http" and is_loopback(parts.hostname or "")
    )
    if not sound or not parts.hostname:
        fail(
            f"--url {url!r}: expected https:// and a host (http:// for loopback only).",
            "Your token would be readable on the way.",
            code=2,
        )
    return url.rstrip("/")


def _token(file: str | None) -> str:
    from pathlib import Path

    try:
        if file == "-":
            token = sys.stdin.readline()
        else:
            token = os.environ.get("BAWN_TOKEN", "") if file is None else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as problem:
        fail(f"--token-file {file}: cannot be read ({type(problem).__name__}).", code=2)
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable():
        fail("expected an access token, with --url.", "Set BAWN_TOKEN, or --token-file.", code=2)
    return token
