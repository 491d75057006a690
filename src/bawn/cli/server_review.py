"""`bawn server diff|approve|reject|quarantine|release`: what has changed, and what is to become of it."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bawn.cli.gate_client import TokenOption, UrlOption, Where
from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import on_terminal
from bawn.cli.server_desk import Desk, desk
from bawn.cli.servers import NameArgument

_AT_ONCE: Final = 2_000  # decisions that one request carries

ToolOption = Annotated[
    list[str] | None,
    typer.Option("--tool", metavar="T", help="A tool, by the server's own name; can be repeated."),
]
PromptOption = Annotated[
    list[str] | None, typer.Option("--prompt", metavar="P", help="A prompt; can be repeated.")
]
TemplateOption = Annotated[
    list[str] | None,
    typer.Option("--template", metavar="URI", help="A resource template; can be repeated."),
]
InstructionsOption = Annotated[
    bool, typer.Option("--instructions", help="The server's instructions.")
]
LaunchOption = Annotated[bool, typer.Option("--launch", help="How the server is started.")]
AllOption = Annotated[bool, typer.Option("--all", help="Everything that waits.")]
AlsoOption = Annotated[
    bool,
    typer.Option(
        "--also",
        help="Beside what was approved before, for servers whose lists differ by credential.",
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
SarifOption = Annotated[
    Path | None,
    typer.Option("--sarif", metavar="FILE", help="Write the findings there, as SARIF 2.1.0."),
]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, for those who look later.")]


def diff(
    name: NameArgument,
    tool: ToolOption = None,
    sarif: SarifOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what waits for approval, field by field, and what it means. Exits with 1 if something does. (preview)"""
    with desk(name, Where(config, url, token_file)) as review:
        found = review.record()
    waiting = [each for each in found["waiting"] if not tool or _is(each, "tool", tool)]
    if sarif is not None:
        _write(sarif, name, waiting)
    if as_json:
        print(jsonlib.dumps({**found, "waiting": waiting}, indent=2))
    else:
        for line in _lines(name, waiting, found["holds"]):
            print(line)
    if any(not each["rejected"] for each in waiting):
        raise typer.Exit(1)


def approve(
    name: NameArgument,
    tool: ToolOption = None,
    prompt: PromptOption = None,
    template: TemplateOption = None,
    instructions: InstructionsOption = False,
    launch: LaunchOption = False,
    everything: AllOption = False,
    also: AlsoOption = False,
    yes: YesOption = False,
    url: UrlOption = None,
    token_file: TokenOption = None,
    config: ConfigOption = None,
) -> None:
    """Approve changes: shows them and asks, without --yes. Counts for exactly what was shown. (preview)"""
    wanted = _wanted(tool, prompt, template, instructions, launch, everything)
    with desk(name, Where(config, url, token_file)) as review:
        chosen = _chosen(review.record()["waiting"], wanted)
        for line in _lines(name, chosen, []):
            print(line)
        if not yes:
            _ask(len(chosen))
        done = _decide(review, "approve", chosen, also=also)
    waits = [each for told in done for each in told["waiting"]]
    approved = sum(len(told["approved"]) for told in done)
    print(f"approved: {approved}")
    if waits:
        print(f"your vote is recorded; {len(waits)} wait for the approval of others, too")


def reject(
    name: NameArgument,
    tool: ToolOption = None,
    prompt: PromptOption = None,
    template: TemplateOption = None,
    instructions: InstructionsOption = False,
    launch: LaunchOption = False,
    everything: AllOption = False,
    url: UrlOption = None,
    token_file: TokenOption = None,
    config: ConfigOption = None,
) -> None:
    """Say no to changes: they stay away and are not asked for again. (preview)"""
    wanted = _wanted(tool, prompt, template, instructions, launch, everything)
    with desk(name, Where(config, url, token_file)) as review:
        done = _decide(review, "reject", _chosen(review.record()["waiting"], wanted))
    print(f"rejected: {sum(len(told['rejected']) for told in done)}")


def quarantine(
    name: NameArgument,
    why: WhyOption,
    tool: Annotated[str | None, typer.Option("--tool", help="One tool alone.")] = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    config: ConfigOption = None,
) -> None:
    """Take a server, or one tool of it, out of service until it is released. (preview)"""
    with desk(name, Where(config, url, token_file)) as review:
        review.decide("quarantine", {**_place(tool), "why": why})
    print(f"in quarantine: {_shown(name, tool)}; `bawn server release` lifts it")


def release(
    name: NameArgument,
    tool: Annotated[str | None, typer.Option("--tool", help="One tool alone.")] = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    config: ConfigOption = None,
) -> None:
    """Lift a quarantine. What has changed meanwhile still waits for approval. (preview)"""
    place = _place(tool)
    with desk(name, Where(config, url, token_file)) as review:
        holds = review.record()["holds"]
        if not any((e["aspect"], e["name"]) == tuple(place.values()) for e in holds):
            fail(
                f"{_shown(name, tool)} is in no quarantine.",
                f"`bawn server show {printable(name)}` tells what is.",
            )
        review.decide("release", place)
    print(f"released: {_shown(name, tool)}")


def _wanted(
    tool: list[str] | None,
    prompt: list[str] | None,
    template: list[str] | None,
    instructions: bool,
    launch: bool,
    everything: bool,
) -> set[tuple[str, str]] | None:
    """What is meant, by aspect and name; None for everything."""
    named = {("tool", each) for each in tool or ()}
    named |= {("prompt", each) for each in prompt or ()}
    named |= {("template", each) for each in template or ()}
    named |= {("instructions", "")} if instructions else set()
    named |= {("launch", "")} if launch else set()
    if bool(named) == everything:
        fail(
            "expected either --all, or what is meant: --tool, --prompt, --template, --instructions "
            "or --launch.",
            "`bawn server diff` shows what waits.",
            code=2,
        )
    return None if everything else named


def _chosen(
    waiting: list[dict[str, Any]], wanted: set[tuple[str, str]] | None
) -> list[dict[str, Any]]:
    """The changes that are meant; of everything, those that nobody has said no to."""
    if wanted is None:
        chosen = [each for each in waiting if not each["rejected"]]
        if not chosen:
            fail("nothing waits for approval.")
        return chosen
    chosen = [each for each in waiting if (each["aspect"], each["name"]) in wanted]
    missing = wanted - {(each["aspect"], each["name"]) for each in chosen}
    if missing:
        told = ", ".join(sorted(f"{aspect} {name}".strip() for aspect, name in missing))
        fail(f"nothing waits of: {printable(told)}.", "`bawn server diff` shows what does.")
    return chosen


def _decide(
    review: Desk, verb: str, chosen: list[dict[str, Any]], **more: bool
) -> list[dict[str, Any]]:
    items = [{key: each[key] for key in ("aspect", "name", "digest")} for each in chosen]
    starts = range(0, len(items), _AT_ONCE)
    return [review.decide(verb, {"items": items[at : at + _AT_ONCE], **more}) for at in starts]


def _ask(count: int) -> None:
    if not on_terminal():
        fail(
            "nobody is there to be asked whether this is to be approved.",
            "Look at it with `bawn server diff`, then repeat the command with --yes.",
            code=2,
        )
    what = "this change" if count == 1 else f"these {count} changes"
    if not typer.confirm(f"Approve {what}, exactly as shown?", default=False):
        fail("nothing was decided.")


def _lines(name: str, waiting: list[dict[str, Any]], holds: list[dict[str, Any]]) -> list[str]:
    from bawn.drift.report import lines

    found = []
    for each in holds:
        what = _shown(name, each["name"] or None)
        found.append(printable(f"{what}: in quarantine by {each['by']}: {each['why']}"))
    for each in waiting:
        state = f", rejected by {each['rejected']}" if each["rejected"] else ""
        votes = ", ".join(vote["who"] for vote in each["votes"])
        said = f", approved by {votes}; {each['needed']} more needed" if votes else ""
        found.append(printable(f"{each['aspect']} {each['name']}".strip() + state + said))
        found += [f"  {line}" for line in lines(each["drift"])]
    return found or [f"{printable(name)}: nothing waits for approval"]


def _write(path: Path, name: str, waiting: list[dict[str, Any]]) -> None:
    from bawn.config.atomic import replace
    from bawn.drift.report import all_findings
    from bawn.findings import sarif

    told = [
        (f"{name}/{each['name'] or each['aspect']}", each["drift"])
        for each in waiting
        if not each["rejected"]
    ]
    text = jsonlib.dumps(sarif.document(all_findings(told)), indent=2)
    try:
        replace(path, f"{text}\n".encode(), 0o644)
    except OSError as error:
        fail(f"--sarif {printable(str(path))}: cannot be written ({error.strerror}).", code=2)


def _is(change: dict[str, Any], aspect: str, names: list[str]) -> bool:
    return change["aspect"] == aspect and change["name"] in names


def _place(tool: str | None) -> dict[str, str]:
    return {"aspect": "server", "name": ""} if tool is None else {"aspect": "tool", "name": tool}


def _shown(name: str, tool: str | None) -> str:
    return printable(name if tool is None else f"{name}/{tool}")
