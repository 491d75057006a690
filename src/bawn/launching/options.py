"""A runner's own options, told apart from what they are given and from what follows for the program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bawn.launching.problem import Problem, problem


def names(text: str) -> frozenset[str]:
    """The names in a table's text."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Syntax:
    """How one runner reads its options. Names are with their hyphens.

    `valued` take the next word when they have no `=value`; `kinds` are options that are a problem.
    `clusters` are runs of one-letter options (`-it`, `-pVALUE`); `abbreviates` is GNU's and nopt's habit
    of taking any beginning of a long name; `anywhere` reads options after the first other word, too;
    `closed` tables have every option there is: an unknown one is a problem of its own.
    """

    valued: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    final: frozenset[str] = frozenset()
    kinds: Mapping[str, str] = field(default_factory=dict)
    clusters: bool = True
    abbreviates: bool = False
    anywhere: bool = False
    closed: bool = False

    def full(self, name: str) -> str:
        """The option that a written name means."""
        if name in self.valued or name in self.flags or name in self.kinds:
            return name
        if not self.abbreviates or not name.startswith("--"):
            return name
        meant = sorted(
            each for each in self.kinds.keys() | self.valued | self.flags if each.startswith(name)
        )
        # Of several, the one that matters: the runner may take it so, and a mere guess must not pass it.
        grave = [each for each in meant if each in self.kinds]
        return next(iter(grave or meant), name)

    def knows(self, name: str) -> bool:
        """Whether the tables have it, or it switches something off."""
        return (
            name.startswith("--no-")
            or name in self.valued
            or name in self.flags
            or name in self.kinds
        )

    def doubts(self, option: Option) -> bool:
        """Whether the word after an option may be its value, for all that is known of it."""
        return not (self.closed or option.attached or option.value) and not self.knows(option.name)


@dataclass(frozen=True, slots=True)
class Option:
    """One option as it was given, at the word of this index. `value` is None where it has none."""

    name: str
    value: str | None
    at: int
    attached: bool = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """Options, and the indices of the words that are none. Indices count from the first word given."""

    options: tuple[Option, ...]
    others: tuple[int, ...]

    def values(self, *names: str) -> tuple[Option, ...]:
        """Those of these names that have a value."""
        return tuple(each for each in self.options if each.name in names and each.value is not None)

    def problems(self, syntax: Syntax, at: int) -> Iterator[Problem]:
        """What is wrong with the options alone; `at` is the index of the first word in the whole command."""
        for each in self.options:
            kind = syntax.kinds.get(each.name)
            if kind is not None:
                yield problem(kind, at + each.at, each.name)
            elif syntax.closed and not each.attached and not syntax.knows(each.name):
                yield problem("option", at + each.at, each.name)


def parse(words: Sequence[str], syntax: Syntax, start: int = 1) -> Parsed:
    """Read options from `start` up to the program that they lead to, or to the end where they may stand anywhere."""
    options: list[Option] = []
    others: list[int] = []
    at = start
    while at < len(words):
        word = words[at]
        if word == "--":
            others.extend(range(at + 1, len(words)))
            break
        if len(word) < 2 or word[0] != "-":
            if not syntax.anywhere:
                others.extend(range(at, len(words)))
                if options and options[-1].at == at - 1 and syntax.doubts(options[-1]):
                    options += _grave(words, syntax, at + 1)
                break
            others.append(at)
            at += 1
            continue
        found, taken = _read(words, at, syntax)
        options.extend(found)
        at += taken
        if found[-1].name in syntax.final:
            others.extend(range(at, len(words)))
            break
    return Parsed(tuple(options), tuple(others))


def _grave(words: Sequence[str], syntax: Syntax, start: int) -> Iterator[Option]:
    """The options that are a problem, if the runner's own go on from here."""
    for each in parse(words, syntax, start).options:
        if each.name in syntax.kinds:
            yield each


def _read(words: Sequence[str], at: int, syntax: Syntax) -> tuple[list[Option], int]:
    """The options of one word, and how many words they take."""
    word = words[at]
    name, equals, value = word.partition("=")
    if syntax.abbreviates and syntax.closed and len(name) > 2 and syntax.knows(f"-{name}"):
        name = f"-{name}"  # npm's parser takes any number of hyphens
    name = syntax.full(name)
    if equals and (syntax.knows(name) or word.startswith("--") or not syntax.clusters):
        return [Option(name, value, at, attached=True)], 1
    if syntax.knows(name) or word.startswith("--") or not syntax.clusters:
        if name in syntax.valued and at + 1 < len(words):
            return [Option(name, words[at + 1], at)], 2
        return [Option(name, None, at)], 1
    return _cluster(words, at, syntax)


def _cluster(words: Sequence[str], at: int, syntax: Syntax) -> tuple[list[Option], int]:
    word = words[at]
    found: list[Option] = []
    for place, letter in enumerate(word[1:], 2):
        name = f"-{letter}"
        if name not in syntax.valued:
            found.append(Option(name, None, at))
            continue
        rest = word[place:].removeprefix("=")
        if rest:
            return [*found, Option(name, rest, at, attached=True)], 1
        value = words[at + 1] if at + 1 < len(words) else None
        return [*found, Option(name, value, at)], 2
    return found, 1
