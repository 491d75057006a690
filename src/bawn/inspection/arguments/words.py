"""Words by which names and descriptions tell what an argument is. Tables, and how they are read."""

from __future__ import annotations

import re
from typing import Final

from bawn.config.inspection import ArgumentKind

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def words(name: str) -> tuple[str, ...]:
    """The words of a name in camel, snake or kebab case, in lower case."""
    return tuple(word.lower() for word in _WORD.findall(name[:128]))


NAMES: Final[dict[ArgumentKind, frozenset[str]]] = {
    "command": frozenset(["command", "cmd", "commandline", "shellcommand", "bashcommand"]),
    "path": frozenset(
        [
            "path",
            "paths",
            "filepath",
            "filepaths",
            "filename",
            "filenames",
            "directory",
            "directories",
            "dir",
            "folder",
            "folderpath",
            "dirname",
            "dirpath",
            "workdir",
            "cwd",
            "pathname",
            "basepath",
            "filepathname",
        ]
    ),
    "url": frozenset(["url", "urls", "uri", "uris", "webhook", "href", "endpointurl", "baseurl"]),
    "host": frozenset(["host", "hostname", "hosts", "hostnames", "fqdn", "ipaddress"]),
    "sql": frozenset({"sql"}),
    "secret": frozenset(
        [
            "password",
            "passwd",
            "passphrase",
            "apikey",
            "token",
            "secret",
            "credential",
            "credentials",
            "privatekey",
            "mnemonic",
        ]
    ),
    "code": frozenset(["code", "javascript", "python", "expression", "jscode", "pycode"]),
    "template": frozenset({"template"}),
}
"""Last words of names."""

REFERENCES: Final = frozenset(
    [
        "branch",
        "branches",
        "commit",
        "sha",
        "ref",
        "refs",
        "revision",
        "tag",
        "remote",
        "repo",
        "repository",
        "package",
        "packages",
        "container",
        "pod",
        "namespace",
        "image",
        "table",
        "column",
        "unit",
        "release",
        "deployment",
        "interface",
        "service",
    ]
)
"""Last words of names that programs get, where git, containers, packages or databases are spoken of."""

FILED: Final = frozenset(
    [
        "file",
        "files",
        "input",
        "output",
        "destination",
        "dest",
        "dst",
        "src",
        "source",
        "target",
        "document",
        "attachment",
        "image",
        "video",
        "audio",
        "log",
        "archive",
        "location",
    ]
)
"""Last words that are paths where files or folders are spoken of as such."""

FILE_FIRST: Final = frozenset(
    [
        "input",
        "output",
        "source",
        "src",
        "dest",
        "destination",
        "target",
        "local",
        "log",
        "config",
        "save",
        "export",
        "import",
    ]
)
"""Words in front of `file` that make it a file which a program reads or writes."""

PLACED: Final = re.compile(
    r"\b(?:(?:file|folder|directory|full|absolute|relative|local|output|input)[ _-]?(?:path|name)s?|path (?:to|of|for|where)|filename|file to (?:read|write|open|delete|convert|compress|process))\b",
    re.IGNORECASE,
)
NETWORK: Final = re.compile(
    r"\b(?:ping|traceroute|tracert|nmap|dig|whois|nslookup|dns|telnet|ssh|port ?scan|scan port|scan ports|hostname|host name|domain name|host or ip|ip or host|connect to|subdomain)\b",
    re.IGNORECASE,
)
FILTERS: Final = re.compile(r"\b(?:filter|search for|look ?up|matching)\b", re.IGNORECASE)
WORDS: Final = re.compile(
    r"\b(?:command[- ]line|cli|shell|extra|additional)\s+(?:arguments?|args|flags?|options?|parameters?)\b|arguments? (?:to|for|of) the (?:command|program|script|binary|executable)",
    re.IGNORECASE,
)

PATH_FIRST: Final = frozenset(
    [
        "http",
        "url",
        "json",
        "xpath",
        "css",
        "key",
        "object",
        "node",
        "scene",
        "api",
        "uri",
        "route",
        "endpoint",
        "query",
        "selector",
        "element",
        "property",
        "attribute",
        "menu",
        "xml",
        "yaml",
        "field",
        "tool",
        "animation",
        "bone",
        "nav",
        "breadcrumb",
        "critical",
        "career",
        "learning",
    ]
)
"""Words in front of `path` that make it something else than a path of files."""

SHELL: Final = re.compile(
    r"\b(?:shell|bash|terminal|powershell|pwsh|cmd\.exe|command[- ]line|linux command|unix command|(?:execute|run|exec)\w*\s+(?:an?y?\s+|the\s+|arbitrary\s+|system\s+|os\s+|console\s+|cli\s+)*commands?|command(?:s)? to (?:run|execute|be executed)|ssh|subprocess)\b",
    re.IGNORECASE,
)
NOT_SHELL: Final = re.compile(
    r"\b(?:vim|redis|slash command|sub-?command|voice|chat|game|minecraft|rcon|bot command|command (?:name|id|type|palette)|mongo(?:db)?|sql|ableton|blender|unity|unreal|robot|gdb|lldb|debugger|mpv|editor|kusto|macro|admin command|mysql|applescript|at command)\b",
    re.IGNORECASE,
)
SHELL_TOOL: Final = re.compile(
    r"(?:^|[_\-. /])(?:shell|bash|terminal|exec|execute|run|cmd|powershell|ssh|sh|zsh|console|spawn|system)(?:[_\-. /]|$)|(?:exec|run|execute)(?:_|-|)?(?:command|cmd|shell|bash|script)",
    re.IGNORECASE,
)
FILES: Final = re.compile(
    r"\b(?:files?|folders?|director(?:y|ies)|paths?|absolute|disk|filesystem|repository|repo|workspace|project root)\b",
    re.IGNORECASE,
)
NOT_FILES: Final = re.compile(
    r"\b(?:jsonpath|json path|xpath|url path|api path|endpoint|http path|request path|dot[- ]notation|dot[- ]separated|node ?path|scene tree|object path|key path|object key|route|query path|relative to the base url|breadcrumb|s3)\b",
    re.IGNORECASE,
)
SQL: Final = re.compile(
    r"\b(?:sql|t-?sql|pl/?pgsql|postgres(?:ql)?|mysql|sqlite|duckdb|bigquery|snowflake|clickhouse)\b",
    re.IGNORECASE,
)
NOT_SQL: Final = re.compile(
    r"\b(?:natural[- ]language|cypher|search (?:query|term|string|text)|keyword|graphql|mongo(?:db)?|promql|logql|kusto|kql|soql|jql|sparql|full[- ]text|question|plain english|fts5?|nosql|error|regex)\b",
    re.IGNORECASE,
)
WEB: Final = re.compile(
    r"\b(?:https?|web|website|webpage|page|link|internet|download|fetch|scrape|crawl)\b",
    re.IGNORECASE,
)
REMOTE: Final = re.compile(r"\b(?:git|repo(?:sitory)?|clone|remote)\b", re.IGNORECASE)
DATABASE: Final = re.compile(
    r"\b(?:connection|database|db|redis|mongo(?:db)?|postgres(?:ql)?|mysql|amqp|broker|jdbc|dsn|neo4j|kafka)\b",
    re.IGNORECASE,
)
CODE: Final = re.compile(
    r"\b(?:python|javascript|typescript|java|ruby|php|code|script|snippet|c#|lua|rust|zig|go)\b",
    re.IGNORECASE,
)
NOT_CODE: Final = re.compile(
    r"\b(?:state|location|department|territory|country|currency|language|airport|station|zip|postal|iata|icao|iso|status|error|promo|coupon|verification|authorization|auth|stock|area|two-letter|qr|color|product|invite|class|fund|ic|region|dial|uic)\b",
    re.IGNORECASE,
)
REFERENCE: Final = re.compile(
    r"\b(?:systemctl|systemd|git|branch|commit|repository|checkout|docker|container|image|kubernetes|k8s|kubectl|pod|namespace|helm|npm|pip|package|pypi|cargo|brew|apt|table|column|schema|database)\b",
    re.IGNORECASE,
)
INLINE: Final = re.compile(r"\bdata:?(?:[ -]?ur[il]s?\b|(?<=:)(?=\S))", re.IGNORECASE)
