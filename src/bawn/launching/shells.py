"""Shells, which run whatever text they are given. A named script is read by people at least."""

from __future__ import annotations

import re
from typing import Final

from bawn.launching.command import Command, Launching, is_writable
from bawn.launching.options import Syntax, names, parse
from bawn.launching.problem import problem

NAMES: Final = names(
    "sh bash rbash dash ash zsh ksh ksh93 mksh pdksh yash fish csh tcsh nu elvish xonsh posh osh ysh murex "
    "bash-static zsh-static sash"
)
_SH: Final = Syntax(
    valued=frozenset(["-O", "+O", "-o", "+o", "--rcfile", "--init-file", "-c", "--command", "--commands"]),
    flags=frozenset(["--login", "--noprofile", "--norc", "--posix", "--restricted", "--verbose"]),
    kinds={
        "-c": "inline", "--command": "inline", "--commands": "inline", "-C": "inline", "-s": "inline",
        "--init-command": "inline", "--rcfile": "preload", "--init-file": "preload", "-i": "shell",
    },
)  # fmt: skip
_FILE: Final = re.compile(r"[-/]f(?:i(?:le?)?)?", re.IGNORECASE)
_VALUED: Final = re.compile(
    r"[-/](?:ex\w*|ep|w(?:i\w*)?|inp\w*|if|o(?:u\w*)?|v(?:e\w*)?|wo\w*|wd)", re.IGNORECASE
)
"""Options of PowerShell that take a word: policy, window style, formats, version, working directory."""


def shell(command: Command) -> Launching:
    """A POSIX shell or one like it: `-c` in any cluster (`-lc`), a script, or what it is sent."""
    # A `+` takes an option back, and takes the same word with it.
    given = tuple(f"-{word[1:]}" if word[:1] == "+" else word for word in command.words)
    parsed = parse(given, _SH)
    words = tuple(command.words[each] for each in parsed.others)
    problems = list(parsed.problems(_SH, command.at))
    if not words or words[0] == "-" or any(each.kind == "launch/inline" for each in problems):
        problems.insert(0, problem("shell", command.at, command.runner))
        return Launching("shell", None, "", words, tuple(problems))
    if words[0].startswith(("/dev/", "/proc/")):
        problems.append(problem("shell", command.at + parsed.others[0], words[0]))
    problems.append(problem("script", command.at + parsed.others[0], words[0]))
    if is_writable(words[0]):
        problems.append(problem("writable", command.at + parsed.others[0], words[0]))
    return Launching("shell", None, words[0], words[1:], tuple(problems))


def powershell(command: Command) -> Launching:
    """PowerShell: a script where `-File` says so, else commands."""
    before = ""
    for at, word in enumerate(command.words[1:-1], 1):
        before, last = word, before
        if _VALUED.fullmatch(last):
            continue
        if _FILE.fullmatch(word):
            found = problem("script", command.at + at + 1, command.words[at + 1])
            return Launching(
                "shell", None, command.words[at + 1], command.words[at + 2 :], (found,)
            )
        if not _VALUED.fullmatch(word) and not re.fullmatch(
            r"[-/](?:nop\w*|nol\w*|noni\w*|sta|mta)", word, re.IGNORECASE
        ):
            break
    return Launching("shell", problems=(problem("shell", command.at, command.runner),))


def cmd(command: Command) -> Launching:
    """The Windows command processor. What it starts is read, too, so that its package is known."""
    own = problem("shell", command.at, command.runner)
    for at, word in enumerate(command.words[1:], 1):
        if not word.startswith("/"):
            return command.inner(at).beside((own,))
    return Launching("shell", problems=(own,))


def busybox(command: Command) -> Launching:
    """busybox and toybox: the program is the next word."""
    if len(command.words) < 2:
        return Launching("shell", problems=(problem("shell", command.at, command.runner),))
    return command.inner(1)
