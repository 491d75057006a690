"""The launch grammar: what a command would run, read word by word as its runner reads it.

Never a search for suspicious text: the value of an option and the arguments of the server itself
are no options of the runner, whatever they look like.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from bawn.launching import containers, node, npm, other, python, shells, wrappers
from bawn.launching.command import Command, Launching, is_writable, name_of
from bawn.launching.environment import assigned
from bawn.launching.problem import Problem, problem

MAX_WORDS: Final = 1024
MAX_CHARACTERS: Final = 128 * 1024
"""Most words, and characters of all, that are looked at (Linux takes 128 KiB in one word)."""

Runner: TypeAlias = Callable[[Command], Launching]

_RUNNERS: Final[dict[str, Runner]] = {
    "npx": npm.npx, "npm": npm.npm_itself, "pnpm": npm.pnpm, "pnpx": npm.pnpm, "yarn": npm.yarn,
    "yarnpkg": npm.yarn, "bunx": npm.bunx,
    **dict.fromkeys(("python", "pythonw", "py", "pypy", "ipython", "micropython"), python.interpreter),
    "uvx": python.uvx, "uv": python.uv, "pipx": python.pipx, "pip": python.pip,
    **dict.fromkeys(("node", "nodejs", "tsx", "electron"), node.node),
    **dict.fromkeys(("ts-node", "ts-node-esm", "ts-node-script", "ts-node-transpile-only"), node.ts_node),
    "deno": node.deno, "bun": node.bun,
    **dict.fromkeys(("docker", "podman", "podman-remote", "nerdctl", "finch"), containers.container),
    **dict.fromkeys(("docker-compose", "podman-compose"), containers.compose),
    **dict.fromkeys(shells.NAMES, shells.shell),
    **dict.fromkeys(("powershell", "pwsh"), shells.powershell),
    **dict.fromkeys(("busybox", "toybox"), shells.busybox),
    "cmd": shells.cmd, "env": wrappers.env, **dict.fromkeys(wrappers.WRAPPERS, wrappers.wrapped),
    **dict.fromkeys(("ruby", "perl", "php", "lua", "luajit", "rscript", "julia", "osascript", "tclsh", "wish",
                     "elixir", "groovy"), other.scripted),
    "java": other.java, "javaw": other.java, "jbang": other.java, "go": other.go, "cargo": other.cargo,
    "dotnet": other.dotnet, "dnx": other.dotnet,
    **dict.fromkeys(("nix", "nix-shell"), other.nix),
    **dict.fromkeys(other.RUN_TEXT, other.runs_text),
    **dict.fromkeys(("nc", "ncat", "netcat"), other.netcat),
}  # fmt: skip


def read(command: Sequence[str], env: Mapping[str, str], cwd: str = "") -> Launching:
    """What a command would do, with everything that is wrong with it. Total: it never raises.

    `env` are the variables that it is given beside the scrubbed minimum; their values may be references.
    """
    words = tuple(command)
    if not words or not words[0].strip():
        return Launching("", problems=(problem("empty", 0),))
    if len(words) > MAX_WORDS or sum(map(len, words)) > MAX_CHARACTERS or len(env) > MAX_WORDS:
        return Launching("", program=words[0][:80], problems=(problem("bounds", 0),))
    odd = tuple(_characters(words, env))
    found = _dispatch(Command(words, _dispatch))
    more = [each for name, value in env.items() for each in assigned(name, value, name)]
    if is_writable(cwd):
        more.append(problem("writable", "cwd", cwd))
    return msgspec.structs.replace(found, problems=(*odd, *_once(found.problems), *more))


def _dispatch(command: Command) -> Launching:
    """Read a command by the grammar of its program."""
    name = command.runner
    runner = _RUNNERS.get(name) or _RUNNERS.get(name.rstrip("0123456789.-"))
    if runner is None:
        folded = name_of(unicodedata.normalize("NFKC", command.words[0]))
        return (
            other.plain(command)
            if folded == name or folded not in _RUNNERS
            else _imitation(command)
        )
    found = runner(command)
    if is_writable(command.words[0]):
        found = found.beside([problem("writable", command.at, command.words[0])])
    return found


def _imitation(command: Command) -> Launching:
    at = problem("confusable", command.at, command.words[0])
    return Launching("", None, command.words[0], command.words[1:], (at,))


def _once(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(problems))


def _characters(words: tuple[str, ...], env: Mapping[str, str]) -> Iterator[Problem]:
    """Characters that hide what a word says. Variables may hold lines; a NUL ends them for the kernel."""
    for at, word in enumerate(words):
        if any(_is_hidden(each) for each in word):
            yield problem("characters", at)
    for name, value in env.items():
        if any(_is_hidden(each) for each in name) or any(
            each.isascii() and _is_hidden(each) and each not in "\t\r\n" for each in value
        ):
            yield problem("characters", name)


def _is_hidden(character: str) -> bool:
    if character.isascii():
        return character < " " or character == "\x7f"
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp", "Co"}
