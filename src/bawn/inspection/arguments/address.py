"""URLs and hosts: read as the strictest and the laxest parser would, which have to agree.

Nothing is looked up here. Source: WHATWG URL against RFC 3986, where the two part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bawn.inspection.arguments import dots, hosts, options
from bawn.inspection.arguments.context import Context
from bawn.inspection.arguments.found import found, hidden
from bawn.inspection.arguments.lax import decoded
from bawn.inspection.arguments.system import is_credential
from bawn.model import Detection

LONGEST: Final = 8192

_HARMLESS: Final = re.compile(
    r"https?://([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,6}\.[a-z]{2,24})(?::\d{1,5})?(?:[/?#][A-Za-z0-9_./?&=+~:!,;*$'()-]*)?"
).fullmatch
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}):(?!\d{1,5}(?:[/?#]|\Z))")
_SCHEMES: Final = frozenset({"http", "https", "ws", "wss"})
_REMOTES: Final = re.compile(
    r"(?:[A-Za-z0-9_.-]{1,64}@)?([A-Za-z0-9.-]{1,253}):(?!//)([A-Za-z0-9_~./-]{1,512})"
)
_IMAGE: Final = re.compile(r"data:(?:image|audio|video|application/pdf)[\w/;=+.-]{0,80},")
_DOUBLE: Final = re.compile(r"%%|%25|%(?:c[01]|e0%8|f0%8|u[0-9a-f]{4}|00|2e|5c)", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2000-\u200f\u2028\u2029\u3000\ufeff]")
_PORTED: Final = re.compile(r"(.*?)(?::(\d{1,5}))?", re.DOTALL)


def url(
    value: str,
    context: Context,
    *,
    custom: bool = False,
    remote: bool = False,
    inline: bool = False,
) -> Iterator[Detection]:
    """What is wrong with a URL.

    `custom` lets schemes of applications pass, `remote` those of git, `inline` content in its own place.
    """
    if inline and value[:5].lower() == "data:":
        return
    harmless = _HARMLESS(value) if len(value) <= LONGEST else None
    if harmless and ".." not in value:
        yield from _host(value, harmless.group(1), context)
        return
    if len(value) > LONGEST and not _IMAGE.match(value):
        yield found("value-length", value)
        return
    scheme = _SCHEME.match(value)
    if scheme is None:
        yield from _schemeless(value, context)
    elif _IMAGE.match(value):
        return
    elif remote and scheme.group(1).lower() not in _SCHEMES:
        yield from _remote(value, scheme, context)
    elif scheme.group(1).lower() not in _SCHEMES:
        yield from _foreign(value, scheme.group(1).lower(), custom)
    else:
        yield from _web(value, scheme, context)


_NETWORK: Final = frozenset(
    [
        "file",
        "ftp",
        "ftps",
        "sftp",
        "tftp",
        "gopher",
        "dict",
        "ldap",
        "ldaps",
        "netdoc",
        "jar",
        "php",
        "phar",
        "expect",
        "zip",
        "data",
        "javascript",
        "vbscript",
        "view-source",
        "imap",
        "imaps",
        "pop3",
        "smtp",
        "smtps",
        "telnet",
        "rtsp",
        "smb",
        "cifs",
        "nfs",
        "mailto",
        "news",
        "nntp",
        "ogg",
        "glob",
        "zlib",
        "compress.zlib",
        "local_file",
        "about",
        "blob",
        "chrome",
        "resource",
        "unix",
        "http+unix",
        "redis",
        "mysql",
        "postgres",
        "mongodb",
        "git",
        "ssh",
        "svn",
        "rsync",
        "ws+unix",
        "scp",
        "xmpp",
    ]
)


def _foreign(value: str, scheme: str, custom: bool) -> Iterator[Detection]:
    if not custom or scheme in _NETWORK or scheme.startswith(("url", "feed", "view")):
        yield found("url-scheme", value, 0, len(scheme) + 1)
    elif _CONTROL.search(value):
        yield found("url-confusion", value)


def _remote(value: str, scheme: re.Match[str], context: Context) -> Iterator[Detection]:
    """Addresses of repositories: `ssh://…`, `git://…` and `user@host:path`."""
    name = scheme.group(1).lower()
    if name in ("ssh", "git", "git+ssh", "git+https", "git+http") and value.startswith(
        "//", scheme.end()
    ):
        body = value[scheme.end() + 2 :].partition("/")[0].rpartition("@")[2]
        yield from options.check(body)
        yield from host(_PORTED.fullmatch(body).group(1), context)  # type: ignore[union-attr]  # it matches all
    elif name not in _NETWORK and (short := _REMOTES.fullmatch(value)):
        yield from host(short.group(1), context)
    else:
        yield found("url-scheme", value, 0, len(name) + 1)


def _schemeless(value: str, context: Context) -> Iterator[Detection]:
    """A host and path without a scheme; what begins with one slash is a path on the server's own site."""
    if value.startswith(("/", "?", "#", "./")) and not re.match(r"[/\\][/\\\t\r\n]", value):
        if _CONTROL.search(value) or "\\" in value:
            yield found("url-confusion", value)
        place = value.partition("?")[0]
        if dots.climbs(place, rooted=False) or _DOUBLE.search(place) or is_credential(value):
            yield found("path-traversal", value)
        return
    short = _REMOTES.fullmatch(value) if "@" in value else None
    if short:
        yield from host(short.group(1), context)
        return
    yield from options.check(value)
    if value:
        yield from _authority(value, value.lstrip("/\\"), context)


def _web(value: str, scheme: re.Match[str], context: Context) -> Iterator[Detection]:
    rest = value[scheme.end() :]
    if not rest.startswith("//") or rest.startswith(("///", "//\\")):
        yield found("url-confusion", value)
    yield from _authority(value, rest.lstrip("/\\"), context)


def _authority(value: str, rest: str, context: Context) -> Iterator[Detection]:
    """Both readings of what stands before the path: a backslash is a slash to the one, a letter to the other."""
    strict = re.split(r"[/?#]", rest, maxsplit=1)[0]
    lax = re.split(r"[/\\?#]", rest, maxsplit=1)[0]
    odd = _CONTROL.search(value.rstrip(" "))
    if odd or strict != lax or "\\" in rest or _late(rest, strict):
        yield found("url-confusion", value, *(odd.span() if odd else (0, len(value))))
    place = re.split(r"[?#]", rest, maxsplit=1)[0][len(strict) + 1 :]
    if place and dots.climbs(place, rooted=False):
        yield found("path-traversal", value)
    if "@" in strict:
        yield hidden("url-userinfo", value, "…@" + strict.rpartition("@")[2])
    seen: set[str] = set()
    for part in (strict, lax):
        for each in (
            {part.rpartition("@")[2], part.partition("@")[2] or part, part.partition("@")[0]}
            if "@" in part
            else {part}
        ):
            name = decoded(each) if "%" in each and not each.startswith("[") else each
            if name not in seen:
                seen.add(name)
                yield from _ported(value, name, context)


def _late(rest: str, strict: str) -> bool:
    """An at-sign right behind what ends the host for some: `a.example#@b.example`."""
    after = rest[len(strict) : len(strict) + 3]
    return ("@" in after[:2] and after[:1] in "?#") or after.startswith("#\\")


def _ported(value: str, authority: str, context: Context) -> Iterator[Detection]:
    if authority.startswith("["):
        name, bracket, port = authority.partition("]")
        if not bracket or (port and not re.fullmatch(r":\d{0,5}", port)):
            yield found("url-confusion", value)
        yield from _host(value, name + "]", context)
        return
    name, colon, port = authority.partition(":")
    if colon and (not re.fullmatch(r"\d{0,5}", port) or int(port or 0) > 65535):
        yield found("url-confusion", value)
    yield from _host(value, name, context)


def host(value: str, context: Context) -> Iterator[Detection]:
    """What is wrong with a host, with or without a port."""
    text = value.strip(" ")
    if "://" in text[:40]:
        yield from url(text, context)
    elif text.count(":") > 1 and not text.startswith("["):
        yield from options.check(text)
        yield from _host(value, text, context)
    elif text:
        yield from options.check(text)
        if "/" in text or "@" in text or "\\" in text:
            yield from _authority(value, text, context)
        else:
            yield from _ported(value, text, context)


def _host(value: str, name: str, context: Context) -> Iterator[Detection]:
    if context.hosts is not None:
        plain = hosts.plain(name).strip("[]")
        if context.hosts.fullmatch(plain):
            rule = hosts.rule_of(name, private=True)
            if (
                rule in ("host-form", "host-metadata")
                and plain.isascii()
                and not _is_literal(context, plain)
            ):
                yield found(rule, value)
            return
        yield found("host-pattern", value)
    rule = hosts.rule_of(name, private=context.private)
    if rule is not None:
        yield found(rule, value)


def _is_literal(context: Context, plain: str) -> bool:
    """Whether the configuration names this very host, and not just a pattern that covers it."""
    return context.hosts is not None and re.escape(plain) in context.hosts.pattern
