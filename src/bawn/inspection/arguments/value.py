"""Values that go into something else: names, addresses and paths that some program or shell will get.

Here any separator, substitution or redirection is an injection, for none of it belongs there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bawn.inspection.arguments import dots, fragment, options
from bawn.inspection.arguments.context import Context
from bawn.inspection.arguments.found import found
from bawn.inspection.arguments.system import is_credential
from bawn.model import Detection

LONGEST: Final = 4096

HARMLESS: Final = re.compile(
    r"(?!.{0,64}0x[25])[A-Za-z0-9_](?:[A-Za-z0-9_:@/+=,~-]|\.(?!\.))*"
).fullmatch
"""Of what no program or shell makes anything but a name."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_SHELL: Final = re.compile(
    r"[;|`\n]|[<>](?!=\s?\d)|&&|&(?=\s|\Z)|^\s*&|\$[({\w@*!?'\"]|\{[^{}\s]{1,64},[^{}]{0,64}\}|%(?:0[ad]|3b|7c|26%26|60)",
    re.IGNORECASE,
)
_TEMPLATE: Final = re.compile(r"\{\{|\{%|\$\{|<%|#\{|\{\$|\[\[\$\{|@\(\d")
_PROGRAMS: Final = r"(?:/\S{0,40}/)?(?:cat|ls|rm|id|curl|wget|nc|bash|sh|perl|python3?|php|sleep|ping|netstat|netsh|ipconfig|dir|whoami|uname|chmod|eval|exec|system)"
_NAMED: Final = re.compile(
    _PROGRAMS
    + r"\s+[-/\w\"'%~].{0,200}|(?:type|which|net)\s+(?:[/%-].{0,200}|[a-z]:.{0,200}|curl|wget|nc|perl|python3?|gcc|view|user.{0,200})",
    re.IGNORECASE,
)
"""A command line where a name should be; as a path, only what names more than a file does."""
_LINE: Final = re.compile(
    _PROGRAMS
    + r"\s+(?:-{1,2}\w|/|\"|'|%|~/).{0,200}|sleep \d+|which \w+|net (?:view|user)|ifconfig|\w{1,20} -{1,2}[a-z]{1,12}",
    re.IGNORECASE,
)
_PROBE: Final = re.compile(
    r"(?:/bin/|/usr/bin/)(?:id|whoami|uname|sh|bash)|ifconfig|netstat|systeminfo|phpinfo(?:\(\))?",
    re.IGNORECASE,
)


def check(value: str, context: Context) -> Iterator[Detection]:
    """What is wrong with a name or identifier."""
    if len(value) <= LONGEST and HARMLESS(value) and not _PROBE.fullmatch(value):
        return
    yield from injected(value)
    yield from options.check(value)
    if ("/" in value or "\\" in value or "%" in value or "0x" in value) and (
        dots.climbs(value, rooted=False) or dots.ENCODED.search(value)
    ):
        yield found("path-traversal", value)
    if _PROBE.fullmatch(value) or _NAMED.fullmatch(value):
        yield found("value-injection", value)
    if value[:1] in ("'", '"') or (fragment.unbalanced(value) and not _APOSTROPHE.search(value)):
        yield found("value-injection", value)
    if is_credential(value):
        yield found("path-system", value)


def injected(value: str) -> Iterator[Detection]:
    """Control characters, what a shell would act on, and template expressions."""
    if len(value) > LONGEST:
        yield found("value-length", value)
        return
    control = _CONTROL.search(value)
    if control:
        yield found("value-control", value, control.start(), control.end())
    shell = _SHELL.search(value) or fragment_call(value)
    if shell:
        yield found("value-injection", value, shell.start(), shell.end())
    elif '"' in value or "'" in value or "\\n" in value or "%" in value:
        yield from (
            each for each in fragment.edges(value) if each.rule != "argument/command-foreign"
        )
    template = _TEMPLATE.search(value)
    if template:
        yield found("value-template", value, template.start(), template.end())


_APOSTROPHE: Final = re.compile(r"\w['\u2019]\w")
_CALL: Final = re.compile(
    r"\b(?:system|exec|eval|passthru|shell_exec|popen|proc_open|phpinfo|sleep)\s*\(", re.IGNORECASE
)


def fragment_call(value: str) -> re.Match[str] | None:
    """A call of a function that runs commands."""
    return _CALL.search(value) if "(" in value else None


def line(value: str) -> re.Match[str] | None:
    """A whole command line in the place of a file's name."""
    return _LINE.fullmatch(value)
