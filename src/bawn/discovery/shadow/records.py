"""One line of an access log as a record: Envoy (default format, JSON), nginx (combined and more), Zeek's http.log.

Sources: Envoy's access logging (default format string), nginx's ngx_http_log_module, Zeek's log formats
(http.log, TSV and JSON).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeAlias

Signs: TypeAlias = tuple[str, ...]


class Record(NamedTuple):
    """A request as a log tells it. `when` is a POSIX time, 0 unknown; `signs` are what shows MCP."""

    host: str
    path: str
    client: str
    when: float
    signs: Signs


class Malformed(ValueError):
    """The line is none of the known forms."""


# Each class excludes what ends it, so matching never goes back: linear.
_ENVOY: Final = re.compile(
    r'\[([^\]]{10,40})\] "(\S+) (\S+) ([^"]*)" (\d+) (\S+) [^"]*"([^"]*)" "([^"]*)" "([^"]*)" "([^"]*)" "([^"]*)"(.*)'
)
_NGINX: Final = re.compile(
    r'(\S+) \S+ \S+ \[([^\]]{10,40})\] "(\S+) (\S+) ([^"]*)" (\d+) (\S+) "([^"]*)" "([^"]*)"(.*)'
)
_HEADERS: Final = re.compile(
    r"(mcp-method|mcp-session-id|mcp-protocol-version|mcp-name)[\"']?\s*[:=]\s*[\"']?([^\s\"',;]{1,128})",
    re.IGNORECASE,
)
_VERSION: Final = re.compile(r'"(20\d\d-\d\d-\d\d)"')
_METHOD: Final = re.compile(
    r'"((?:tools|prompts|resources|server|completion|subscriptions|tasks)/[a-zA-Z/_]{2,40}|initialize)"'
)
_MCP_PATH: Final = re.compile(r"(?:^|/)mcp(?:/|$)")
_SSE_PATH: Final = re.compile(r"(?:^|/)sse/?$")
_HEADER_NAMES: Final = ("mcp-method", "mcp-session-id", "mcp-protocol-version", "mcp-name")
_STREAM: Final = "text/event-stream"


class Reader:
    """Reads the lines of one file; Zeek's header lines tell it the fields of what follows."""

    def __init__(self) -> None:
        self._fields: tuple[str, ...] = ()
        self._separator = "\t"

    def read(self, raw: bytes) -> Record | None:
        """The record of a line; None for a line that is no request, such as a header.

        Raises:
            Malformed: it is none of the known forms.
        """
        line = raw.decode("utf-8", "replace").rstrip("\r")
        if line.startswith("#"):
            self._header(line)
            return None
        if line.startswith("{"):
            return _of_json(line)
        if self._fields:
            return self._zeek(line)
        return _of_text(line)

    def _header(self, line: str) -> None:
        if line.startswith("#separator "):
            code = line.removeprefix("#separator ").strip()
            self._separator = (
                chr(int(code[2:4], 16)) if re.fullmatch(r"\\x[0-9a-fA-F]{2}", code) else "\t"
            )
        elif line.startswith("#fields"):
            self._fields = tuple(line.split(self._separator)[1:])

    def _zeek(self, line: str) -> Record:
        values = line.split(self._separator)
        if len(values) != len(self._fields):
            raise Malformed("another number of fields than its header")
        unset = {"-", "(empty)"}
        found = zip(self._fields, values, strict=True)
        return _of_fields({name: value for name, value in found if value not in unset})


def _of_json(line: str) -> Record:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(fields, dict):
        raise Malformed("not an object")
    return _of_fields(fields)


def _of_fields(fields: Mapping[str, Any]) -> Record:
    """By the names that Envoy's JSON, nginx's JSON and Zeek use."""
    known = {name.lower().replace("-", "_"): str(value) for name, value in fields.items() if value}

    def first(*names: str) -> str:
        return next((known[name] for name in names if name in known), "")

    path = first("x_envoy_origin_path", "path", "uri", "request_uri", "request_path", ":path")
    if not path and (words := first("request").split(" ")) and len(words) > 1:
        path = words[1]
    if not path:
        raise Malformed("names no path")
    client = first(
        "id.orig_h", "downstream_remote_address", "client_ip", "remote_addr", "x_forwarded_for"
    )
    host = first("host", "authority", ":authority", "http_host", "server_name", "id.resp_h")
    port = first("id.resp_p")
    if port and ":" not in host and port not in {"80", "443"}:
        host = f"{host}:{port}"
    signs = [
        f"{name}: {known[name.replace('-', '_')]}"
        for name in _HEADER_NAMES
        if name.replace("-", "_") in known
    ]
    signs += [
        f"{name}: {known[key]}"
        for name in _HEADER_NAMES
        for key in (f"http_{name.replace('-', '_')}",)
        if key in known
    ]
    types = first(
        "resp_mime_types", "content_type", "resp_content_type", "sent_http_content_type", "accept"
    )
    signs += _by_path(path, streams=_STREAM in types)
    return Record(host, path, _address(client), _when(first("ts", "start_time", "time", "time_iso8601", "time_local", "@timestamp")), tuple(signs))  # fmt: skip


def _of_text(line: str) -> Record:
    if (envoy := _ENVOY.match(line)) is not None:
        when, _, path, *_ = envoy.groups()
        client, host, rest = envoy.group(7), envoy.group(10), envoy.group(12)
        return Record(host, path, _address(client), _when(when), _signs(path, rest))
    if (nginx := _NGINX.match(line)) is not None:
        client, when, _, path = nginx.group(1, 2, 3, 4)
        rest = nginx.group(10)
        host = re.search(r"(?:host|server_name)[\"']?[:=][\"']?([^\s\"',;]+)", rest, re.IGNORECASE)
        return Record(host.group(1) if host else "", path, _address(client), _when(when), _signs(path, rest))  # fmt: skip
    raise Malformed("neither Envoy's nor nginx's form")


def _signs(path: str, rest: str) -> Signs:
    signs = [f"{name.lower()}: {value}" for name, value in _HEADERS.findall(rest) if value != "-"]
    if not signs:  # fields without names, as an nginx format that only appends values
        signs = [f"mcp-protocol-version: {found}" for found in _VERSION.findall(rest)]
        signs += [f"mcp-method: {found}" for found in _METHOD.findall(rest)]
    return (*signs, *_by_path(path, streams=_STREAM in rest))


def _by_path(path: str, *, streams: bool) -> Signs:
    bare = path.partition("?")[0].partition("#")[0]
    bare = bare.partition("://")[2].partition("/")[2] if "://" in bare else bare
    if _MCP_PATH.search(bare):
        return (f"path {bare}",)
    return (f"path {bare} with an event stream",) if streams and _SSE_PATH.search(bare) else ()


def _address(text: str) -> str:
    """The first address of X-Forwarded-For, without a port."""
    first = text.partition(",")[0].strip()
    if first.startswith("["):
        return first[1:].partition("]")[0]
    return first.partition(":")[0] if first.count(":") == 1 else first


def _when(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    for read in (datetime.fromisoformat, lambda t: datetime.strptime(t, "%d/%b/%Y:%H:%M:%S %z")):
        try:
            found = read(text)
        except ValueError:
            continue
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return 0.0
