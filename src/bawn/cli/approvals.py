"""`bawn approvals`: calls that wait for consent, over the gate's own socket or from afar."""

from __future__ import annotations

import json as jsonlib
import os
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, NoReturn

import typer

from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded, on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx2

_PATH: Final = "/api/v1/approvals"
_PATIENCE: Final = 10.0
_FULL: Final = 32  # characters of an id
_STATES: Final = "pending, granted, denied, used, expired, void or all"

IdArgument = Annotated[str, typer.Argument(help="Its id, or the beginning of it.")]
StateOption = Annotated[str, typer.Option("--state", help=f"Only those: {_STATES}.")]
NoteOption = Annotated[str, typer.Option("--note", help="A word for the record.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
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


class _Where(NamedTuple):
    """Which gate, as the options say."""

    config: Path | None
    url: str | None
    token_file: str | None


def list_approvals(
    state: StateOption = "pending",
    url: UrlOption = None,
    token_file: TokenOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the calls that wait for consent, as far as you may see them. (preview)"""
    with _gate(_Where(config, url, token_file)) as gate:
        found = _listed(gate, "" if state == "all" else state)
    if as_json:
        print(_dumped(found))
        return
    for each in found:
        mark = "you may decide" if each["decides"] and not each["decided"] else each["state"]
        what = f"{each['server']}/{each['name']}"
        print(
            "  ".join(
                map(
                    printable,
                    (
                        each["id"][:12],
                        f"{each['who']:24}",
                        f"{what:36}",
                        f"{mark:14}",
                        each["needs"],
                    ),
                )
            ).rstrip()
        )
    if not found:
        print("nothing waits for approval" if state == "pending" else "there is none")


def show(
    id: IdArgument,  # noqa: A002 - the name of the argument on the command line
    url: UrlOption = None,
    token_file: TokenOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one: who wants what with which arguments, which rule asks, and who said what. (preview)"""
    with _gate(_Where(config, url, token_file)) as gate:
        found = _one(gate, id)
    print(_dumped(found) if as_json else _text(found))


def grant(
    id: IdArgument,  # noqa: A002
    note: NoteOption = "",
    yes: YesOption = False,
    url: UrlOption = None,
    token_file: TokenOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Consent to one call, once. Shows what it is and asks, without --yes. (preview)"""
    with _gate(_Where(config, url, token_file)) as gate:
        found = _one(gate, id)
        if not yes:
            _ask(found)
        _decide(gate, found, "grant", note, as_json=as_json)


def deny(
    id: IdArgument,  # noqa: A002
    note: NoteOption = "",
    url: UrlOption = None,
    token_file: TokenOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Refuse one call; one no is enough. (preview)"""
    with _gate(_Where(config, url, token_file)) as gate:
        _decide(gate, _one(gate, id), "deny", note, as_json=as_json)


def _ask(found: dict[str, Any]) -> None:
    if not on_terminal():
        fail(
            "nobody is there to be asked whether this is to be granted.",
            "Look at it with `bawn approvals show`, then repeat the command with --yes.",
            code=2,
        )
    print(_text(found))
    if not typer.confirm("Grant exactly this, once?", default=False):
        fail("nothing was decided.")


def _decide(
    gate: httpx2.Client, found: dict[str, Any], verdict: str, note: str, *, as_json: bool
) -> None:
    done = _answer(gate, "POST", f"{_PATH}/{found['id']}/{verdict}", {"note": note})
    if as_json:
        print(_dumped(done))
    elif done["state"] == "pending":
        print(printable(f"consent recorded; still needed: {done['needs']}"))
    else:
        print(f"{done['id'][:12]} is {done['state']}")


def _one(gate: httpx2.Client, id_: str) -> dict[str, Any]:
    """One approval by its id, or by the beginning of it if there is only one."""
    if not id_.isascii() or not id_.isalnum():
        fail(f"{id_!r} is no id of an approval; expected hexadecimal digits.", code=2)
    if len(id_) >= _FULL:
        found: dict[str, Any] = _answer(gate, "GET", f"{_PATH}/{id_}")
        return found
    matching = [each for each in _listed(gate, "") if each["id"].startswith(id_)]
    if not matching:
        fail(
            f"no approval begins with {id_}, or none that you may see.",
            "`bawn approvals list --state all` shows those of the last day.",
        )
    if len(matching) > 1:
        fail(f"{len(matching)} approvals begin with {id_}.", "Write more of the id.", code=2)
    return matching[0]


def _listed(gate: httpx2.Client, state: str) -> list[dict[str, Any]]:
    query = f"?state={state}" if state else ""
    if state and not state.isalpha():
        fail(f"--state {state!r}: expected {_STATES}.", code=2)
    found: list[dict[str, Any]] = _answer(gate, "GET", f"{_PATH}{query}")["approvals"]
    return found


def _answer(gate: httpx2.Client, method: str, path: str, body: Any = None) -> dict[str, Any]:
    import httpx2

    try:
        answer = gate.request(method, path, json=body) if body else gate.request(method, path)
        told = answer.json()
    except httpx2.HTTPError as error:
        fail(
            f"the gate cannot be reached: {type(error).__name__}.", "Is it up? `bawn status` tells."
        )
    except ValueError:
        fail(f"this is no gate: it answered {answer.status_code} without JSON.", code=2)
    found: dict[str, Any] = told if isinstance(told, dict) else {}
    if answer.status_code != 200:
        _refused(found)
    return found


def _refused(told: dict[str, Any]) -> NoReturn:
    from bawn.errors import REASONS

    id_ = str(told.get("error", "?"))
    fix = REASONS[id_].fix if id_ in REASONS else ""
    wrong = id_ in ("message.params", "http.not_found")
    fail(printable(f"{told.get('message', 'refused')} ({id_})"), fix, code=2 if wrong else 1)


@contextmanager
def _gate(where: _Where) -> Iterator[httpx2.Client]:
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

    from bawn.config.model import is_loopback

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


def _text(found: dict[str, Any]) -> str:
    def when(at: float) -> str:
        return datetime.fromtimestamp(at, UTC).isoformat(" ", "seconds")

    rows = [
        ("id", found["id"]),
        ("state", found["state"]),
        ("still needed", found["needs"]),
        ("wanted by", found["who"]),
        ("issued by", found["issuer"]),
        ("agent", found["agent"]),
        ("client", found["client"]),
        ("server", found["server"]),
        (found["kind"], found["name"]),
        ("method", found["method"]),
        ("endpoint", f"/mcp/{found['endpoint']}" if found["endpoint"] else "/mcp"),
        ("asked", when(found["created"])),
        ("expires", when(found["expires"])),
        ("trace", found["trace"]),
        ("sha-256", found["sha256"] or ""),
    ]
    lines = [f"{name:14}{printable(str(value))}" for name, value in rows if value]
    for rule in found["rules"]:
        who = " or ".join([*rule["roles"], *(["the caller"] if rule["caller"] else [])])
        place = f" ({rule['place']})" if rule["place"] else ""
        asked = f"{rule['rule']}{place}: {rule['count']} of {who}"
        lines.append(f"{'rule':14}{printable(asked)}")
    for vote in found["votes"]:
        note = f": {vote['note']}" if vote["note"] else ""
        said = f"{when(vote['at'])} {vote['who']} {vote['verdict']}{note}"
        lines.append(f"{'said':14}{printable(said)}")
    return "\n".join([*lines, *_arguments(found)])


def _arguments(found: dict[str, Any]) -> list[str]:
    import msgspec

    if found["arguments"] is None:
        return ["arguments are shown to those who may decide"]
    if not found["whole"]:
        cut = f"arguments, the first {len(found['arguments'])} of {found['characters']} characters:"
        return [cut, printable(found["arguments"])]
    laid_out = msgspec.json.format(found["arguments"], indent=2)  # numbers stay as they are written
    return ["arguments", *map(printable, laid_out.split("\n"))]


def _dumped(found: object) -> str:
    return jsonlib.dumps(found, indent=2)
