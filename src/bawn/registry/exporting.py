"""An entry as a `server.json`: as it is started here, or as others reach it through the gate.

Values of variables are never in it. What is neither package nor URL, such as a script of one's own, has
neither packages nor remotes: nobody else could start it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from bawn.config import secrets
from bawn.config.credentials import HIDDEN, may_be_credential, query_credential
from bawn.launching.command import name_of
from bawn.launching.package import Package
from bawn.launching.specifier import image, npm, python
from bawn.model import Json
from bawn.registry.entry import Entry
from bawn.registry.server_json import SCHEMA

PUBLISHER: Final = "io.modelcontextprotocol.registry/publisher-provided"

_DESCRIPTION: Final = 100  # characters
_FORGES: Final = {
    "github.com": "github",
    "gitlab.com": "gitlab",
    "bitbucket.org": "bitbucket",
    "codeberg.org": "codeberg",
}
_READ: Final = {"npm": npm, "pypi": python, "oci": image}
_RUNNERS: Final = {"npx": "npm", "uvx": "pypi", "docker": "oci", "podman": "oci"}
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def private(entry: Entry) -> Json:
    """The server as it is launched or reached by this gate: for one's own files and repositories."""
    tree = _common(entry)
    package = _package(entry)
    if package is not None:
        tree["packages"] = [package]
    if entry.url and query_credential(entry.url) is None:
        tree["remotes"] = [_remote(entry)]
    return _with_meta(
        tree, {"owner": entry.owner, "labels": list(entry.labels), "pins": entry.root}
    )


def public(entry: Entry, base_url: str) -> Json:
    """The server as others reach it: through the gate, whatever is behind it."""
    tree = _common(entry)
    tree["remotes"] = [{"type": "streamable-http", "url": f"{base_url}/mcp/{entry.id}"}]
    return _with_meta(tree, {"labels": list(entry.labels), "pins": entry.root})


def _common(entry: Entry) -> Json:
    purpose = entry.purpose.strip() or f"The MCP server {entry.id}"
    if len(purpose) > _DESCRIPTION:
        purpose = purpose[: _DESCRIPTION - 1].rstrip() + "…"
    return {
        "$schema": SCHEMA,
        "name": entry.name,
        "description": purpose,
        "title": entry.id,
        "version": entry.version,
        **_source(entry.source),
    }


def _source(source: str) -> Json:
    try:
        parts = urlsplit(source)
        host = parts.hostname or ""
    except ValueError:
        return {}
    if parts.scheme not in {"https", "http"} or not host or "@" in parts.netloc or " " in source:
        return {}
    if query_credential(source) is not None:  # what is signed by its link is for who has the link
        return {}
    forge = _FORGES.get(host.removeprefix("www."))
    if forge is not None and len(parts.path.strip("/").split("/")) >= 2:
        return {"repository": {"url": source, "source": forge}}
    return {"websiteUrl": source}


def _with_meta(tree: Json, told: Json) -> Json:
    told = {key: value for key, value in told.items() if value}
    return {**tree, "_meta": {PUBLISHER: told}} if told else tree


def _remote(entry: Entry) -> Json:
    remote: Json = {"type": "streamable-http", "url": entry.url}
    if entry.token:
        remote["headers"] = [_authorization(entry.token)]
    return remote


def _authorization(token: str) -> Json:
    name = "token"
    for reference in secrets.references(token):
        if reference.kind == "env" and _IDENTIFIER.fullmatch(reference.name):
            name = reference.name
    return {
        "name": "Authorization",
        "value": f"Bearer {{{name}}}",
        "isRequired": True,
        "isSecret": True,
        "variables": {name: {"isRequired": True, "isSecret": True}},
    }


def _package(entry: Entry) -> Json | None:
    """The package of a command that says no more than its runner, its package and their arguments."""
    package = entry.package
    command, after = list(entry.command), len(entry.arguments)
    kind = _RUNNERS.get(entry.runner)
    if package is None or kind != package.ecosystem or len(command) < 2 + after:
        return None
    if name_of(command[0]) != entry.runner:
        return None  # started by way of another program
    at = len(command) - after - 1
    if tuple(command[at + 1 :]) != entry.arguments or not _names(command[at], package):
        return None
    options = _options(entry, command[1:at])
    if options is None:
        return None
    variables = [{"name": name, "isRequired": True, "isSecret": True} for name in entry.env]
    parts: Json = {
        "registryType": package.ecosystem,
        **_identified(package),
        "runtimeHint": entry.runner,
        "transport": {"type": "stdio"},
        "runtimeArguments": [_positional(word) for word in options],
        "packageArguments": [_positional(word) for word in entry.arguments],
        "environmentVariables": variables,
    }
    return {key: value for key, value in parts.items() if value}


def _identified(package: Package) -> Json:
    if package.ecosystem != "oci":
        version = package.version if package.exact else ""
        return {"identifier": package.name, **({"version": version} if version else {})}
    tag = f":{package.version}" if package.version else ""
    digest = f"@{package.digest}" if package.digest else ""
    return {"identifier": f"{package.name}{tag}{digest}"}


def _names(word: str, package: Package) -> bool:
    found, _ = _READ[package.ecosystem](word, 0)
    return found is not None and found.name == package.name


def _options(entry: Entry, words: list[str]) -> list[str] | None:
    """The options of the runner but for those that every client gives; None where they say more.

    `--from` and the like name packages, which another client would not start then.
    """
    if entry.runner == "npx":
        words = [word for word in words if word not in {"-y", "--yes"}]
    elif entry.runner in {"docker", "podman"}:
        words = _without_passed(words, entry.env)
    if any(word.startswith(("-p", "--package", "--from", "--with")) for word in words):
        return None
    return words


def _without_passed(words: list[str], env: Iterable[str]) -> list[str]:
    kept: list[str] = []
    names = set(env)
    rest = iter(words[1:] if words[:1] == ["run"] else words)
    for word in rest:
        if word in {"-e", "--env"}:
            name = next(rest, "")
            kept += [] if name in names else [word, name]
        elif word not in {"-i", "--interactive", "--rm"}:
            kept.append(word)
    return kept


def _positional(word: str) -> dict[str, Any]:
    if may_be_credential(word) or HIDDEN in word:
        return {"type": "positional", "valueHint": "value", "isRequired": True, "isSecret": True}
    return {"type": "positional", "value": word}
