"""Paths: as they read, in every form that some decoder takes, and where they really lead.

Without roots, whatever climbs out of its start is refused; with roots, the real path decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bawn.inspection.arguments import address, containment, dots, fragment, options
from bawn.inspection.arguments.context import Context
from bawn.inspection.arguments.found import found
from bawn.inspection.arguments.lax import decoded
from bawn.inspection.arguments.system import is_credential
from bawn.inspection.arguments.value import fragment_call, line
from bawn.model import Detection

LONGEST: Final = 4096

HARMLESS: Final = re.compile(
    r"(?:\./|/)?(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_][A-Za-z0-9_.-]*"
).fullmatch
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SHELL: Final = re.compile(
    r"[|`\n<>]|\$\(|\$\{|&&|;\s*(?:[a-z]|\Z)|^\s*[;&]|&\s*\Z|\$\w+[;|]|%(?:0[ad]|26%26|7c)|\{[a-z]{2,12},[/~]|\{\{|\{%|^['\"]?\\n|\(\)\s*\{|=\$['\"]|^['\"]\{\w+\}",
    re.IGNORECASE,
)
_SCHEME: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]{1,20}:(?=//|[^\\/\s:]+!|\S*://)|(?:php|data|expect|phar|javascript|zlib|glob|view-source|netdoc|jar|file):",
    re.IGNORECASE,
)
_STORES: Final = frozenset(
    {
        "s3",
        "gs",
        "gcs",
        "abfs",
        "abfss",
        "wasb",
        "wasbs",
        "az",
        "azure",
        "hdfs",
        "dbfs",
        "oss",
        "cos",
        "r2",
        "b2",
        "res",
        "uid",
        "user",
        "memory",
        "asset",
        "assets",
        "npm",
        "github",
        "vscode",
        "note",
        "notes",
        "obsidian",
        "hf",
        "docker",
        "oci",
        "rsync",
        "ssh",
        "sftp",
        "ftp",
        "ftps",
        "smb",
        "nfs",
        "git",
    }
)
_DEVICE: Final = re.compile(
    r"(?:^|[/\\])(?:con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$|clock\$)(?:\.[^/\\]{0,16})?(?:[/\\]|\Z)|::?\$\w{4,}|^(?:\\\\|//)[?.\w]|^/?dev/(?!null|stdin|stdout|stderr|zero|u?random|fd/|shm/|pts)",
    re.IGNORECASE,
)
_STREAM: Final = re.compile(r"[^/\\:]{2,}\.\w{1,8}:\w+(?:\.\w+)?\Z|[^./\\][. ]+\Z")


def check(value: str, context: Context) -> Iterator[Detection]:
    """What is wrong with a path."""
    if len(value) <= LONGEST and HARMLESS(value) and "0x" not in value:
        yield from _system(value)
        device = _DEVICE.search(value)
        if device:
            yield found("path-device", value, device.start(), device.end())
        yield from containment.check(value, context)
        return
    if len(value) > LONGEST:
        yield found("value-length", value)
        return
    scheme = _SCHEME.match(value)
    if scheme:
        yield from _addressed(value, scheme.group().partition(":")[0].lower(), context)
        return
    yield from _lexical(value, context)
    yield from _system(value)
    yield from containment.check(value, context)


def _addressed(value: str, scheme: str, context: Context) -> Iterator[Detection]:
    """Addresses in the place of paths: object stores are, and what is on the web is held against its host."""
    if scheme in ("http", "https"):
        yield from address.url(value, context)
    elif scheme not in _STORES:
        yield found("path-scheme", value, 0, len(scheme) + 1)
    elif ".." in decoded(value):
        yield found("path-traversal", value)


def _lexical(value: str, context: Context) -> Iterator[Detection]:
    control = _CONTROL.search(value)
    if control:
        yield found("value-control", value, control.start(), control.end())
    shell = _SHELL.search(value) or fragment_call(value) or line(value)
    if shell:
        yield found("value-injection", value, shell.start(), shell.end())
    elif fragment.unbalanced(value) and not re.search(r"\w['\"]\w", value):
        yield found("value-injection", value)
    encoded = dots.ENCODED.search(value)
    if encoded:
        yield found("path-encoding", value, encoded.start(), encoded.end())
    if dots.climbs(value, rooted=bool(context.roots)):
        yield found("path-traversal", value)
    device = _DEVICE.search(value) or _STREAM.search(value[-260:])
    if device and value.strip("."):
        yield found("path-device", value)
    yield from options.check(value)


def _system(value: str) -> Iterator[Detection]:
    if is_credential(value) or ("%" in value and is_credential(decoded(value))):
        yield found("path-system", value)
