"""`bawn policy replay`: a candidate directory over recorded calls."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.audited import SinceOption, UntilOption, recorded
from bawn.cli.options import ConfigOption, JsonOption
from bawn.cli.policy_set import policy_set, served, state_of
from bawn.cli.quoting import printable
from bawn.cli.reading import loaded

if TYPE_CHECKING:
    from bawn.review.past.replay import Replay

CandidateArgument = Annotated[
    Path, typer.Argument(metavar="CANDIDATE_DIR", help="The policy directory to try.")
]
FailOption = Annotated[
    bool, typer.Option("--fail-on-denied", help="Exit with 1 when something is newly denied.")
]


def replay(
    candidate: CandidateArgument,
    since: SinceOption = None,
    until: UntilOption = None,
    fail_on_denied: FailOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what a policy would newly deny, allow or ask for, of the calls in the audit.

    The audit holds neither arguments nor flows: where they could matter, a call is undecided. (preview)
    """
    from bawn.review.past.replay import replay as judge

    found = loaded(config)
    chosen = policy_set(found.path, candidate)
    state = state_of(found)
    result = judge(
        recorded(state, served(state), since, until),
        chosen.rules,
        chosen.config.roles,
        within=chosen.config.approvals.within,
        tenant_of=chosen.tenant_of,
    )
    print(json.dumps(_object(result), indent=2) if as_json else _text(result))
    if fail_on_denied and result.count("newly denied"):
        raise typer.Exit(1)


def _object(result: Replay) -> dict[str, object]:
    return asdict(result)


def _text(result: Replay) -> str:
    from bawn.review.past.replay import ORDER

    lines: list[str] = []
    for change in ORDER:
        rows = [row for row in result.rows if row.change == change]
        lines += [f"{change}: {result.count(change)}"] if rows else []
        for row in rows:
            fields = (f"{row.count:6}", f"{row.item:36}", f"{row.who:20}", row.rule, row.trace)
            lines.append("  ".join(map(printable, fields)))
    rest = f"{result.calls} calls, {result.unchanged} unchanged"
    if result.others:
        rest += f", {result.others} refused by something else than policy"
    return "\n".join([*lines, rest])
