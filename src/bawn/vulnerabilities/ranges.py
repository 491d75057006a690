"""Whether a version lies in a range of an OSV record, in the order of its ecosystem.

Source: OSV schema, "affected[].ranges[].events fields" and "Evaluation"; SemVer 2.0.0 for npm, PEP 440
for PyPI. The ecosystem's order serves for ranges of both types, SEMVER and ECOSYSTEM.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

import semver
from packaging.version import InvalidVersion
from packaging.version import Version as Pep440

LONGEST: Final = 256
"""Characters of a version; npm's own bound."""

MOST: Final = 20_000
"""Versions or events of one list: more than the packages have that were published most often."""

Version: TypeAlias = Any  # of its ecosystem: comparable with its like

_KINDS: Final = ("introduced", "fixed", "last_affected", "limit")


class InvalidVersionError(ValueError):
    """A text is no version of its ecosystem."""


class InvalidRangeError(ValueError):
    """A range is not as the schema has it: what it says of a version cannot be known."""


class Ordering(NamedTuple):
    """How an ecosystem orders versions. `release` leaves out what only a rebuild differs in.

    `legacy` says that it has published versions which are none by its present rules.
    """

    parse: Callable[[str], Version]
    release: Callable[[Version], Version]
    legacy: bool


@lru_cache(maxsize=4096)
def _npm(text: str) -> semver.Version:
    _check(text)
    try:
        return semver.Version.parse(text, optional_minor_and_patch=True)
    except (ValueError, TypeError):
        raise InvalidVersionError(f"{text!r} is no semantic version") from None


@lru_cache(maxsize=4096)
def _pypi(text: str) -> Pep440:
    _check(text)
    try:
        return Pep440(text)
    except (InvalidVersion, ValueError):
        raise InvalidVersionError(f"{text!r} is no version by PEP 440") from None


def _check(text: str) -> None:
    if not text.isascii() or len(text) > LONGEST:
        raise InvalidVersionError(f"{text[:40]!r} is no version")


def _public(version: Pep440) -> Pep440:
    """2.0+cpu is a build of 2.0, and has what 2.0 has."""
    return Pep440(version.public) if version.local else version


def _same(version: semver.Version) -> semver.Version:
    return version


ORDERINGS: Final[Mapping[str, Ordering]] = {
    "npm": Ordering(_npm, _same, legacy=False),
    "pypi": Ordering(_pypi, _public, legacy=True),
}


class Event(NamedTuple):
    """One point of a range. `version` is None for the beginning (introduced 0) or the end (limit *)."""

    kind: str
    version: Version | None


def events(raw: object, ordering: Ordering) -> list[Event]:
    """The events of one range, in the order in which they take effect.

    Raises:
        InvalidRangeError: they are not as the schema has them.
        InvalidVersionError: one names no version of this ecosystem.
    """
    if not isinstance(raw, list) or not 0 < len(raw) <= MOST:
        raise InvalidRangeError(f"a range has no events, or more than {MOST}")
    found = [_event(each, ordering) for each in raw]
    if not any(each.kind == "introduced" for each in found):
        raise InvalidRangeError("a range is introduced nowhere")
    first = [each for each in found if each.version is None]
    rest = [each for each in found if each.version is not None]
    # last_affected ends behind its version: what is introduced just there is introduced before it ends
    rest.sort(key=lambda each: each.kind == "last_affected")
    rest.sort(key=_place)
    return first + rest


def _place(event: Event) -> Version:
    return event.version


def _event(raw: object, ordering: Ordering) -> Event:
    if not isinstance(raw, dict):
        raise InvalidRangeError("an event is no object")
    named = [kind for kind in _KINDS if kind in raw]
    if len(named) != 1 or not isinstance(raw[named[0]], str):
        raise InvalidRangeError(
            "an event is not exactly one of introduced, fixed, last_affected, limit"
        )
    kind, text = named[0], raw[named[0]]
    endless = (kind == "introduced" and text == "0") or (kind == "limit" and "*" in text)
    return Event(kind, None if endless else ordering.parse(text))


def within(version: Version, timeline: Sequence[Event], ordering: Ordering) -> bool:
    """Whether the version is in the range of these events, as `events` gives them."""
    limits = [each.version for each in timeline if each.kind == "limit"]
    if limits and not any(limit is None or version < limit for limit in limits):
        return False
    release = ordering.release(version)
    inside = False
    for kind, at in timeline:
        if kind == "introduced":
            inside = inside or at is None or version >= at
        elif kind == "fixed":
            inside = inside and version < at
        elif kind == "last_affected":
            inside = inside and release <= at
    return inside


def listed(version: str, versions: object, ordering: Ordering) -> bool:
    """Whether a `versions` list names this version, in whatever form it is written.

    Raises:
        InvalidRangeError: it is no list of texts.
        InvalidVersionError: it has a version that cannot be compared.
    """
    if not isinstance(versions, list) or not all(isinstance(each, str) for each in versions):
        raise InvalidRangeError("`versions` is no list of texts")
    if len(versions) > MOST:
        raise InvalidRangeError(f"`versions` has more than {MOST} entries")
    if version in versions:
        return True
    own = ordering.parse(version)
    alike = (own, ordering.release(own))
    doubt: InvalidVersionError | None = None
    for each in versions:
        try:
            if ordering.parse(each) in alike:
                return True
        except InvalidVersionError as error:
            # one that was published before the rules of today is another version than any by them
            doubt = None if ordering.legacy else error
    if doubt is not None:
        raise doubt
    return False
