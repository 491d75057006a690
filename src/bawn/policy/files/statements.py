"""Cedar text as single statements, each with its line and what its annotations say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import cedarpy

from bawn.errors import Misconfigured
from bawn.model import Json
from bawn.policy.cedar.conditions import written
from bawn.policy.rules import Consent, Rule

MAX_BYTES: Final = 64 << 10
_NESTING: Final = 16
_BRANCHES: Final = 16
_STEPS: Final = 2_000
_COUNT: Final = 32
_DAY: Final = 86_400

# Source: docs.cedarpolicy.com, "Grammar": STR, COMMENT (which a carriage return ends as well).
_TOKEN: Final = re.compile(
    r'(?P<text>"(?:\\.|[^"\\])*"?)|(?P<blank>\s+|//[^\n\r]*)|(?P<word>\w+)|(?P<other>.)', re.DOTALL
)
_DEEPER: Final = frozenset("([{")
_CHAINED: Final = frozenset("&|+-*.!<>=")
_BRANCHING: Final = frozenset({"if", "when", "unless", "has", "like", "in", "is"})

_ID: Final = re.compile(r"[A-Za-z0-9_./:@+-]{1,128}")
_WITHIN: Final = re.compile(r"([1-9][0-9]{0,5})([smh])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_KNOWN: Final = ("id", "ask", "approvals", "within", "shadow", "description")


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement as it is written, with the line (from 1) and the offset where it begins."""

    text: str
    line: int
    start: int = 0


def split(text: str) -> Iterator[Piece]:
    """The statements of a text, without what stands between them; the last may lack its end."""
    line, begun, start = 1, -1, 1
    for token in _TOKEN.finditer(text):
        if token.lastgroup != "blank" and begun < 0:
            begun, start = token.start(), line
        line += token[0].count("\n")
        if token[0] == ";":
            yield Piece(text[begun : token.end()], start, begun)
            begun = -1
    if begun >= 0:
        yield Piece(text[begun:].rstrip(), start, begun)


def rule(piece: Piece, file: str, tenant: str, within: float) -> Rule:
    """What a statement says. `within` is how long consent may be given where it does not say, in seconds.

    Raises:
        Misconfigured: it is no static Cedar policy, or its annotations are not understood.
    """
    place = f"{file}:{piece.line}"
    ast = parsed(piece, file)
    said: dict[str, str | None] = ast["annotations"]
    problems = list(_unknown(said))
    id_ = said.get("id", place)
    if id_ is None or ("id" in said and not _ID.fullmatch(id_)):
        problems.append("@id: expected 1 to 128 of letters, digits and _ . / : @ + -")
    if said.get("shadow"):
        problems.append("@shadow: expected nothing in brackets")
    consent = None
    if "ask" in said:
        consent = _consent(said, ast["effect"], within, problems)
    else:
        problems += [
            f"@{name} goes with @ask; add @ask with the roles that may consent, or remove it"
            for name in ("approvals", "within")
            if name in said
        ]
    if problems:
        raise Misconfigured(*(f"{place}: {problem}" for problem in problems))
    return Rule(
        str(id_),
        ast["effect"],
        file,
        piece.line,
        piece.text,
        ast,
        consent,
        "shadow" in said,
        tenant,
    )


def comments(text: str) -> list[str]:
    """The comments of a text, in order."""
    found = (token[0].rstrip() for token in _TOKEN.finditer(text) if token.lastgroup == "blank")
    return [each for each in found if each.startswith("//")]


def parsed(piece: Piece, file: str) -> Json:
    """Cedar's JSON form of the statement, with long chains of `&&` and `||` as shallow trees.

    Only what Cedar's parsers, which recurse, are known to bear gets to them.

    Raises:
        Misconfigured: it is no static Cedar policy.
    """
    place = f"{file}:{piece.line}"
    _refuse_extent(piece, place)
    try:
        found: dict[str, Any] = json.loads(cedarpy.policies_to_json_str(piece.text))
    except ValueError as problem:
        raise Misconfigured(f"{place}: Cedar cannot read this statement: {problem}") from None
    except RecursionError:
        raise _too_deep(place) from None
    if found["templates"]:
        raise Misconfigured(
            f"{place}: a template (?principal, ?resource); templates are not linked here, so write "
            "out whom the rule is for, or name a role or group"
        )
    (ast,) = found["staticPolicies"].values()
    try:
        shallow = written(ast)
        whole = {"staticPolicies": {"0": shallow}, "templates": {}, "templateLinks": []}
        cedarpy.PolicySet.from_json_str(json.dumps(whole))
    except (ValueError, RecursionError):
        raise _too_deep(place) from None
    return {**shallow, "annotations": ast.get("annotations", {})}


def _too_deep(place: str) -> Misconfigured:
    return Misconfigured(
        f"{place}: nested too deeply; divide the statement, or write several `when`"
    )


def _refuse_extent(piece: Piece, place: str) -> None:
    if len(piece.text.encode()) > MAX_BYTES:
        raise Misconfigured(f"{place}: a statement of more than {MAX_BYTES} bytes; divide it")
    depth = deepest = steps = branches = 0
    for token in _TOKEN.finditer(piece.text):
        if token.lastgroup == "other":
            depth += (token[0] in _DEEPER) - (token[0] in ")]}")
            deepest = max(deepest, depth)
            steps += token[0] in _CHAINED
        elif token.lastgroup == "word" and token[0] in _BRANCHING:
            steps += 1
            branches += token[0] == "if"
    if deepest > _NESTING or branches > _BRANCHES:
        raise _too_deep(place)
    if steps > _STEPS:
        raise Misconfigured(
            f"{place}: more than {_STEPS} characters of operators; divide the statement"
        )


def _unknown(said: Json) -> Iterator[str]:
    for name in said:
        if name not in _KNOWN:
            known = ", ".join(f"@{each}" for each in _KNOWN)
            yield f"@{name} is not known; expected one of {known}"


def _consent(
    said: dict[str, str | None], effect: str, within: float, problems: list[str]
) -> Consent | None:
    if effect != "forbid":
        problems.append(
            "@ask stands on a forbid, which gives way to consent; permit the call, and forbid it with @ask"
        )
    names = [name.strip() for name in (said["ask"] or "").split(",")]
    if not all(name and name.isprintable() and len(name) <= 128 for name in names):
        problems.append('@ask: expected roles, such as @ask("approver"), or @ask("self")')
    elif len(set(names)) < len(names):
        problems.append("@ask: names a role twice; expected each once")
    roles = frozenset(names) - {"self"}
    count = _count(said, bool(roles), problems)
    if "within" in said:
        within = _within(said["within"], problems)
    return Consent(roles, "self" in names, count, within)


def _count(said: dict[str, str | None], others: bool, problems: list[str]) -> int:
    text = said.get("approvals", "1") or ""
    if not (text.isascii() and text.isdigit() and len(text) < 3 and 1 <= int(text) <= _COUNT):
        problems.append(
            f'@approvals: expected a number from 1 to {_COUNT}, such as @approvals("2")'
        )
        return 1
    if int(text) > 1 and not others:
        problems.append(
            "@approvals: only the caller is asked, who counts once; name a role in @ask"
        )
    return int(text)


def _within(text: str | None, problems: list[str]) -> float:
    found = _WITHIN.fullmatch(text or "")
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 1 <= seconds <= _DAY:
        problems.append('@within: expected a time from 1s to 24h, such as @within("15m")')
    return float(seconds)
