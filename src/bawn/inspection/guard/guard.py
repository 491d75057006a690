"""The guard: what of a call's arguments would write an agent's configuration.

It looks at one call. What takes two (a script is written in one and run in the next, a link is made before bawn
ran) is seen where a guarded name stands, or where `resolve` shows the link; otherwise the sandbox of the
server and the roots of its paths contain it.
"""

from __future__ import annotations

import os.path
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import msgspec

from bawn.detectors.engine import Gate
from bawn.inspection.guard import archives, code, contents, roles
from bawn.inspection.guard.commands import Written, by, writes
from bawn.inspection.guard.cues import TRIGGERS, quoted
from bawn.inspection.guard.leaves import Cut, Joined, Leaf, Words, walk
from bawn.inspection.guard.matching import Matcher, Path
from bawn.inspection.guard.paths import LONGEST, is_remote, readings
from bawn.inspection.guard.places import PLACES, Place, names_program
from bawn.inspection.guard.roles import Effect, Role
from bawn.inspection.guard.shell import LONGEST as COMMAND
from bawn.inspection.guard.shell import Command
from bawn.model import Detection, Item, Severity

_NESTED: Final = 4
_STRINGS: Final = 200
_EVIDENCE: Final = 96
_SIBLINGS: Final = 64  # texts beside a patch that may tell what becomes of it
_JSON: Final = 262_144
_SENDING: Final = frozenset({"PUT", "POST", "PATCH", "DELETE"})
_APPLIED: Final = (".patch", ".diff", ".rej")

_GIT: Final = Place("agent/git", "git config", "Names a program that git runs.")
_MORE: Final = Place("inspection/partial", "", "More than is looked at.")
_AGENT: Final = Place(
    "agent/servers", "an agent's own program", "Adds servers, plugins, skills or hooks."
)


class Guard:
    """Says where arguments would write what agents obey. Made once for a process.

    `home` is the user's; `directories` are where relative paths may start; `own` are bawn's own files and
    directories. `resolve` follows links (`os.path.realpath`); without it, links are not seen.
    """

    def __init__(
        self,
        home: str,
        directories: Sequence[str] = (),
        own: Sequence[str] = (),
        resolve: Callable[[str], str] | None = None,
    ) -> None:
        self._home = next(readings(home), ())
        self._at_home = home.rstrip("/")
        self._directories = tuple(directories)
        self._resolve = resolve
        self._matcher = Matcher((*(place for path in own for place in self._own(path)), *PLACES))
        names = {path.replace("\\", "/").rstrip("/").rpartition("/")[2] for path in own}
        self.triggers: tuple[str, ...] = (
            *TRIGGERS,
            *(quoted(name) for name in sorted(names) if name),
        )
        self._gate = Gate(self.triggers)

    def may_concern(self, data: bytes) -> bool:
        """Whether a message is to be checked: half a microsecond for 200 bytes.

        All that `check` finds opens it, but for what links lead to (ask `place_of` for resolved paths).
        """
        return self._gate.opens(data)

    def place_of(self, path: str, at: str = "") -> Place | None:
        """The guarded place that a path names, under any of its readings; from a directory, if one is given."""
        starts = (at,) if at else ("", *self._directories)
        absolute = path.lstrip().startswith(("/", "~", "\\"))
        for start in starts:
            for reading in readings(f"{start}/{path}" if start and not absolute else path):
                if place := self._matcher.find(self._rooted(reading)):
                    return place
        return None

    def resolved(self, path: str) -> Place | None:
        """The guarded place to which links lead from a path."""
        path = path.strip().removeprefix("file://")
        if self._resolve is None or len(path) > LONGEST or "\0" in path:
            return None
        if path.startswith("~/"):
            path = f"{self._at_home}{path[1:]}"
        for whole in (path,) if path[:1] == "/" else (f"{at}/{path}" for at in self._directories):
            real = self._resolve(whole)
            # where no link is on the way, what the path itself says is all there is to see
            if real != os.path.normpath(whole) and (place := self.place_of(real)):
                return place
        return None

    def linked(
        self, item: Item, arguments: Mapping[str, Any], kinds: Mapping[str, str] | None = None
    ) -> list[tuple[str, Detection]]:
        """Which paths in the arguments of a call lead to a guarded place by links alone.

        For calls that `may_concern` lets pass: what is in a link does not show in what names it.
        """
        if self._resolve is None or roles.effect(item) is not Effect.WRITES:
            return []
        found = []
        for one in walk(arguments):
            if not isinstance(one, Leaf) or one.names or not one.text:
                continue
            kind = (kinds or {}).get(one.dotted.removeprefix("arguments."))
            if Role.PATH in roles.roles(one.key, kind) and (place := self.resolved(one.text)):
                found.append((one.pointer, _detection(one.text, one.text, place)))
        return found

    def check(
        self, item: Item, arguments: Mapping[str, Any], kinds: Mapping[str, str] | None = None
    ) -> list[tuple[str, Detection]]:
        """What of a call's arguments writes to a guarded place, each with its pointer (RFC 6901).

        Whole params (`{"arguments": …}`) are as good as the arguments alone. `kinds` says what arguments are (`config.inspection.ArgumentKind`), by their dotted names.
        """
        found: dict[tuple[str, str], tuple[str, Detection]] = {}
        look = _Look(self, item, kinds or {}, arguments)
        for pointer, text, told, place in look.at(arguments, ""):
            found.setdefault((pointer, place.rule), (pointer, _detection(text, told, place)))
        return list(found.values())

    def holds(self, directory: str) -> Place | None:
        """A guarded place in a directory into which something unknown is put."""
        for reading in readings(directory):
            if place := self._matcher.find(reading) or self._matcher.holds(reading):
                return place
        return None

    def written(self, text: str, depth: int = 0) -> Iterator[tuple[str, Place]]:
        """What a command line writes that is guarded."""
        for one in writes(text):
            yield from self.outcome(one, depth)

    def outcome(self, one: Written, depth: int = 0) -> Iterator[tuple[str, Place]]:
        """What becomes of one thing that a command does."""
        place: Place | None = None
        match one.use:
            case "path":
                place = None if is_remote(one.text) else self._placed(one)
            case "directory":
                place = self.holds(one.text) or self._placed(one)
            case "git":
                place = _GIT if names_program(one.text) else None
            case "agent":
                place = _AGENT
            case "more":
                place = _MORE
            case "patch":
                yield from self.named(contents.paths_in(one.text))
            case "code" if depth < _NESTED:
                yield from self.programmed(one.text, depth + 1)
            case "shell" | "either" if depth < _NESTED:
                place = self._placed(one) if one.use == "either" else None
                yield from self.written(one.text, depth + 1)
        if place is not None:
            yield one.text, place

    def programmed(self, text: str, depth: int = 0) -> Iterator[tuple[str, Place]]:
        """What a program writes that is guarded, as far as its strings say so."""
        if not code.may_write(text):
            return
        if code.is_cut(text):
            yield "", _MORE
        yield from self.named(code.paths_in(text))
        parts = [part for part in code.strings(text)[:_STRINGS] if 0 < len(part) < LONGEST]
        holding = [part for part in parts if "\n" not in part and self.holds(part)]
        yield from self.named(f"{base}/{part}" for base in holding[:8] for part in parts)
        for part in (part for part in parts if " " in part):
            yield from self.written(part, depth + 1)
        for line in text.splitlines():
            stripped = line.strip()
            if stripped.startswith(("!", "%")):
                yield from self.written(stripped.lstrip("!% "), depth + 1)

    def named(self, paths: Iterator[str]) -> Iterator[tuple[str, Place]]:
        """Which of these paths are guarded."""
        for path in paths:
            if "\n" not in path and not is_remote(path) and (place := self.place_of(path)):
                yield path, place

    def _placed(self, one: Written) -> Place | None:
        if len(one.text) > LONGEST:
            return None
        return self.place_of(one.text, one.at) if one.at else self.place_of(one.text)

    def _rooted(self, path: Path) -> Path:
        """With the home directory as `~`, wherever it is."""
        count = len(self._home)
        if count and path[:count] == self._home:
            return ("~", *path[count:])
        return path

    def _own(self, path: str) -> Iterator[Place]:
        """A place of bawn's own; on whichever path it is reached."""
        for reading in readings(path):
            pattern = "/".join((*self._rooted(reading), "**"))
            yield Place("agent/gate", pattern, "bawn's own configuration, policies and state.")


class _Look:
    """One look at the arguments of one call."""

    def __init__(
        self, guard: Guard, item: Item, kinds: Mapping[str, str], arguments: Mapping[str, Any]
    ) -> None:
        self._guard = guard
        self._kinds = kinds
        self._effect = roles.effect(item)
        self._shell = roles.runs_commands(item)
        self._files = roles.handles_files(item)
        self._words = roles.words(item.name)
        inner = arguments.get("arguments")
        asked = inner if isinstance(inner, dict) else arguments
        self._sends = str(asked.get("method", "")).upper() in _SENDING

    def at(
        self, arguments: Mapping[str, Any], base: str, depth: int = 0
    ) -> Iterator[tuple[str, str, str, Place]]:
        """Pointer, text, what of it is guarded, and why."""
        for one in walk(arguments):
            if isinstance(one, Cut):
                yield base + one.pointer, "", "", _MORE
                continue
            found: Iterator[tuple[str, Place]] = iter(())
            text = one.text if not isinstance(one, Words) else " ".join(one.words)
            if isinstance(one, Joined):
                if self._effect is Effect.WRITES:
                    found = self._path(one.text, one.text)
            elif isinstance(one, Words):
                found = self._list(one)
            elif one.names:
                found = self._name(one)
            else:
                found = self._leaf(one)
                if depth < 2:
                    yield from self._inside(one, base, depth)
            for told, place in found:
                yield base + one.pointer, text, told, place

    def _leaf(self, leaf: Leaf) -> Iterator[tuple[str, Place]]:
        """A text, by all that it may be."""
        role = roles.roles(leaf.key, self._kinds.get(leaf.dotted.removeprefix("arguments.")))
        text = leaf.text
        told = Role.COMMAND in role and self._effect is not Effect.READS
        if told and len(text) > COMMAND:
            yield text[COMMAND:], _MORE
        if told or (self._shell and Role.FREE not in role):
            for each in self._guard.written(_from(leaf.siblings) + text):
                if (
                    told or each[1] is not _MORE
                ):  # what may be no command line is read as far as it goes
                    yield each
        if Role.CODE in role:
            yield from self._guard.programmed(text)
        if self._effect is not Effect.WRITES:
            return
        if self._is_path(leaf, role):
            yield from self._path(text, text)
        if Role.FREE not in role or self._words & {"patch", "apply", "edit"}:
            yield from self._carried(leaf, role)
        if names_program(text) and (self._words | roles.words(leaf.key)) & {"git", "config", "key"}:
            yield text, _GIT

    def _is_path(self, leaf: Leaf, role: frozenset[Role]) -> bool:
        text = leaf.text.strip()
        if not text or len(text) > LONGEST:
            return False
        if Role.PATH in role:
            return True
        if roles.is_pattern(leaf.key):
            return True
        if Role.PERHAPS not in role:
            return False
        rooted = text.startswith(("/", "~", ".", "\\", "file:", "$", "%")) or text[1:2] == ":"
        if any(blank in text for blank in " \n\t") and not rooted:
            return False
        return self._files or "/" in text or "\\" in text or rooted or "%" in text

    def _path(self, text: str, told: str) -> Iterator[tuple[str, Place]]:
        if is_remote(text) and not self._sends:
            return
        place = self._guard.place_of(text) or self._guard.resolved(text)
        moving = {"move", "rename", "link", "symlink", "copy", "extract", "unzip", "clone", "untar"}
        if place is None and self._words & moving:
            place = self._guard.holds(text)
        if place is not None:
            yield told, place

    def _carried(self, leaf: Leaf, role: frozenset[Role]) -> Iterator[tuple[str, Place]]:
        """Patches that are applied, and archives that are unpacked."""
        text = leaf.text
        if archives.is_archive(text):
            yield from self._guard.named(archives.members(text))
        if not contents.is_patch(text):
            return
        beside = islice(leaf.siblings.values(), _SIBLINGS)
        goal = " ".join(value for value in beside if isinstance(value, str))[:4096]
        applied = (
            Role.CONTENT not in role
            or roles.is_patch(leaf.key)
            or bool(self._words & {"patch", "apply", "diff", "fast"})
            or any(ending in goal[: goal.find(text[:32])] + goal[-256:] for ending in _APPLIED)
        )
        if applied:
            yield from self._guard.named(contents.paths_in(text))

    def _name(self, leaf: Leaf) -> Iterator[tuple[str, Place]]:
        """The key of an object, where objects go by path: `changes`, `files`."""
        if self._effect is not Effect.WRITES:
            return
        if names_program(leaf.text):
            yield leaf.text, _GIT
        known = roles.flat(leaf.key) in {
            "files",
            "changes",
            "contents",
            "edits",
            "documents",
            "tree",
        }
        rooted = leaf.text.startswith(("/", "~", ".", "file:")) or "/" in leaf.text
        if (known or rooted) and (place := self._guard.place_of(leaf.text)):
            yield leaf.text, place

    def _list(self, words: Words) -> Iterator[tuple[str, Place]]:
        """A command given as a list of words, with its program beside it or in it."""
        role = roles.roles(words.key, None)
        program = next(
            (
                value
                for name, value in words.siblings.items()
                if isinstance(value, str)
                and (
                    Role.COMMAND in roles.roles(name, None)
                    or roles.flat(name) in {"program", "executable"}
                )
            ),
            None,
        )
        listed = roles.flat(words.key) in {
            "args",
            "arguments",
            "argv",
            "parameters",
            "params",
            "flags",
        }
        if not (Role.COMMAND in role or self._shell or (listed and program)):
            return
        argv = [program, *words.words] if program and listed else list(words.words)
        if self._words & {"git"} and program is None:
            argv = ["git", *argv]
        for one in by(Command([(word,) for word in argv], "")):
            yield from self._guard.outcome(one)

    def _inside(self, leaf: Leaf, base: str, depth: int) -> Iterator[tuple[str, str, str, Place]]:
        """Arguments that are given as JSON in a text."""
        role = roles.roles(leaf.key, self._kinds.get(leaf.dotted.removeprefix("arguments.")))
        if leaf.text[:1] not in "[{" or Role.CONTENT in role or Role.FREE in role or not leaf.text:
            return
        if len(leaf.text) > _JSON:
            return
        try:
            value = msgspec.json.decode(leaf.text)
        except (msgspec.DecodeError, RecursionError):
            return
        inner = value if isinstance(value, dict) else {leaf.key: value}
        for _, text, told, place in self.at(inner, "", depth + 1):
            yield base + leaf.pointer, text, told, place


def _from(siblings: Mapping[str, Any]) -> str:
    """The directory in which a command is to run, as the command that goes there."""
    for name in ("cwd", "workdir", "working_directory", "workingDirectory", "directory"):
        at = siblings.get(name)
        if isinstance(at, str) and at and "\n" not in at:
            return f"cd {shlex.quote(at)} && "
    return ""


def _detection(text: str, told: str, place: Place) -> Detection:
    start = text.find(told)
    span = (start, start + len(told)) if start >= 0 else (0, len(text))
    shown = "".join(one if one.isprintable() else "�" for one in told[:_EVIDENCE])
    grave = Severity.MEDIUM if place is _MORE else Severity.CRITICAL
    return Detection(
        place.rule, grave, *span, "more than is looked at" if place is _MORE else shown
    )
