"""Names that are meant to be taken for others: letters of other alphabets, slips of the hand, borrowed scopes.

Letters are compared as in Unicode Technical Standard 39, "Unicode Security Mechanisms", with a table of
the common look-alikes of plain letters only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from bawn.launching.known import BRIDGES, MALICIOUS, NAMES, SCOPES, VULNERABLE
from bawn.launching.package import Package
from bawn.launching.problem import Problem, problem

_LETTERS: Final = str.maketrans(
    "авгеѕіјкмнорстухԁԛԝһёїɡɩıʟοανερτυικχωβηѵ",
    "abresijkmhopctyxdqwheigiiloaveptuikxwbnv",
)
_DRAWN_ALIKE: Final = ((re.compile("rn"), "m"), (re.compile("vv"), "w"), (re.compile("cl"), "d"))
_DIGITS: Final = str.maketrans("0135", "oles")
_SEPARATORS: Final = re.compile(r"[-_.]+")


def imitated(package: Package) -> Iterator[Problem]:
    """What is known of a package by its name and version, and whether its letters are what they seem."""
    key = (package.ecosystem, package.name.lower())
    if key in MALICIOUS:
        yield problem("malicious", 0, f"{package.name} ({MALICIOUS[key]})")
    if key in VULNERABLE and package.exact:
        fixed, cve = VULNERABLE[key]
        numbers = tuple(int(each) for each in re.findall(r"\d+", package.version)[:3])
        if numbers < fixed:
            version = ".".join(map(str, fixed))
            yield problem(
                "vulnerable", 0, f"{package.name} ({cve})", fix=f"move to {version} or later"
            )
    if key in BRIDGES:
        yield problem("bridge", 0, package.name)
    if package.ecosystem != "binary" and not package.name.isascii():
        yield problem("confusable", 0, package.name)


def misspelt(package: Package) -> Iterator[Problem]:
    """Whether the name is a slip away from a well-known one of its ecosystem, and not that one itself."""
    known = NAMES[package.ecosystem]
    name = skeleton(package.name)
    scope, slash, _ = package.name.partition("/")
    if package.name in known or (slash and scope in SCOPES):
        return
    if package.ecosystem == "npm" and (of := _scope(package.name)):
        yield problem("impostor", 0, f"{package.name} (for {of})")
        return
    for other in sorted(known):
        if _is_slip(name, other):
            yield problem("lookalike", 0, f"{package.name} (for {other})")
            return


def skeleton(text: str) -> str:
    """Text with look-alike letters made plain, for comparing alone."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    parts = unicodedata.normalize("NFKD", folded)
    return "".join(each for each in parts if not unicodedata.combining(each))


def _scope(name: str) -> str:
    """The well-known scope that a name imitates: by a slip in it, or by having it without its sign."""
    scope, slash, rest = name.partition("/")
    if slash and scope.startswith("@"):
        near = (
            each for each in sorted(SCOPES) if len(each) > 8 and _is_slip(skeleton(scope), each)
        )
        return next(near, "")
    plain = "@modelcontextprotocol"
    begins = skeleton(name).removeprefix("@").startswith("modelcontextprotocol")
    return plain if begins and not slash and not rest else ""


def _is_slip(name: str, other: str) -> bool:
    """Whether two names are one slip apart (two in long ones), or the same but for separators and digits."""
    if name == other:
        return True
    if abs(len(name) - len(other)) > 4:
        return False
    if _drawn(name) == _drawn(other):
        return True
    # A difference that is a word of its own (`-pg`, `2`) is a name, and short names differ by one letter.
    most = 2 if min(len(name), len(other)) >= 20 else 1 if min(len(name), len(other)) >= 8 else 0
    return most > 0 and _alike_parts(name, other) and distance(name, other, most) <= most


def _drawn(name: str) -> str:
    name = _SEPARATORS.sub("", name).translate(_DIGITS)
    for pattern, drawn in _DRAWN_ALIKE:
        name = pattern.sub(drawn, name)
    return re.sub(r"(.)\1+", r"\1", name)


def _alike_parts(name: str, other: str) -> bool:
    """Whether no part of the names differs as a whole: `server-git` is not a slip for `server-fit`."""
    ours, theirs = (re.split(r"[-_./]", each) for each in (name, other))
    if len(ours) != len(theirs):
        return True
    apart = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    return all(min(len(a), len(b)) >= 5 or sorted(a) == sorted(b) for a, b in apart)


def distance(first: str, second: str, most: int) -> int:
    """Insertions, deletions, changes and swaps of neighbours between two texts; counted up to `most` + 1."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for at, letter in enumerate(first, 1):
        earlier, before, row = before, row, [at]
        for to, other in enumerate(second, 1):
            cost = min(before[to] + 1, row[-1] + 1, before[to - 1] + (letter != other))
            swapped = at > 1 and to > 1 and letter == second[to - 2] and first[at - 2] == other
            row.append(min(cost, earlier[to - 2] + 1) if swapped else cost)
        if min(row) > most:
            return most + 1
    return row[-1]
