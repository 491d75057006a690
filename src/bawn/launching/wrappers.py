"""Programs that start another one: what they are given is read, and then what they start."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from bawn.launching import shells
from bawn.launching.command import MAX_DEPTH, Command, Launching, name_of
from bawn.launching.environment import assigned
from bawn.launching.options import Syntax, names, parse
from bawn.launching.problem import Problem, problem

_NONE: Final = Syntax()


@dataclass(frozen=True, slots=True)
class Wrapper:
    """How one wrapper is read: its verbs, its options, the other words before the command, what is wrong with it."""

    syntax: Syntax = _NONE
    verbs: tuple[str, ...] = ()
    skip: int = 0
    kind: str = ""


def _valued(text: str, **kinds: str) -> Syntax:
    return Syntax(
        frozenset(text.split()),
        kinds={"-" * 2 + name: kind for name, kind in kinds.items()},
        abbreviates=True,
    )


_ELEVATED: Final = _valued(
    "-u --user -g --group -h --host -p --prompt -C -D --chdir -R --chroot -T -r --role -t --type -U -a"
)
_USER: Final = _valued("-g --group -G -s --shell -w", command="inline")
_ISOLATING: Final = _valued(
    "-t --target -S --setuid -G --setgid -m -u -i -n -p -U -C -T -r -w --userspec --groups"
)
_SSH: Final = Syntax(frozenset(f"-{letter}" for letter in "bcDEeFIiJLlmOopQRSWw"))
WRAPPERS: Final[dict[str, Wrapper]] = {
    **dict.fromkeys(("sudo", "doas", "pkexec"), Wrapper(_ELEVATED, kind="elevated")),
    **dict.fromkeys(("su", "runuser"), Wrapper(_USER, skip=1, kind="elevated")),
    **dict.fromkeys(("gosu", "su-exec", "setpriv"), Wrapper(skip=1, kind="elevated")),
    **dict.fromkeys(("nsenter", "unshare"), Wrapper(_ISOLATING, kind="elevated")),
    "chroot": Wrapper(_ISOLATING, skip=1, kind="elevated"),
    "nice": Wrapper(_valued("-n --adjustment")),
    "ionice": Wrapper(_valued("-c --class -n --classdata -p -P -u")),
    "chrt": Wrapper(_valued("-T -P -D"), skip=1),
    "taskset": Wrapper(skip=1),
    "timeout": Wrapper(_valued("-k --kill-after -s --signal"), skip=1),
    "stdbuf": Wrapper(_valued("-i --input -o --output -e --error")),
    "time": Wrapper(_valued("-f --format -o --output")),
    "xvfb-run": Wrapper(_valued("-n --server-num -e --error-file -f --auth-file -p --xauth-protocol -s --server-args -w --wait")),
    **dict.fromkeys(
        ("nohup", "setsid", "exec", "command", "unbuffer", "with-contenv", "catatonit", "dbus-run-session",
         "fakeroot", "torsocks", "torify", "proxychains", "proxychains4", "runcon", "valgrind"),
        Wrapper(),
    ),
    "tini": Wrapper(_valued("-p -e")),
    "dumb-init": Wrapper(_valued("-r --rewrite")),
    "caffeinate": Wrapper(_valued("-t -w")),
    **dict.fromkeys(("strace", "ltrace"), Wrapper(_valued("-o -s -p -e -u -E -S -a -b -I -O -P -X -U -n -l -A -F -x"))),
    **dict.fromkeys(("setarch", "linux32", "linux64", "i386"), Wrapper()),
    "faketime": Wrapper(_valued("-p -e"), skip=1),
    "flock": Wrapper(_valued("-w --timeout -E --conflict-exit-code", command="inline"), skip=1),
    **dict.fromkeys(("bwrap", "firejail", "proot", "numactl", "prlimit", "systemd-inhibit", "cgexec", "chpst"), Wrapper()),
    **dict.fromkeys(("sg", "capsh"), Wrapper(_valued("-c", command="inline"), skip=1)),
    "sshpass": Wrapper(_valued("-p -f -d -P")),
    "arch": Wrapper(),
    "cross-env": Wrapper(),
    "dotenv": Wrapper(_valued("-e -v -p -c -f --file -q --quote")),
    "dotenvx": Wrapper(_valued("-f --env-file -e --env -fk --env-keys-file"), ("run",)),
    "op": Wrapper(_valued("--env-file --account --session --config"), ("run",)),
    "doppler": Wrapper(_valued("-p --project -c --config -t --token", command="inline"), ("run",)),
    "infisical": Wrapper(_valued("--env --path --token --projectId --domain", command="inline"), ("run",)),
    "mise": Wrapper(_valued("-C --cd -j --jobs", command="inline"), ("exec",)),
    "asdf": Wrapper(verbs=("exec",)),
    "direnv": Wrapper(verbs=("exec",), skip=1),
    "volta": Wrapper(_valued("--node --npm --pnpm --yarn"), ("run",)),
    "fnm": Wrapper(_valued("--using --fnm-dir"), ("exec",)),
    "poetry": Wrapper(_valued("-C --directory -P --project"), ("run",)),
    "pdm": Wrapper(_valued("-p --project -c --config"), ("run",)),
    "hatch": Wrapper(_valued("-e --env -p --project"), ("run",)),
    "rye": Wrapper(verbs=("run",)),
    "pixi": Wrapper(_valued("-e --environment --manifest-path"), ("run",)),
    "pipenv": Wrapper(verbs=("run",)),
    "bundle": Wrapper(verbs=("exec",)),
    **dict.fromkeys(("conda", "mamba", "micromamba"), Wrapper(_valued("-n --name -p --prefix --cwd"), ("run",))),
    "wsl": Wrapper(_valued("-d --distribution -u --user --cd --shell-type"), kind="elsewhere"),
    "ssh": Wrapper(_SSH, skip=1, kind="elsewhere"),
}  # fmt: skip
_ENV: Final = Syntax(
    valued=names("-u --unset -C --chdir -S --split-string -P -a --argv0"),
    flags=names("-i --ignore-environment -0 --null -v --debug --block-signal --default-signal "
                    "--ignore-signal --list-signal-handling"),
    final=frozenset(["-S", "--split-string"]),
    abbreviates=True,
)  # fmt: skip
_OF_SHELL: Final = frozenset(["flock", "sg", "capsh"])
"""Wrappers that hand a `-c` behind their own words to a shell."""
_DANGEROUS: Final = shells.NAMES | names(
    "powershell pwsh cmd node nodejs deno bun tsx python pypy perl ruby php lua osascript"
)
_ASSIGNMENT: Final = re.compile(r"([^=]+)=(.*)", re.DOTALL)
_FILLED: Final = re.compile(r"\$\{\w+\}", re.ASCII)
_SSH_COMMANDS: Final = re.compile(
    r"\s*(?:ProxyCommand|LocalCommand|KnownHostsCommand|PKCS11Provider)\b", re.IGNORECASE
)


def wrapped(command: Command) -> Launching:
    """A wrapper of the table, and what it starts."""
    of = WRAPPERS[command.runner]
    parsed = parse(command.words, of.syntax)
    found = list(parsed.problems(of.syntax, command.at))
    if of.kind:
        found.append(problem(of.kind, command.at, command.runner))
    start = parsed.others[0] if parsed.others else len(command.words)
    for verb in of.verbs:
        if command.words[start : start + 1] != (verb,):
            words = command.words[start:]
            unknown = problem("unknown", command.at, command.runner)
            return Launching(command.runner, None, "", words, (*found, unknown))
        parsed = parse(command.words, of.syntax, start + 1)
        found += parsed.problems(of.syntax, command.at)
        start = parsed.others[0] if parsed.others else len(command.words)
    if command.runner == "ssh":
        found += [problem("inline", command.at + each.at, "-o") for each in parsed.values("-o")
                  if _SSH_COMMANDS.match(each.value or "")]  # fmt: skip
    start += of.skip
    if command.words[start : start + 1] == ("--",):
        start += 1
    if command.runner in _OF_SHELL and command.words[start : start + 1] in {
        ("-c",),
        ("--command",),
    }:
        found.append(problem("inline", command.at + start, command.words[start]))
    inner = _assigning(command, start)
    return inner.beside([*found, *(() if inner.runner else _hidden(command))])


def _hidden(command: Command) -> Iterator[Problem]:
    """What a shell or interpreter would do that stands further on.

    The options of a wrapper cannot always be told from what it starts: where that seems to be a program
    that nobody knows, it may be the value of an option.
    """
    for at, word in enumerate(command.words[1:], 1):
        if name_of(word).rstrip("0123456789.-") in _DANGEROUS:
            deep = replace(command, depth=max(command.depth, MAX_DEPTH - 2))
            for each in deep.inner(at).errors:
                if each.kind in {"launch/inline", "launch/preload"}:
                    yield each


def env(command: Command) -> Launching:
    """env(1): assignments, then the command; `-S` splits one word into several."""
    parsed = parse(command.words, _ENV)
    split = parsed.values("-S", "--split-string")
    if not split:
        start = parsed.others[0] if parsed.others else len(command.words)
        inner = _assigning(command, start + (command.words[start : start + 1] == ("-",)))
        return inner if inner.runner else inner.beside(_hidden(command))
    try:
        words = _split(split[-1].value or "")
    except ValueError:
        return Launching("env", problems=(problem("shell", command.at + split[-1].at, "-S"),))
    rest = tuple(command.words[each] for each in parsed.others)
    return command.nested(("env", *words, *rest), split[-1].at)


def _split(text: str) -> list[str]:
    """The words of `-S`: its escapes are not those of a shell, and it fills in variables.

    Raises:
        ValueError: it says other words than stand there.
    """
    words = shlex.split(re.sub(r"\\[_tnvfr]", " ", text))
    plain = [word for word in words if not _ASSIGNMENT.fullmatch(word)]
    filled = any("${" in word for word in plain[:1]) or any(map(_FILLED.fullmatch, plain[:3]))
    if filled or re.search(r"\\[c#]", text):
        raise ValueError
    return words


def _assigning(command: Command, start: int) -> Launching:
    """Leading `NAME=value` words, then a command."""
    found: list[Problem] = []
    while start < len(command.words) and (pair := _ASSIGNMENT.fullmatch(command.words[start])):
        found += assigned(pair[1], pair[2], command.at + start)
        start += 1
    return command.inner(start).beside(found)
