"""Templates: expressions that leave the template for the language behind it.

A template may have expressions of its own; what none needs are the ways into classes, modules and processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bawn.detectors.engine import Patterns
from bawn.inspection.arguments.context import Context
from bawn.inspection.arguments.found import found
from bawn.model import Detection

LONGEST: Final = 256 << 10

_ENGINES: Final = Patterns(
    (
        r"__(class|mro|bases?|subclasses|globals|builtins|import|init|getattribute|reduce)__",
        r"\|\s*attr\s*\(",
        r"\b(cycler|joiner|lipsum|url_for|get_flashed_messages|request\.(application|environ)|config\.(items|from_object|__)|self\._)",
        r"getRuntime\s*\(|ProcessBuilder|T\s*\(\s*java\.|java\.lang\.|freemarker\.template\.utility|\?new\s*\(|#set\s*\(\s*\$\w+\s*=\s*['\"]?['\"]?\.?\$?class|\$class\.inspect|getClass\s*\(",
        r"\bos\.(popen|system)|subprocess\.|\bpopen\s*\(|_self\.env|registerUndefinedFilterCallback|\|\s*(filter|map|sort|reduce)\s*\(\s*['\"](system|exec|passthru)",
        r"<%=?\s*(system|exec|IO\.popen|`|File\.|Dir\.|Kernel)|\{(php|literal)\}|\{\s*system\s*\(|\{\{\s*\[\]\.|constructor\.constructor|process\.mainModule|global\.process|child_process|require\s*\(\s*['\"](fs|os|net)",
        r"\{\{\s*['\"]?\d+['\"]?\s*[*]\s*['\"]?\d+['\"]?\s*\}\}|\$\{\s*\d+\s*\*\s*\d+\s*\}|<%=\s*\d+\s*\*\s*\d+\s*%>|#\{\s*\d+\s*\*\s*\d+\s*\}|\{\{\s*config\s*\}\}|\{%\s*debug\s*%\}",
    )
)


def check(value: str, context: Context) -> Iterator[Detection]:
    """What is wrong with a template."""
    if len(value) > LONGEST:
        yield found("value-length", value)
    elif any(mark in value for mark in "{<#$%["):
        yield from _matched(value, _ENGINES, "template-code")


def _matched(value: str, patterns: Patterns, rule: str) -> Iterator[Detection]:
    data = value.encode("utf-8", "replace")
    for match in patterns.find(data)[:1]:
        start = len(data[: match.start].decode("utf-8", "ignore"))
        yield found(rule, value, start, start + match.end - match.start)


_PAYLOADS: Final = Patterns(
    (
        r"\bconnect\s*\([^\n]*\)[\s\S]*\b(dup2|pty\.spawn)\s*\(|dup2\s*\([^\n]*\bfileno\b",
        r"\b(exec|eval)\s*\(\s*(__import__\s*\(\s*['\"](base64|zlib|marshal|codecs)|base64\.|zlib\.|marshal\.|codecs\.|atob\s*\(|Buffer\.from\s*\()",
        r"new\s+net\.Socket[\s\S]*child_process|child_process[\s\S]*\.pipe\s*\(\s*\w+\.stdin",
        r"/dev/tcp/\d",
        r"(urlopen|requests\.get|urlretrieve|fetch)\s*\(?[^\n]*\)[^\n]*\b(exec|eval)\s*\(|\b(exec|eval)\s*\(\s*(urllib|requests|urlopen|await\s+fetch)",
        r"fsockopen\s*\([\s\S]*\b(proc_open|exec|shell_exec)\s*\(",
        r"\beval\s*\(\s*(base64_decode|gzinflate|str_rot13|\$_(GET|POST|REQUEST|COOKIE))",
    )
)


def code(value: str, context: Context) -> Iterator[Detection]:
    """What is wrong with code: only shapes known from attacks count, for code may do anything else."""
    if len(value) > 4 * LONGEST:
        yield found("value-length", value)
    else:
        yield from _matched(value, _PAYLOADS, "code-payload")
