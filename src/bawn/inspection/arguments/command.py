"""Whole command lines for a shell: pipes, lists and redirections are ordinary there, and stay so.

What is looked for is what ordinary ones never have: fragments made to be put behind something, what
attackers read, run and write, and disguises of it. The words come from a parser, so quotes do not hide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from bawn.detectors.engine import Patterns
from bawn.inspection.arguments import fragment, shell
from bawn.inspection.arguments.context import Context
from bawn.inspection.arguments.found import RULES, found
from bawn.inspection.arguments.programs import misused
from bawn.inspection.arguments.shell import Script
from bawn.inspection.arguments.system import is_credential
from bawn.model import Detection

LONGEST: Final = 64 << 10
"""Characters; of what is longer nothing is known, so it is refused."""
_DEEPEST: Final = 3
"""Shells within shells that are followed."""

_TEXTUAL: Final = [
    (rule.id.removeprefix("argument/"), pattern)
    for rule in RULES.values()
    if rule.id.startswith("argument/command-")
    for pattern in rule.patterns
]
_PATTERNS: Final = Patterns([pattern for _, pattern in _TEXTUAL], starts=False)

_PROBES: Final = re.compile(
    r"(id|whoami|pwd|uname( -a)?|hostname|ifconfig( -a)?|ip a(ddr)?|ipconfig( /all)?|netstat -[an]{1,2}|net (view|user|users|localgroup)"
    r"|systeminfo|sysinfo|ver|w|ps aux|phpinfo|(/usr)?/bin/(id|uname|whoami)|sleep \d{1,3}|timeout /?t? ?\d{1,3}|(ls|dir)( -\w+)* (/|/etc|/root|/home|/var/www|[a-z]:\\?)/?\*?"
    r"|ping (-[nci] \d+ )?(127\.\d+\.\d+\.\d+|localhost)|(which|where|type) (curl|wget|nc|ncat|netcat|perl|python3?|ruby|php|gcc|cc|bash|lynx|fetch|tftp|ftp))",
    re.IGNORECASE,
)
_STAGED: Final = re.compile(
    r"[^\s|;&]{0,64}(?:[;|]|\|\||&&)(?:/usr/bin/|/bin/|usr/bin/)?(?:id|whoami|uname|ifconfig|ipconfig|hostname|pwd)\b"
)
_DATA: Final = re.compile(
    r"['\"]?(?:[^\s;|&'\"]{1,100}\.(?:csv|txt|pdf|png|jpe?g|gif|json|log|md|html?|xml|ya?ml|zip|docx?|xlsx?|mp[34]|com|net|org|io|local)|\d{1,3}(?:\.\d{1,3}){3})['\")]{0,2}\s*(?:;|\||&)",
    re.IGNORECASE,
)
"""A file or host where a command should be, and a separator behind it."""
_BRACES: Final = re.compile(r"(?:^|[;|&]\s{0,4})\{\w{2,20},[^{}\n]{1,200}\}")
_GLOB_NAME: Final = frozenset("*?[")
_HIDDEN_NAME: Final = re.compile(
    r"\w(''|\"\"|['\"\\]\w|\$@|\$\*|`)|^\{\w+,|^\$'|^['\"]?[a-z]{1,3}['\"][a-z]"
)

_WINDOWS: Final = re.compile(
    r"\.(?:bat|cmd|com|exe|ps1)['\"]?$|^['\"]?(?:\.{0,2}\\|[a-z]:\\)", re.IGNORECASE
)


def check(value: str, context: Context) -> Iterator[Detection]:
    """What is wrong with a whole command line."""
    return _checked(value, 0)


_WORD: Final = re.compile(r"[;`\n]|&&|\|\||\$[({]|\|\s|\s\||%0[ad]|\x00", re.IGNORECASE)


def word(value: str, context: Context) -> Iterator[Detection]:
    """What is wrong with words that are put behind a program's name: options are ordinary there."""
    if len(value) > LONGEST:
        yield found("value-length", value)
        return
    ends = _WORD.search(value)
    if ends:
        yield found("value-injection", value, ends.start(), ends.end())
    yield from fragment.edges(value)
    if is_credential(value.rpartition("=")[2]):
        yield found("command-sensitive", value)


def item(value: str, context: Context) -> Iterator[Detection]:
    """What is wrong with one word of a command that comes as a list: what would begin another command."""
    yield from fragment.edges(value)


def _checked(value: str, depth: int) -> Iterator[Detection]:
    if not value or value.isspace():
        return
    if len(value) > LONGEST:
        yield found("value-length", value)
        return
    if _PROBES.fullmatch(value.strip()[:80]):
        yield found("command-probe", value)
    yield from fragment.edges(value)
    yield from _textual(value)
    script = shell.read(value)
    if script.cut:
        yield found("value-length", value)
    yield from _structural(value, script, depth)


def _textual(value: str) -> Iterator[Detection]:
    data = value.encode("utf-8", "replace")
    for match in _PATTERNS.find(data):
        end = len(data[: match.end].decode("utf-8", "ignore"))
        yield found(_TEXTUAL[match.pattern][0], value, 0, end)
    staged = _STAGED.match(value) or _DATA.match(value)
    if staged:
        yield found("command-fragment", value, staged.start(), staged.end())
    braces = _BRACES.search(value)
    if braces:
        yield found("command-obfuscated", value, braces.start(), braces.end())


def _structural(value: str, script: Script, depth: int) -> Iterator[Detection]:
    if fragment.unbalanced(value) and (script.broken or value.count("'") + value.count('"') == 1):
        yield found("command-quotes", value)
    for pipeline in script.pipelines:
        for command in pipeline:
            if _is_disguised(command.raw, value):
                yield found("command-obfuscated", value)
        for rule in misused(pipeline):
            yield found(rule, value)
        if depth < _DEEPEST:
            for inner in shell.handed(pipeline):
                yield from _inner(inner, value, depth)
    if downloaded_then_run(script):
        yield found("command-download-run", value)


def _inner(text: str, value: str, depth: int) -> Iterator[Detection]:
    """What is found in a text that a shell within is handed, shown at the whole."""
    for detection in _checked(text, depth + 1):
        rule = detection.rule.removeprefix("argument/")
        if rule not in ("command-probe", "command-quotes", "command-fragment"):
            yield found(rule, value)


def _is_disguised(raw: str, value: str) -> bool:
    """Whether a command's name is written so that it does not read as what it is."""
    if raw.startswith("$"):
        name = raw.strip('${}"')
        return raw.startswith("$'") or (name.isidentifier() and f"{name}=" in value)
    if raw[:1] in "'\"" and not any(mark in raw for mark in "/\\ ") and "{" in raw:
        return True
    if _HIDDEN_NAME.search(raw[:64]) and not _WINDOWS.search(raw[:260]):
        return True
    return len(raw) > 1 and bool(_GLOB_NAME & set(raw)) and not raw.startswith("[")


def downloaded_then_run(script: Script) -> bool:
    """Whether a later command runs the file that an earlier one fetched."""
    fetched: set[str] = set()
    for pipeline in script.pipelines:
        for command in pipeline:
            name = command.name.rsplit("/", 1)[-1]
            if name in ("curl", "wget"):
                fetched |= _targets(command.words)
                fetched |= {each.target for each in command.redirects if each.writes}
            elif (
                fetched and ({command.name, *command.words[:2]} & fetched) and name not in _HANDLES
            ):
                return True
    return False


_HANDLES: Final = frozenset(
    [
        "tar",
        "unzip",
        "gunzip",
        "gzip",
        "bunzip2",
        "xz",
        "cat",
        "less",
        "more",
        "head",
        "tail",
        "grep",
        "jq",
        "mv",
        "cp",
        "rm",
        "ls",
        "file",
        "sha256sum",
        "md5sum",
        "sha512sum",
        "gpg",
        "cd",
        "mkdir",
        "dpkg",
        "apt",
        "rpm",
        "dnf",
        "yum",
        "install",
        "chmod",
        "chown",
        "open",
        "xdg-open",
        "convert",
        "ffmpeg",
        "diff",
        "sort",
        "wc",
        "stat",
        "du",
        "zcat",
        "7z",
        "patch",
        "sudo",
        "echo",
    ]
)


def _targets(words: list[str]) -> set[str]:
    """The files that a download writes: after `-o` and `-O`, or the end of its address."""
    named = {after for word, after in pairwise(words) if word in ("-o", "-O", "--output")}
    ends = {word.rsplit("/", 1)[-1].partition("?")[0] for word in words if "://" in word}
    plain = {each for each in named | ends if each and not each.startswith("-")}
    return plain | {f"./{each}" for each in plain if "/" not in each}
