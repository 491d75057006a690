"""What an argument is: by configuration, then by its schema, its name, and what is said of it.

Precise rather than eager: what is not clear is text, which has no typed check.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bawn.config.inspection import ArgumentKind
from bawn.inspection.arguments import words as table
from bawn.model import Json

_FORMATS: Final[dict[str, ArgumentKind]] = {
    "uri": "url", "url": "url", "iri": "url", "uri-reference": "url", "iri-reference": "url", "http-url": "url",
    "hostname": "host", "idn-hostname": "host", "ipv4": "host", "ipv6": "host", "ip": "host",
    "password": "secret", "path": "path", "file-path": "path", "directory-path": "path", "sql": "sql",
    "email": "text", "date": "text", "date-time": "text", "time": "text", "duration": "text", "regex": "text",
    "uuid": "identifier", "binary": "text", "byte": "text", "json-pointer": "text", "uri-template": "text",
}  # fmt: skip
_MEDIA: Final[dict[str, ArgumentKind]] = {
    "application/sql": "sql", "text/x-sql": "sql", "application/x-sh": "command", "text/x-shellscript": "command",
    "application/javascript": "code", "text/javascript": "code", "text/x-python": "code", "application/typescript": "code",
}  # fmt: skip
_ENDS: Final = frozenset({"source", "destination", "src", "dst", "dest"})
_MOVES: Final = frozenset({"move", "rename", "copy", "link", "symlink", "mv", "cp"})
_MOVED: Final = frozenset({"file", "files", "directory", "directories", "folder", "folders"})


class Sort(msgspec.Struct, frozen=True):
    """The kind of one argument. `custom` are URLs of applications' own schemes, `remote` those of git.

    Where `inline`, content itself may stand in the place of its URL (RFC 2397). A `word` becomes one of the words of a command, and is no command line itself.
    """

    kind: ArgumentKind
    custom: bool = False
    remote: bool = False
    inline: bool = False
    word: bool = False


TEXT: Final = Sort("text")


def configured(
    settings: Mapping[str, Mapping[str, ArgumentKind]], tool: str
) -> dict[str, ArgumentKind]:
    """The kinds that the configuration gives for a tool, by dotted path; exact names go before patterns."""
    chosen: dict[str, ArgumentKind] = {}
    for pattern in sorted(settings, key=lambda each: (each == tool, len(each))):
        if fnmatch.fnmatchcase(tool, pattern):
            chosen.update(settings[pattern])
    return chosen


def sort_of(name: str, schema: Json, tool: str, about: str) -> Sort:
    """The sort of an argument, as far as its definition tells; `about` is what is said of the tool."""
    options = schema.get("enum")
    if (isinstance(options, list) and options) or "const" in schema:
        return TEXT  # the schema names every value there is
    media = _MEDIA.get(str(schema.get("contentMediaType", "")).lower())
    if media:
        return Sort(media)
    said = _said(schema)
    shaped = _FORMATS.get(str(schema.get("format", "")).lower())
    if shaped == "url":
        return _url(name, said, tool) or TEXT
    if shaped:
        return Sort(shaped)
    return _named(name, said, tool, f"{about[:400]}") or _shown(schema) or TEXT


def _said(schema: Json) -> str:
    parts = (schema.get("title"), schema.get("description"))
    return " ".join(part[:400] for part in parts if isinstance(part, str))


def _named(name: str, said: str, tool: str, about: str) -> Sort | None:
    parts = table.words(name)
    if not parts:
        return None
    last = parts[-1]
    whole = "".join(parts)
    if last in table.NAMES["secret"] or whole in table.NAMES["secret"]:
        return (
            Sort("secret") if last != "token" or len(parts) > 1 or "token" in said.lower() else None
        )
    if last in table.NAMES["command"] or whole in table.NAMES["command"] or last == "script":
        return _command(last, said, tool, about)
    if last in table.NAMES["url"] or whole.endswith(("url", "urls")):
        return _url(name, said, tool)
    if last in table.NAMES["path"] or whole.endswith(("filepath", "filename")):
        return _path(parts, said)
    if last in table.NAMES["host"]:
        return _host(parts, said)
    return _other(parts, whole, said, tool, about)


def _command(last: str, said: str, tool: str, about: str) -> Sort | None:
    everything = f"{said} {about}"
    if table.NOT_SHELL.search(" ".join(table.words(tool))):
        return None
    if table.NOT_SHELL.search(said) and not table.SHELL.search(said):
        return None
    if last == "script":
        shell = table.SHELL.search(said) or ("bash" in tool.lower() or "shell" in tool.lower())
        return Sort("command") if shell else None
    return (
        Sort("command") if table.SHELL.search(everything) or table.SHELL_TOOL.search(tool) else None
    )


def _url(name: str, said: str, tool: str) -> Sort | None:
    parts = table.words(name)
    if table.DATABASE.search(" ".join(parts)) or (
        table.DATABASE.search(said) and "http" not in said.lower()
    ):
        return None
    custom = "uri" in parts or "uris" in parts
    if custom and not table.WEB.search(said):
        return None if "file" in said.lower() else Sort("url", custom=True)
    remote = table.REMOTE.search(" ".join((*parts, *table.words(tool)))) is not None
    inline = table.INLINE.search(said) is not None
    return Sort("url", custom=custom, remote=remote, inline=inline)


def _path(parts: tuple[str, ...], said: str) -> Sort | None:
    if parts[-1] in ("path", "paths", "pathname") and set(parts[:-1]) & table.PATH_FIRST:
        return None
    if table.NOT_FILES.search(said):
        return None
    if parts in (("path",), ("paths",)):
        return Sort("path") if not said or table.FILES.search(said) else None
    if parts[-1] == "dir" and "sort" in parts:
        return None
    return Sort("path")


def _host(parts: tuple[str, ...], said: str) -> Sort | None:
    if (
        parts[0] in ("v", "is", "virtual", "allow", "include", "co")
        or "virtual host" in said.lower()
        or "vhost" in said.lower()
    ):
        return None
    return Sort("host")


def _other(parts: tuple[str, ...], whole: str, said: str, tool: str, about: str) -> Sort | None:
    last = parts[-1]
    if (
        last == "sql"
        or whole.endswith("sqlquery")
        or (last in ("query", "statement", "queries", "statements") and _is_sql(said, tool, about))
    ):
        return Sort("sql")
    if last in table.FILED and table.PLACED.search(said) and not table.NOT_FILES.search(said):
        return Sort("path")
    of_tool = table.words(tool)
    if last in ("file", "files") and _is_file(parts, said):
        return Sort("path")
    if last in ("file", "files") and "git" in of_tool:
        return Sort("path")
    if last in _ENDS and not _MOVED.isdisjoint(of_tool) and not _MOVES.isdisjoint(of_tool):
        return Sort("path")
    if last == "target" and "git" in of_tool:
        return Sort("identifier")
    if last in ("domain", "target", "ip", "server", "address", "hostip") and _reaches(said, tool):
        return Sort("host")
    if last in ("args", "arguments", "argv", "flags", "options") and _is_words(said, tool):
        return Sort("command", word=True)
    if (
        last in table.NAMES["code"]
        and table.CODE.search(f"{said} {about} {tool.replace('_', ' ')}")
        and not table.NOT_CODE.search(f"{' '.join(parts[:-1])} {said}")
    ):
        return Sort("code")
    if last == "template" and (
        "jinja" in said.lower() or "handlebars" in said.lower() or "render" in tool.lower()
    ):
        return Sort("template")
    return Sort("identifier") if _is_reference(parts, said, tool, about) else None


def _is_file(parts: tuple[str, ...], said: str) -> bool:
    """Whether it names a file that a program reads or writes, as in `input_file`; not what is in one."""
    if len(parts) < 2 or parts[-2] not in table.FILE_FIRST or table.NOT_FILES.search(said):
        return False
    return not any(word in said.lower() for word in ("base64", "content", "url", "upload"))


def _is_sql(said: str, tool: str, about: str) -> bool:
    named = " ".join(table.words(tool))
    if table.NOT_SQL.search(f"{said} {named}"):
        return False
    return table.SQL.search(said) is not None or (
        not table.NOT_SQL.search(about) and table.SQL.search(f"{named} {about[:160]}") is not None
    )


def _reaches(said: str, tool: str) -> bool:
    """Whether a host is connected to, and not just looked for in records."""
    if table.FILTERS.search(said):
        return False
    return table.NETWORK.search(f"{said} {' '.join(table.words(tool))}") is not None


def _is_words(said: str, tool: str) -> bool:
    return table.WORDS.search(said) is not None or table.SHELL_TOOL.search(tool) is not None


def _is_reference(parts: tuple[str, ...], said: str, tool: str, about: str) -> bool:
    """Whether it is a name that a program gets: of a branch, container, package, table and so on."""
    core = parts[:-1] if parts[-1] in ("name", "names", "id") and len(parts) > 1 else parts
    if core[-1] not in table.REFERENCES:
        return False
    if (
        core[-1] == "image"
        and parts[-1] == "image"
        and "docker" not in f"{said} {about} {tool}".lower()
        and "container" not in f"{said} {about} {tool}".lower()
    ):
        return False
    if (
        core[-1]
        in ("ref", "refs", "remote", "tag", "repo", "repository", "release", "service", "interface")
        and "docker" not in f"{tool} {said}".lower()
        and "git" not in table.words(f"{tool} {said}")
    ):
        return False
    return (
        table.REFERENCE.search(f"{said} {about} {' '.join(table.words(tool))} {' '.join(parts)}")
        is not None
    )


def _shown(schema: Json) -> Sort | None:
    """By an example: values that all are addresses."""
    examples: Any = schema.get("examples")
    values = (
        [each for each in examples if isinstance(each, str)] if isinstance(examples, list) else []
    )
    if values and all(each.startswith(("https://", "http://")) for each in values):
        return Sort("url")
    return None
