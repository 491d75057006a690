"""What programs are misused for: rules over the commands of one pipeline, by their names and words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from bawn.inspection.arguments.shell import Command
from bawn.inspection.arguments.system import is_credential

SHELLS: Final = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash", "fish", "csh", "tcsh"})
_INTERPRETERS: Final = SHELLS | {
    "perl",
    "ruby",
    "php",
    "node",
    "lua",
    "osascript",
    "pwsh",
    "powershell",
}
_FETCHES: Final = frozenset(
    {"curl", "wget", "fetch", "aria2c", "lynx", "http", "https", "xh", "ftp", "tftp"}
)
_DECODES: Final = frozenset(
    {"base64", "base32", "xxd", "openssl", "uudecode", "gunzip", "zcat", "rev", "tr"}
)
_WRAPS: Final = frozenset(
    {
        "sudo",
        "doas",
        "env",
        "nohup",
        "exec",
        "command",
        "time",
        "nice",
        "timeout",
        "xargs",
        "busybox",
        "setsid",
        "stdbuf",
    }
)
_READS: Final = frozenset(
    [
        "cat",
        "tac",
        "head",
        "tail",
        "less",
        "more",
        "nl",
        "od",
        "xxd",
        "hexdump",
        "strings",
        "base64",
        "base32",
        "cp",
        "mv",
        "scp",
        "rsync",
        "tar",
        "zip",
        "gzip",
        "curl",
        "wget",
        "dd",
        "grep",
        "egrep",
        "awk",
        "sed",
        "cut",
        "sort",
        "uniq",
        "paste",
        "vi",
        "vim",
        "nano",
        "emacs",
        "view",
        "open",
        "type",
        "copy",
        "xcopy",
        "get-content",
        "gc",
        "python",
        "python3",
        "perl",
        "ruby",
        "php",
        "node",
        "ln",
        "install",
        "ftp",
        "nc",
        "ncat",
        "netcat",
        "find",
        "diff",
        "rev",
        "fold",
        "wc",
        "file",
        "source",
        ".",
        "unshadow",
        "john",
        "hashcat",
        "ls",
        "sh",
        "bash",
    ]
)
_ASKS: Final = frozenset({"curl", "wget", "nslookup", "dig", "host", "ping", "nc", "ncat", "fetch"})
_TELLS: Final = frozenset(
    {
        "id",
        "whoami",
        "hostname",
        "uname",
        "cat",
        "env",
        "printenv",
        "base64",
        "ls",
        "grep",
        "pwd",
        "ps",
        "head",
        "tail",
        "xxd",
    }
)
_STARTUP: Final = re.compile(
    r"(?:^|/)authorized_keys2?$|^/etc/(?:cron|init\.d/|rc\d?\.|rc\.local|profile|sudoers|passwd|shadow|group$|ld\.so\.preload|pam\.d/|ssh/sshd|systemd/system/|inittab|update-motd\.d/)|^/var/spool/cron|\\start menu\\programs\\startup\\",
    re.IGNORECASE,
)
_POSTED: Final = re.compile(
    r"(?:^|=)@(?:/|~|\.env|\.ssh|\.aws|\.git)|^--post-file=?(?:/|~|\.env|\.ssh|\.aws)?"
)
_ROOTS: Final = frozenset(
    {
        "/",
        "/*",
        "~",
        "~/",
        "~/*",
        "$HOME",
        "${HOME}",
        "$HOME/*",
        "/.",
        "/home",
        "/etc",
        "/usr",
        "/var",
        "/bin",
        "/boot",
        "c:",
        "c:*",
    }
)


def misused(pipeline: Sequence[Command]) -> Iterator[str]:
    """The rules that the commands of a pipeline break, by name."""
    sources: set[str] = set()
    for command in pipeline:
        name, words = program(command)
        if sources and _runs_input(name, words):
            if sources & _FETCHES:
                yield "command-download-run"
            elif sources & _DECODES:
                yield "command-decoded-run"
        yield from _alone(command, name, words)
        sources.add(name)


def program(command: Command) -> tuple[str, list[str]]:
    """The program that really runs, behind `sudo` and the like, and its words."""
    name, words = _base(command.name), command.words
    for _ in range(4):
        if name not in _WRAPS:
            break
        rest = [
            word
            for word in words
            if not word.startswith("-") and "=" not in word and not word[:1].isdigit()
        ]
        if not rest:
            break
        after = words.index(rest[0]) + 1
        name, words = _base(rest[0]), words[after:]
    return name, words


def _base(name: str) -> str:
    return re.split(r"[/\\]", name)[-1].lower().removesuffix(".exe")


def _runs_input(name: str, words: Sequence[str]) -> bool:
    """Whether an interpreter reads its program from what is piped into it."""
    if name not in _INTERPRETERS and not re.fullmatch(r"python[\d.]*", name):
        return name in ("iex", "invoke-expression", "source", ".") or (
            name == "xargs" and bool(SHELLS & set(words))
        )
    scripts = [word for word in words if not word.startswith("-") and word != "/dev/stdin"]
    return not scripts or "-s" in words or (words[0] == "-" if words else False)


def _alone(command: Command, name: str, words: Sequence[str]) -> Iterator[str]:
    inside = [program(each)[0] for each in command.inside]
    if name in SHELLS or name in ("eval", "source", ".") or name.startswith("python"):
        if _FETCHES & set(inside):
            yield "command-download-run"
        elif {"base64", "base32", "xxd", "uudecode"} & set(inside):
            yield "command-decoded-run"
    if _reads_credentials(command, name, words):
        yield "command-sensitive"
    if _writes_startup(command, name, words):
        yield "command-persistence"
    if name in _ASKS and (_TELLS & set(inside) or any(_POSTED.search(word) for word in words)):
        yield "command-exfiltration"
    if name == "rm" and _recursive(words) and _ROOTS & {word.rstrip("/") or "/" for word in words}:
        yield "command-destructive"


def _recursive(words: Sequence[str]) -> bool:
    return any(
        word == "--recursive" or re.fullmatch(r"-[a-zA-Z]*[rR][a-zA-Z]*", word) for word in words
    )


def _reads_credentials(command: Command, name: str, words: Sequence[str]) -> bool:
    read = [each.target for each in command.redirects if not each.writes]
    if name in _READS:
        read += [word.rpartition("=")[2].lstrip("@") for word in (*words, *command.paths)]
    return any(is_credential(word) for word in read)


def _writes_startup(command: Command, name: str, words: Sequence[str]) -> bool:
    written = [each.target for each in command.redirects if each.writes]
    if name == "tee":
        written += words
    elif name in ("cp", "mv", "install", "ln", "scp", "rsync") and words:
        written.append(words[-1])
    elif name in ("sed", "perl") and any(word.startswith("-i") for word in words):
        written += words
    return any(_STARTUP.search(word) for word in written)
