"""`bawn quarantine`: results that were held back, at a running gate or in the store of one that does not run."""

from __future__ import annotations

import json as jsonlib
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from bawn.cli.gate_client import TokenOption, UrlOption, Where
from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.quarantine_desk import Desk, desk
from bawn.cli.quoting import printable
from bawn.cli.reading import on_terminal

_FULL: Final = 40  # characters of a handle
_SHORT: Final = 16

HandleArgument = Annotated[str, typer.Argument(help="Its handle, or the beginning of it.")]
ContentOption = Annotated[
    bool,
    typer.Option("--content", help="Show what is held, too; what cannot be seen is escaped."),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def list_held(
    url: UrlOption = None,
    token_file: TokenOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the results that are held back, as far as you may see them. (preview)"""
    with desk(Where(config, url, token_file)) as held:
        found = held.listed()
    if as_json:
        print(jsonlib.dumps(found, indent=2))
        return
    for each in found:
        print(_line(each))
    if not found:
        print("nothing is held back")


def show(
    handle: HandleArgument,
    content: ContentOption = False,
    url: UrlOption = None,
    token_file: TokenOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one: what was found in it, whose request it was, and with --content what is held. (preview)"""
    with desk(Where(config, url, token_file)) as held:
        found = held.one(_handle(held, handle), content=content)
    if as_json:
        print(jsonlib.dumps(found, indent=2))
    else:
        print("\n".join(_text(found)))
    if found["state"] == "broken":
        raise typer.Exit(1)
    if content and "result" not in found:
        fail("what is held is shown to those who may release it.", "`drift.roles` names them.")


def release(
    handle: HandleArgument,
    yes: YesOption = False,
    url: UrlOption = None,
    token_file: TokenOption = None,
    config: ConfigOption = None,
) -> None:
    """Let whoever made the request fetch it, until its time is over. Asks, without --yes. (preview)"""
    with desk(Where(config, url, token_file)) as held:
        found = held.one(_handle(held, handle), content=False)
        _ask(found, "release", yes=yes)
        done = held.release(found["handle"])
    print(printable(f"released: {done['handle'][:_SHORT]}; {done['who']} can fetch it now"))


def discard(
    handle: HandleArgument,
    yes: YesOption = False,
    url: UrlOption = None,
    token_file: TokenOption = None,
    config: ConfigOption = None,
) -> None:
    """Destroy one for good. Asks, without --yes. (preview)"""
    with desk(Where(config, url, token_file)) as held:
        found = held.one(_handle(held, handle), content=False)
        _ask(found, "discard", yes=yes)
        held.discard(found["handle"])
    print(f"discarded: {found['handle'][:_SHORT]}")


def _ask(found: dict[str, Any], verb: str, *, yes: bool) -> None:
    if yes:
        return
    if not on_terminal():
        fail(
            f"nobody is there to be asked whether to {verb} this.",
            "Look at it with `bawn quarantine show`, then repeat the command with --yes.",
            code=2,
        )
    print("\n".join(_text(found)))
    if not typer.confirm(f"{verb.capitalize()} this?", default=False):
        fail("nothing was done.")


def _handle(held: Desk, given: str) -> str:
    """A handle by the beginning of it, if there is only one."""
    if not given.isascii() or not given.isalnum() or len(given) > _FULL:
        fail(f"{given!r} is no handle; expected hexadecimal digits.", code=2)
    if len(given) == _FULL:
        return given
    matching = [each["handle"] for each in held.listed() if each["handle"].startswith(given)]
    if not matching:
        fail(
            f"no handle begins with {given}, or none that you may see.",
            "`bawn quarantine list` shows what is held back.",
        )
    if len(matching) > 1:
        fail(f"{len(matching)} handles begin with {given}.", "Write more of it.", code=2)
    return str(matching[0])


def _line(each: dict[str, Any]) -> str:
    if each["state"] == "broken":
        return printable(f"{each['handle'][:_SHORT]}  broken    {each['problem']}")
    rules = ", ".join(dict.fromkeys(one["rule"] for one in each["found"]))
    what = f"{each['server']}/{each['name']}"
    cells = (
        each["handle"][:_SHORT], f"{each['state']:8}", _when(each["created"]),
        f"{each['who']:20}", f"{what:32}", rules,
    )  # fmt: skip
    return "  ".join(map(printable, cells)).rstrip()


def _text(found: dict[str, Any]) -> list[str]:
    rows = [("handle", found["handle"]), ("state", found["state"])]
    if found["state"] == "broken":
        rows.append(("problem", found["problem"]))
        return _rows(rows)
    rows += [
        ("asked by", found["who"]),
        ("tenant", found["tenant"]),
        ("server", found["server"]),
        (found["kind"], found["name"]),
        ("method", found["method"]),
        ("held since", _when(found["created"])),
        ("until", _when(found["expires"])),
        ("size", f"{found['size']} bytes"),
        ("call", found["trace"]),
    ]
    if found["released"]:
        rows.append(("released", f"{_when(found['released']['at'])} by {found['released']['by']}"))
    for each in found["found"]:
        seen = "" if each["view"] == "raw" else f" (seen as {each['view']})"
        told = f"{each['rule']} ({each['severity']}) at {each['place'] or '/'}{seen}"
        rows.append(("found", f"{told}: {each['evidence']}" if each["evidence"] else told))
    lines = _rows(rows)
    if "result" in found:
        held = jsonlib.dumps(found["result"], indent=2, ensure_ascii=False)
        lines += ["what is held:", *map(printable, held.split("\n"))]
    return lines


def _rows(rows: list[tuple[str, str]]) -> list[str]:
    return [f"{name:12}{printable(str(value))}" for name, value in rows if value]


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(" ", "seconds")
