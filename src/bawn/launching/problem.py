"""What is wrong with a launch command: the kinds of problems, how grave each is, and what to do instead."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from bawn.findings.finding import Level


class Problem(msgspec.Struct, frozen=True):
    """One problem. `kind` is a stable name such as `launch/shell`; an error is not started unless told to.

    `at` is the index of the word in the command, or the name of the variable. The message holds neither
    values nor arguments: those may be secrets.
    """

    kind: str
    level: Level
    at: int | str
    message: str
    fix: str


class _Kind(NamedTuple):
    level: Level
    message: str
    fix: str


_NAME_IT = "name the program itself, with its arguments as words of their own"
_INSTALLED = "name a package of the registry at an exact version, or a program that is installed"

# A table: level, what is wrong, what to do.
# fmt: off
_KINDS: Final[dict[str, _Kind]] = {
    # ── errors ──
    "empty": _Kind("error", "no program is named", _NAME_IT),
    "bounds": _Kind("error", "the command is larger than a launch command is", "put long arguments into a file of the server's own"),
    "characters": _Kind("error", "control, invisible or direction-changing characters, which no command needs", "type the word again, in plain characters"),
    "shell": _Kind("error", "a shell is started, which runs whatever text it is given", _NAME_IT),
    "inline": _Kind("error", "code stands in the command", "put the code into a file or package that can be read and pinned"),
    "remote": _Kind("error", "code is fetched from an address, and has no exact version", _INSTALLED + ", or a repository at a full commit"),
    "index": _Kind("error", "packages come from elsewhere than the runner's own configuration says", "configure the registry for the whole machine, and leave it out of the command"),
    "preload": _Kind("error", "code is loaded into the program before it starts", "leave it out; what the server needs belongs into its package"),
    "debugger": _Kind("error", "a debugger port is opened, through which anybody who reaches it runs code", "leave it out"),
    "privileged": _Kind("error", "the container gets powers of the host", "leave it out, or grant the one capability that is needed"),
    "mount": _Kind("error", "the container reaches what governs the host, or its credentials", "mount the one directory that the server works on"),
    "elevated": _Kind("error", "it runs as another user", "start the gate's servers as the gate's own user"),
    "option": _Kind("error", "an option that this runner is not known to have, so that what follows cannot be told apart", "write it as --option=value, or leave it out"),
    "confusable": _Kind("error", "letters of other alphabets that look like plain ones", "type the name again, in plain letters"),
    "impostor": _Kind("error", "the name imitates that of a well-known package", "check the name at the makers' own page"),
    "malicious": _Kind("error", "this package is known to have been malicious", "remove it, and change every secret that it was given"),
    "vulnerable": _Kind("error", "this version is known to run commands for those it talks to", "move to the version named"),
    # ── warnings ──
    "commit": _Kind("warning", "code is fetched from a repository; its commit is fixed, what it depends on is not", _INSTALLED),
    "lookalike": _Kind("warning", "the name is a slip of the hand away from that of a well-known package", "check the name at the makers' own page"),
    "floating": _Kind("warning", "no exact version: whatever is newest will run", "write the exact version"),
    "consent": _Kind("warning", "consents to install without a question", "leave it out, and install what was approved"),
    "script": _Kind("warning", "a script runs, which may do anything", "name the program that the script starts"),
    "writable": _Kind("warning", "it lies where every user of the machine may write", "install it where only its owner writes"),
    "override": _Kind("warning", "it changes where the program finds its libraries", "leave it out if the server runs without it"),
    "network": _Kind("warning", "the container shares the host's network, with everything that listens on loopback", "publish the one port that is needed, or none"),
    "device": _Kind("warning", "the container reaches beyond its image", "leave it out if the server runs without it"),
    "unverified": _Kind("warning", "certificates are not verified", "leave it out, and trust the authority that is missing"),
    "elsewhere": _Kind("warning", "the program runs in another place than this, where nothing of it can be checked", "run a gate there, and name its URL"),
    # ── notes ──
    "unknown": _Kind("note", "a program without a grammar of its own", "pin it by its digest"),
    "bridge": _Kind("note", "a bridge to a remote server", "write its `url`: the gate reaches remote servers itself"),
}
# fmt: on

KINDS: Final = tuple(f"launch/{kind}" for kind in _KINDS)


def problem(
    kind: str, at: int | str, what: str = "", *, fix: str = "", level: Level | None = None
) -> Problem:
    """A problem of a kind. `what` names the word that it is about: an option, a name, never a value."""
    of = _KINDS[kind]
    message = f"{shown(what)}: {of.message}" if what else of.message
    return Problem(f"launch/{kind}", level or of.level, at, message, fix or of.fix)


def shown(text: str) -> str:
    """Text as it can be printed: short, and every odd character spelled out."""
    plain = text.encode("ascii", "backslashreplace").decode()
    plain = "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in plain)
    return plain if len(plain) <= 80 else f"{plain[:77]}…"
