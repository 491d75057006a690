"""`bawn incident`: the kill switch. What is cut is refused on every worker from its next message on."""

from __future__ import annotations

import json as jsonlib
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded

if TYPE_CHECKING:
    from bawn.config.load import Loaded

AllOption = Annotated[bool, typer.Option("--all", help="Everything: nobody is served.")]
ServersOption = Annotated[
    str | None, typer.Option("--server", help="One server, by its id.", show_default=False)
]
ToolOption = Annotated[
    str | None,
    typer.Option(
        "--tool",
        help="One tool, prompt or resource, as SERVER:NAME with the server's own name.",
        show_default=False,
    ),
]
WhoOption = Annotated[
    str | None,
    typer.Option(
        "--principal", help="One caller, by the subject of its tokens.", show_default=False
    ),
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        help="One token, by its `jti`; `-` reads the token itself from standard input.",
        show_default=False,
    ),
]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, for those who look later.")]


def cut(
    everything: AllOption = False,
    server: ServersOption = None,
    tool: ToolOption = None,
    principal: WhoOption = None,
    token: TokenOption = None,
    why: WhyOption = "",
    config: ConfigOption = None,
) -> None:
    """Switch off a server, a tool, a caller, a token or everything, at once and until restored.

    Calls that have left already are not called back; their outcome is in the audit. (preview)
    """
    found = loaded(config)
    kind, name = _target(everything, server, tool, principal, token)
    _check(kind, name, found)
    answer = _ask(found, "cut", kind=kind, name=name, why=why)
    if "error" in answer:
        fail(
            answer["error"],
            "What was in force before goes on. With --all it needs no room on the disk.",
        )
    if not answer["kept"]:
        print("It could not be written down yet: a restart of the gate would lift it.")
    print(f"cut: {_shown(kind, name)}; `bawn incident restore` lifts it")


def restore(
    everything: AllOption = False,
    server: ServersOption = None,
    tool: ToolOption = None,
    principal: WhoOption = None,
    token: TokenOption = None,
    config: ConfigOption = None,
) -> None:
    """Lift a cut; with --all, every one. (preview)"""
    found = loaded(config)
    if everything:
        answer = _ask(found, "restore")
    else:
        kind, name = _target(False, server, tool, principal, token)
        answer = _ask(found, "restore", kind=kind, name=name)
    if "error" in answer:
        fail(answer["error"], "What was in force before goes on.")
    if not answer["lifted"]:
        fail("nothing of that kind is cut.", "`bawn incident list` shows what is.", code=1)
    print(f"restored: {answer['lifted']}")


def list_cuts(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show what is cut, since when and why. (preview)"""
    cuts: list[dict[str, Any]] = _ask(loaded(config), "cuts")["cuts"]
    if as_json:
        print(jsonlib.dumps(cuts, indent=2))
        return
    for each in cuts:
        since = datetime.fromtimestamp(each["since"], UTC).isoformat(" ", "seconds")
        print(f"{since}  {_shown(each['kind'], each['name'])}  {printable(each['why'])}".rstrip())
    if not cuts:
        print("nothing is cut")


def _target(
    everything: bool,
    server: str | None,
    tool: str | None,
    principal: str | None,
    token: str | None,
) -> tuple[str, str]:
    named = {"server": server, "item": tool, "principal": principal, "token": token}
    given = [(kind, name) for kind, name in named.items() if name is not None]
    if everything:
        given.append(("gate", ""))
    if len(given) != 1:
        fail(
            "expected exactly one of --all, --server, --tool, --principal and --token.",
            "Repeat the command for more.",
            code=2,
        )
    kind, name = given[0]
    return kind, _token_id(name) if kind == "token" else name


def _token_id(given: str) -> str:
    """The id of a token that is named by it, or that stands on standard input.

    A whole token on the command line is taken for its id: it must not be kept or shown.
    """
    from bawn.errors import Refused
    from bawn.identity.jwt import read_id

    whole = sys.stdin.buffer.readline().strip() if given == "-" else given.encode()
    if given != "-" and whole.count(b".") != 2:
        return given
    try:
        return read_id(whole)
    except Refused as refused:
        fail(f"that is no token: {refused.detail}", code=2)


def _check(kind: str, name: str, found: Loaded) -> None:
    server = name.partition(":")[0]
    if kind in ("server", "item") and server not in found.config.servers:
        known = ", ".join(sorted(found.config.servers)) or "none is configured"
        fail(f"no server {server!r}; expected one of: {known}", code=2)
    if kind in ("principal", "token") and not name:
        fail(f"--{kind}: expected the one that is meant, and it is empty", code=2)
    if kind == "item" and not name.partition(":")[2]:
        fail(f"--tool {name!r}: expected SERVER:NAME, such as files:write_file", code=2)


def _shown(kind: str, name: str) -> str:
    what = "tool" if kind == "item" else kind
    return "everything" if kind == "gate" else f"{what} {printable(name)}"


def _ask(found: Loaded, what: str, **more: str) -> dict[str, Any]:
    from bawn.app.control import NotRunningError, ask

    with explained():
        try:
            return ask(found.state, what, **more)
        except NotRunningError as error:
            fail(str(error), f"Start one with `bawn up --config {found.path}`.")
