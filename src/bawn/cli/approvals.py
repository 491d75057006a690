"""`bawn approvals`: calls that wait for consent, over the gate's own socket or from afar."""

from __future__ import annotations

import json as jsonlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bawn.cli.gate_client import TokenOption, UrlOption, Where, answer, gate
from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import on_terminal

if TYPE_CHECKING:
    import httpx2

_PATH: Final = "/api/v1/approvals"
_FULL: Final = 32  # characters of an id
_STATES: Final = "pending, granted, denied, used, expired, void or all"

IdArgument = Annotated[str, typer.Argument(help="Its id, or the beginning of it.")]
StateOption = Annotated[str, typer.Option("--state", help=f"Only those: {_STATES}.")]
NoteOption = Annotated[str, typer.Option("--note", help="A word for the record.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def list_approvals(
    state: StateOption = "pending",
    url: UrlOption = None,
    token_file: TokenOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the calls that wait for consent, as far as you may see them. (preview)"""
    with gate(Where(config, url, token_file)) as client:
        found = _listed(client, "" if state == "all" else state)
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
    with gate(Where(config, url, token_file)) as client:
        found = _one(client, id)
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
    with gate(Where(config, url, token_file)) as client:
        found = _one(client, id)
        if not yes:
            _ask(found)
        _decide(client, found, "grant", note, as_json=as_json)


def deny(
    id: IdArgument,  # noqa: A002
    note: NoteOption = "",
    url: UrlOption = None,
    token_file: TokenOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Refuse one call; one no is enough. (preview)"""
    with gate(Where(config, url, token_file)) as client:
        _decide(client, _one(client, id), "deny", note, as_json=as_json)


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
    client: httpx2.Client, found: dict[str, Any], verdict: str, note: str, *, as_json: bool
) -> None:
    done = answer(client, "POST", f"{_PATH}/{found['id']}/{verdict}", {"note": note})
    if as_json:
        print(_dumped(done))
    elif done["state"] == "pending":
        print(printable(f"consent recorded; still needed: {done['needs']}"))
    else:
        print(f"{done['id'][:12]} is {done['state']}")


def _one(client: httpx2.Client, id_: str) -> dict[str, Any]:
    """One approval by its id, or by the beginning of it if there is only one."""
    if not id_.isascii() or not id_.isalnum():
        fail(f"{id_!r} is no id of an approval; expected hexadecimal digits.", code=2)
    if len(id_) >= _FULL:
        found: dict[str, Any] = answer(client, "GET", f"{_PATH}/{id_}")
        return found
    matching = [each for each in _listed(client, "") if each["id"].startswith(id_)]
    if not matching:
        fail(
            f"no approval begins with {id_}, or none that you may see.",
            "`bawn approvals list --state all` shows those of the last day.",
        )
    if len(matching) > 1:
        fail(f"{len(matching)} approvals begin with {id_}.", "Write more of the id.", code=2)
    return matching[0]


def _listed(client: httpx2.Client, state: str) -> list[dict[str, Any]]:
    query = f"?state={state}" if state else ""
    if state and not state.isalpha():
        fail(f"--state {state!r}: expected {_STATES}.", code=2)
    found: list[dict[str, Any]] = answer(client, "GET", f"{_PATH}{query}")["approvals"]
    return found


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
