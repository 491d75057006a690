"""Can a name that holds wildcards, or is a short name of Windows, be this name?"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_ANY: Final = "*"
_ONE: Final = "?"
_MOST: Final = 128
_EXPANDED: Final = 64
WILD: Final = frozenset("*?[")


def expand(text: str, most: int = _EXPANDED) -> list[str]:
    """What a shell makes of `{a,b}`: so much of it at most."""
    done: list[str] = []
    waiting = [text]
    while waiting and len(done) + len(waiting) <= most:
        one = waiting.pop()
        span = _innermost(one)
        if span is None:
            done.append(one)
            continue
        start, end = span
        choices = one[start + 1 : end].split(",")
        waiting += [one[:start] + choice + one[end + 1 :] for choice in reversed(choices)]
    return done + waiting


def _innermost(text: str) -> tuple[int, int] | None:
    """The first pair of braces that holds no other, and a comma."""
    start = -1
    for index, character in enumerate(text):
        if character == "{":
            start = index
        elif character == "}" and start >= 0:
            if "," in text[start:index]:
                return start, index
            start = -1
    return None


def literal(component: str) -> int:
    """How many letters and digits of a name with wildcards are given; its ending does not count."""
    stem, dot, _ = component.rpartition(".")
    told = stem if dot and stem else component
    inside = 0
    count = 0
    for character in told:
        inside += (character == "[") - (character == "]")
        count += character.isalnum() and not inside
    # What stands in brackets is given as well: `[c]ursor`.
    return count + (1 if "[" in told else 0)


@lru_cache(maxsize=4096)
def could_be(given: str, guarded: str) -> bool:
    """Whether some name fits both, of which each may hold wildcards.

    A leading dot wants a dot, as in a shell.
    """
    if given == guarded:
        return True
    if guarded.startswith(".") and given[:1] in WILD and not given.startswith("[.]"):
        return False
    if len(given) > _MOST or not (WILD & {*given, *guarded}):
        return False
    if guarded.count(_ANY) == 1 and not WILD & {*given} and not {"?", "["} & {*guarded}:
        head, _, tail = guarded.partition(_ANY)  # as nearly all are: no table is needed
        long = len(given) >= len(head) + len(tail)
        return long and given.startswith(head) and given.endswith(tail)
    if WILD & {*given}:
        # Of two names with wildcards, the guarded one has at least what it says.
        guarded = guarded.replace(_ANY, "")
    return _meet(_tokens(given), _tokens(guarded))


def _tokens(glob: str) -> tuple[str, ...]:
    """`*`, `?`, one character, or the characters of a class (`?` for one that is negated or a range)."""
    tokens: list[str] = []
    index = 0
    while index < len(glob):
        end = glob.find("]", index + 2) if glob[index] == "[" else -1
        if end < 0:
            tokens.append(glob[index])
            index += 1
            continue
        inside = glob[index + 1 : end]
        loose = inside[0] in "!^" or "-" in inside or ":" in inside
        tokens.append(_ONE if loose else f"[{inside}")
        index = end + 1
    return tuple(tokens)


def _meet(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Two patterns have a name in common: the usual table, a row at a time."""
    row = [True] + [False] * len(right)
    for index, token in enumerate(right):
        row[index + 1] = row[index] and token == _ANY
    for mine in left:
        after = [row[0] and mine == _ANY]
        for index, theirs in enumerate(right):
            if _ANY in {mine, theirs}:
                after.append(row[index + 1] or after[index] or row[index])
            else:
                after.append(row[index] and _same(mine, theirs))
        row = after
    return row[-1]


def _same(left: str, right: str) -> bool:
    if _ONE in {left, right}:
        return True
    return bool({*left.lstrip("[")} & {*right.lstrip("[")})


def is_short(component: str) -> bool:
    """Whether it is written like a short name (8.3) of Windows: `CLAUDE~1.MD`."""
    base, tilde, rest = component.partition("~")
    return bool(tilde) and 2 <= len(base) <= 6 and rest.partition(".")[0].isdigit()


def shortens(component: str, guarded: str) -> bool:
    """Whether NTFS may have given a guarded name this short name: by its letters, or by their hash."""
    base, _, rest = component.partition("~")
    ending = rest.partition(".")[2]
    stem, _, extension = guarded.lstrip(".").rpartition(".")
    if not stem:
        stem, extension = extension, ""
    stem = "".join(character for character in stem if character not in ". *")
    if ending != extension[:3].replace("*", ""):
        return False
    hashed = len(base) == 6 and all(digit in "0123456789abcdef" for digit in base[2:])
    return base == stem[:6] or (hashed and base[:2] == stem[:2])
