"""Records in the OSV schema, judged: is this component affected, and from which version on is it not?

Source: OSV schema 1.7, https://ossf.github.io/osv-schema/. What is wrong with a record never counts as
"not affected": the judgement is a doubt then, with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from bawn.model import Json
from bawn.vulnerabilities.component import OSV_ECOSYSTEMS, Component, normalised
from bawn.vulnerabilities.ranges import (
    ORDERINGS,
    Event,
    InvalidRangeError,
    InvalidVersionError,
    Ordering,
    Version,
    events,
    listed,
    within,
)
from bawn.vulnerabilities.severity import Severity, rated

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,127}")
_FEW: Final = 64  # aliases that are told of one record
_LINE: Final = 200  # characters of a summary
_TRIED: Final = 32  # fixed versions that are judged, from the smallest on


class Judgement(NamedTuple):
    """What a record says of a component. With a `doubt` and not affected, it is not known."""

    affected: bool
    doubt: str = ""


def package_key(ecosystem: object, name: object) -> tuple[str, str] | None:
    """Under what a package is looked up; None for what is none of npm or PyPI.

    A suffix of the ecosystem, such as `PyPI:https://…`, names another registry of the same packages.
    """
    if not isinstance(ecosystem, str) or not isinstance(name, str):
        return None
    kind = ecosystem.partition(":")[0]
    if kind == "PyPI":
        return kind, normalised(name)
    return (kind, name) if kind == "npm" else None


def key_of(component: Component) -> tuple[str, str] | None:
    """Under what a component is looked up; None when no database has its ecosystem."""
    return package_key(OSV_ECOSYSTEMS.get(component.ecosystem), component.name)


def identifier(record: Json) -> str | None:
    """The id of a record; None when it has none of a usual form."""
    return well_named(record.get("id"))


def well_named(text: object) -> str | None:
    """An id that may be shown and asked for, else None."""
    return text if isinstance(text, str) and _ID.fullmatch(text) else None


def aliases(record: Json) -> tuple[str, ...]:
    """Under which ids other databases have it."""
    raw = record.get("aliases")
    found = (well_named(each) for each in raw[:_FEW]) if isinstance(raw, list) else ()
    return tuple(sorted({each for each in found if each is not None}))


def summary(record: Json) -> str:
    """What it is about, in one line."""
    text = record.get("summary")
    return " ".join(text[: 4 * _LINE].split())[:_LINE] if isinstance(text, str) else ""


def severity(record: Json, component: Component) -> tuple[Severity, float | None]:
    """How grave it is for this component."""
    try:
        named = [record, *_about(record, component)]
    except InvalidRangeError:
        named = [record]
    vectors = [each for entry in named for each in _list(entry.get("severity"))]
    words = [
        _object(entry.get(field)).get("severity")
        for entry in named
        for field in ("database_specific", "ecosystem_specific")
    ]
    return rated(vectors, words, identifier(record) or "")


def judge(record: Json, component: Component, version: str | None = None) -> Judgement:
    """Whether a record is about this component at its version, or at another one."""
    at = component.version if version is None else version
    ordering = ORDERINGS.get(component.ecosystem)
    if ordering is None:
        return Judgement(False, f"versions of {component.ecosystem} cannot be compared")
    try:
        if _withdrawn(record):
            return Judgement(False)
        judgements = [_judge_entry(entry, at, ordering) for entry in _about(record, component)]
    except InvalidRangeError as error:
        return Judgement(False, str(error))
    affected = any(each.affected for each in judgements)
    return Judgement(affected, next((each.doubt for each in judgements if each.doubt), ""))


def fixed(records: Sequence[Json], component: Component) -> str:
    """The smallest version above the component's that none of these records is about; empty for none."""
    ordering = ORDERINGS.get(component.ecosystem)
    if ordering is None:
        return ""
    try:
        own = ordering.parse(component.version)
    except InvalidVersionError:
        return ""
    found = {
        text: version
        for record in records
        for text, version in _fixes(record, component, ordering)
        if version > own
    }
    for text in sorted(found, key=lambda text: (found[text], text))[:_TRIED]:
        if not any(any(judge(record, component, text)) for record in records):
            return text
    return ""


def _withdrawn(record: Json) -> bool:
    when = record.get("withdrawn")
    if when is None:
        return False
    try:
        datetime.fromisoformat(when)
    except (TypeError, ValueError):
        raise InvalidRangeError("`withdrawn` is no time") from None
    return True


def _about(record: Json, component: Component) -> list[Json]:
    """The entries of a record for this package.

    Raises:
        InvalidRangeError: the record is not of the schema's shape.
    """
    wanted = key_of(component)
    entries = record.get("affected")
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise InvalidRangeError("`affected` is no list")
    found = []
    for entry in entries:
        package = entry.get("package", {}) if isinstance(entry, dict) else None
        if not isinstance(package, dict):
            raise InvalidRangeError("an entry of `affected` is not of the schema's shape")
        if package_key(package.get("ecosystem"), package.get("name")) == wanted:
            found.append(entry)
    return found


def _judge_entry(entry: Json, at: str, ordering: Ordering) -> Judgement:
    doubt = ""
    told = False
    try:
        version = ordering.parse(at)
    except InvalidVersionError as error:
        return Judgement(at in _list(entry.get("versions")), f"its own version {error}")
    try:
        told = bool(entry.get("versions"))
        if told and listed(at, entry["versions"], ordering):
            return Judgement(True)
    except (InvalidRangeError, InvalidVersionError) as error:
        doubt = str(error)
    for each in _ranges(entry):
        try:
            timeline = _timeline(each, ordering)
            told = told or timeline is not None
            if timeline is not None and within(version, timeline, ordering):
                return Judgement(True)
        except (InvalidRangeError, InvalidVersionError) as error:
            doubt = str(error)
    return Judgement(
        False, doubt or ("" if told else "it says of no version whether it is affected")
    )


def _ranges(entry: Json) -> Iterator[object]:
    ranges = entry.get("ranges")
    if ranges is not None and not isinstance(ranges, list):
        yield None  # which is no range, and says so
    yield from _list(ranges)


def _timeline(raw: object, ordering: Ordering) -> list[Event] | None:
    """The events of a range; None for commits of git, which say nothing of versions."""
    if not isinstance(raw, dict) or raw.get("type") not in ("SEMVER", "ECOSYSTEM", "GIT"):
        raise InvalidRangeError("a range is of no known type")
    return None if raw["type"] == "GIT" else events(raw.get("events"), ordering)


def _fixes(record: Json, component: Component, ordering: Ordering) -> Iterator[tuple[str, Version]]:
    for text in dict.fromkeys(_fixed_texts(record, component)):
        try:
            yield text, ordering.parse(text)
        except InvalidVersionError:
            continue


def _fixed_texts(record: Json, component: Component) -> Iterable[str]:
    try:
        entries = _about(record, component)
    except InvalidRangeError:
        return
    for entry in entries:
        for each in _list(entry.get("ranges")):
            if isinstance(each, dict) and each.get("type") != "GIT":
                for event in _list(each.get("events")):
                    text = _object(event).get("fixed")
                    if isinstance(text, str):
                        yield text


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}
