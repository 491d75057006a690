"""What a command line writes, and which texts it runs in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple, TypeAlias

from bawn.inspection.guard.globs import WILD
from bawn.inspection.guard.programs import (
    AGENT_CHANGES,
    AGENT_PARTS,
    AGENTS,
    ARCHIVERS,
    CODE_OPTIONS,
    COPIERS,
    GIT_READERS,
    INTERPRETERS,
    MOVERS,
    PACKERS,
    PATCHERS,
    READERS,
    SHELLS,
    WRAPPERS,
    WRITING_OPTIONS,
)
from bawn.inspection.guard.shell import Command, commands
from bawn.inspection.guard.words import Word, decoded

Use: TypeAlias = Literal[
    "path", "directory", "shell", "code", "patch", "git", "agent", "either", "more"
]


_ERASERS: Final = frozenset(
    [
        "rm",
        "tee",
        "sed",
        "dd",
        "touch",
        "truncate",
        "unlink",
        "shred",
        "git",
        "patch",
        "curl",
        "wget",
    ]
)


class Written(NamedTuple):
    """A text, and what becomes of it.

    `path` is written; into a `directory` something unknown is put; `shell`, `code` and `patch` are carried
    out; `git` and `agent` are settings changed by git's and agents' own programs; `either` is a decoded text;
    `more` says that there was more than is read.
    """

    use: Use
    text: str
    at: str = ""


def writes(text: str) -> Iterator[Written]:
    """What a command line writes."""
    for command in commands(text):
        yield from by(command)


def by(command: Command) -> Iterator[Written]:
    """What one command writes."""
    if command.more:
        yield Written("more", "")
    for target in command.targets:
        yield from (Written("path", value, command.at) for value in target)
    # Words that may have several values: each choice of program is looked at.
    if command.argv:
        for found in _program(command.argv, command.fed):
            yield found._replace(at=_at(command, found))
    yield from _packed(command)


def _at(command: Command, found: Written) -> str:
    """git's `-C` moves as `cd` does."""
    if found.at and command.at and not found.at.startswith(("/", "~")):
        return f"{command.at}/{found.at}"
    return found.at or command.at


def _packed(command: Command) -> Iterator[Written]:
    """Words that say something else when they are decoded."""
    for word in (*command.argv[1:], (command.fed,)):
        for value in word:
            if len(value) >= 12 and " " not in value.strip() and (said := decoded(value)):
                yield Written("either", said)


def _program(argv: Sequence[Word], fed: str) -> Iterator[Written]:
    name = _name(argv[0][0])
    rest = argv[1:]
    if name in WRAPPERS:
        yield from _wrapped(name, rest, fed)
        return
    if name in SHELLS:
        yield from _run("shell", rest, fed)
        return
    yield from _agents(name, rest)
    if name in INTERPRETERS:
        yield from _interpreted(name, rest, fed)
    elif name == "git":
        yield from _git(rest)
    elif name == "find":
        yield from _find(rest, fed)
    elif name in COPIERS:
        yield from _copied(rest)
    elif name in MOVERS:
        yield from (*_paths(rest), *_arriving(rest))
    elif name in ARCHIVERS:
        yield from _unpacked(name, rest)
    elif name in PACKERS:
        yield from _paths([word for word in rest if not _is_option(word)][:1])
    elif name not in READERS or _writes_after_all(name, rest):
        yield from _paths(rest)
        yield from _downloaded(name, rest)
        yield from (Written("shell", value) for word in rest for value in word if _is_script(value))
    if fed and name in PATCHERS:
        yield Written("patch", fed)


def _is_script(text: str) -> bool:
    """Whether a word reads like a command line of its own, and not like a sentence."""
    if " " not in text.strip():
        return False
    first = _name(text.split(maxsplit=1)[0])
    known = WRAPPERS | SHELLS | COPIERS | MOVERS | INTERPRETERS | ARCHIVERS | _ERASERS
    return first in known or any(mark in text for mark in (">", "|", ";", "&&", "$(", "`"))


def _name(word: str) -> str:
    """A program, without directory and ending."""
    base = word.replace("\\", "/").rpartition("/")[2].casefold()
    base = base.removesuffix(".exe").removesuffix(".cmd").removesuffix(".bat")
    stem = base.rstrip("0123456789.")
    return stem if stem in {"python", "pypy", "perl", "ruby", "php", "lua", "node"} else base


def _is_option(word: Word) -> bool:
    return word[0].startswith("-")


def _paths(words: Sequence[Word]) -> Iterator[Written]:
    """Each word as a path, and what stands behind the sign of an option or an operand (`of=PATH`, `-oPATH`)."""
    for word in words:
        for value in word:
            yield Written("path", value)
            _, sign, tail = value.partition("=")
            if sign:
                yield Written("path", tail)
            if value.startswith("-") and not value.startswith("--") and not WILD & {*value}:
                # The last of bundled options may have its value with it: `-soPATH`.
                yield from (Written("path", value[at:]) for at in range(2, min(5, len(value))))
            if "://" not in value and ("," in value or ":" in value[2:]):
                parts = value.replace(",", ":").split(":")
                yield from (Written("path", part) for part in parts[:16] if part)


def _wrapped(name: str, rest: Sequence[Word], fed: str) -> Iterator[Written]:
    """The program behind `sudo`, `env`, `timeout`; to `xargs` what it is fed is its words."""
    index = 0
    while index < len(rest):
        value = rest[index][0]
        if not (value.startswith(("-", "+")) or "=" in value or value[:1].isdigit()):
            break
        index += 1
    inner = list(rest[index:])
    if name in {"xargs", "parallel"}:
        inner += [(value,) for value in fed.split()]
        fed = ""
    for start in range(min(3, len(inner))):
        # The value of an option (`sudo -u root`) may stand before the program.
        yield from _program(inner[start:], fed)
        if _name(inner[start][0]) in READERS | SHELLS | COPIERS | MOVERS | {"git", "tee", "rm"}:
            return


def _run(use: Use, rest: Sequence[Word], fed: str) -> Iterator[Written]:
    """What a shell or an interpreter is told to run."""
    if fed:
        yield Written(use, fed)
    for word in rest:
        for value in word:
            if not value.startswith("-"):
                yield Written(use, value)
    if use == "shell" and len(rest) > 1:
        yield Written(use, " ".join(word[0] for word in rest if not _is_option(word)))
        encoded = (word[0] for word in rest if not _is_option(word))
        yield from (Written("shell", said) for value in encoded if (said := decoded(value)))


def _interpreted(name: str, rest: Sequence[Word], fed: str) -> Iterator[Written]:
    yield from _run("code", [word for word in rest if _is_code(word)], fed)
    options = {word[0] for word in rest if _is_option(word)}
    awk = name in {"awk", "gawk", "mawk"}
    if not awk and (not options & CODE_OPTIONS or options & {"-i", "-pi"} or _in_place(options)):
        yield from _paths(rest)


def _is_code(word: Word) -> bool:
    return any(character in word[0] for character in "(>='\" .") and not _is_option(word)


def _in_place(options: set[str]) -> bool:
    """perl -i, ruby -i, with what may be written behind it."""
    return any("i" in option[:4] and not option.startswith("--") for option in options)


def _writes_after_all(name: str, rest: Sequence[Word]) -> bool:
    marks = WRITING_OPTIONS.get(name, ())
    values = [word[0] for word in rest]
    if name == "sed" and any(" w " in value or value.startswith("w ") for value in values):
        return True
    for mark in marks:
        long = mark.startswith("--")
        if any(value == mark or value.startswith(f"{mark}=" if long else mark) for value in values):
            return True
    return False


def _find(rest: Sequence[Word], fed: str) -> Iterator[Written]:
    """`find` writes what it deletes, and what the program does that it runs."""
    values = [word[0] for word in rest]
    if _writes_after_all("find", rest):
        yield from _paths(rest)
    for mark in ("-exec", "-execdir", "-ok", "-okdir"):
        if mark in values:
            start = values.index(mark) + 1
            named = [word for word in rest[:start] if not _is_option(word)]
            run = [word for word in rest[start:] if word[0] not in {"{}", "+", ";", "\\;"}]
            if run:
                yield from _program([*run, *named], fed)


def _copied(rest: Sequence[Word]) -> Iterator[Written]:
    """The last word, `-t` and named destinations; a source only where it is taken away."""
    plain = [word for word in rest if not _is_option(word)]
    named = [word for word in rest if (_is_option(word) and len(word[0]) > 2) or "=" in word[0]]
    into = [
        rest[index + 1] for index, word in enumerate(rest[:-1]) if word[0] in {"-t", "-destination"}
    ]
    yield from _paths([*plain[-1:], *into, *named])
    if any(word[0] == "--remove-source-files" for word in rest):
        yield from _paths(plain)
    yield from _arriving(rest, into)


def _arriving(rest: Sequence[Word], into: Sequence[Word] = ()) -> Iterator[Written]:
    """What a copy is called when the destination is a directory."""
    plain = [word[0] for word in rest if not _is_option(word)]
    if not plain:
        return
    goal = into[0][0] if into else plain[-1]
    base = goal.replace("\\", "/").rstrip("/").rpartition("/")[2]
    directory = goal.endswith(("/", "\\")) or "." not in base.strip(".") or len(plain) > 2 or into
    sources = plain if into else plain[:-1]
    for source in sources:
        name = source.replace("\\", "/").rstrip("/").rpartition("/")[2]
        if directory or base.startswith("."):
            yield Written("path", f"{goal}/{name}")
        if source.endswith(("/", "/.", "*")) or "." not in name.strip("."):
            yield Written("directory", goal)


def _unpacked(name: str, rest: Sequence[Word]) -> Iterator[Written]:
    """Where an archive goes, and the members that are asked for; one that is only made or listed is written itself."""
    values = [word[0] for word in rest]
    first = values[0] if values else ""
    flags = first.lstrip("-") if not first.startswith("--") else ""
    if (
        name in {"tar", "gtar", "bsdtar"}
        and "x" not in flags
        and not {"--extract", "--get"} & {*values}
    ):
        if "f" in flags and len(rest) > 1 and "t" not in flags:
            yield from _paths(rest[1:2])
        return
    yield from _paths(rest)
    for index, value in enumerate(values):
        for mark in ("-C", "-d", "--directory", "-o", "--one-top-level", "-DestinationPath"):
            if value == mark and index + 1 < len(values):
                yield Written("directory", values[index + 1])
            elif value.startswith(mark) and value != mark:
                yield Written("directory", value[len(mark) :].lstrip("="))


def _downloaded(name: str, rest: Sequence[Word]) -> Iterator[Written]:
    """What is fetched under its own name."""
    values = [word[0] for word in rest]
    own = name == "wget" or any(
        value == "--remote-name"
        or (value.startswith("-") and not value.startswith("--") and "O" in value)
        for value in values
    )
    if name not in {"curl", "wget", "aria2c", "axel"} or not (own or name in {"aria2c", "axel"}):
        return
    for value in values:
        if "://" in value:
            yield Written("path", value.partition("?")[0].rpartition("/")[2])


def _git(rest: Sequence[Word]) -> Iterator[Written]:
    words = list(rest)
    at = ""
    while words and _is_option(words[0]):
        option = words.pop(0)[0]
        if (
            option in {"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path"}
            and words
        ):
            value = words.pop(0)[0]
            at = f"{at}/{value}" if option == "-C" and at else value if option == "-C" else at
    if not words:
        return
    verb, words = words[0][0], words[1:]
    if verb == "config":
        yield from _git_config(words)
    elif verb in GIT_READERS:
        named = [word for word in words if word[0].startswith(("--output", "-o"))]
        yield from (found._replace(at=at) for found in _paths(named))
    else:
        settings = [word[0].partition("=")[0] for word in words if "=" in word[0]]
        yield from (Written("git", key.removeprefix("-c")) for key in settings)
        yield from (found._replace(at=at) for found in _paths(words))
        if verb == "mv":
            yield from (found._replace(at=at) for found in _arriving(words))


def _git_config(words: Sequence[Word]) -> Iterator[Written]:
    """Whoever only asks for a setting changes none."""
    values = [word[0] for word in words]
    plain = [value for value in values if not value.startswith("-")]
    if {"--get", "--get-all", "--get-regexp", "--list", "-l", "get", "list"} & {*values}:
        return
    if {"-e", "--edit", "edit"} & {*values}:
        yield Written("path", ".gitconfig" if "--global" in values else ".git/config")
    changing = {"--unset", "--unset-all", "--add", "--replace-all", "set", "unset"} & {*values}
    if len(plain) > 1 or changing:
        yield from (Written("git", value) for value in plain)
    yield from (Written("git", f"{value}.") for value in plain if "--rename-section" in values)


def _agents(name: str, rest: Sequence[Word]) -> Iterator[Written]:
    """Agents' own programs, and the installers that npm and uv bring."""
    values = [word[0].casefold() for word in rest]
    told = " ".join((name, *values))
    if name in {"npx", "bunx", "pnpx", "uvx", "pnpm", "yarn", "npm"}:
        bare = [value.rpartition("/")[2].partition("@")[0] for value in values]
        if {"add-mcp", "install-mcp", "mcp-add"} & {*bare} or ("skills" in bare and "add" in bare):
            yield Written("agent", told)
        agent = {"claude-code", "codex", "gemini-cli", "opencode-ai", "copilot"} & {*bare}
    else:
        agent = {name} & AGENTS
    if not agent:
        return
    if any(value.startswith("--add-mcp") for value in values):
        yield Written("agent", told)
    for before, after in pairwise(values):
        if before in AGENT_PARTS and after in AGENT_CHANGES:
            yield Written("agent", told)
