"""Resources, their templates, and the skill (SEP-2640) that is made of resources."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from tests.conformance.server import content

SKILLS: Final = "io.modelcontextprotocol/skills"
DIRECTORY: Final = "inode/directory"
_SKILL: Final = "skill://greeting"
_FRONT: Final = {"name": "greeting", "description": "How to greet somebody"}
_TEMPLATE: Final = ("test://template/", "/data")

_TEXTS: Final = {
    "test://static-text": ("text/plain", "This is the content of the static text resource."),
    "test://watched-resource": ("text/plain", "This resource is watched."),
    f"{_SKILL}/SKILL.md": (
        "text/markdown",
        "---\n" + "".join(f"{key}: {said}\n" for key, said in _FRONT.items()) + "---\nSay hello.\n",
    ),
    f"{_SKILL}/words/polite.md": ("text/markdown", "Good day.\n"),
}
_BINARY: Final = "test://static-binary"


def listed() -> list[dict[str, Any]]:
    """The entries of resources/list."""
    entries = [{"uri": uri, "name": uri, "mimeType": kind} for uri, (kind, _) in _TEXTS.items()]
    entries.append({"uri": _BINARY, "name": _BINARY, "mimeType": "image/png"})
    for entry in entries:
        if entry["uri"].endswith("/SKILL.md"):
            entry.update(_FRONT)
    return entries


TEMPLATES: Final = [
    {
        "uriTemplate": "{id}".join(_TEMPLATE),
        "name": "template",
        "mimeType": "application/json",
    }
]


def read(uri: str) -> list[dict[str, Any]] | None:
    """The contents behind a URI; None for one that is not there."""
    if uri in _TEXTS:
        kind, said = _TEXTS[uri]
        return [{"uri": uri, "mimeType": kind, "text": said}]
    if uri == _BINARY:
        blob = content.base64_text(content.png())
        return [{"uri": uri, "mimeType": "image/png", "blob": blob}]
    before, after = _TEMPLATE
    if uri.startswith(before) and uri.endswith(after):
        asked = uri[len(before) : -len(after)]
        said = json.dumps({"id": asked, "templateTest": True, "data": f"Data for ID: {asked}"})
        return [{"uri": uri, "mimeType": "application/json", "text": said}]
    return None


def skill(uri: str) -> dict[str, Any] | None:
    """The entry of the skill with this URI."""
    if uri != f"{_SKILL}/SKILL.md":
        return None
    files = [(uri, said.encode()) for uri, (_, said) in _TEXTS.items() if uri.startswith(_SKILL)]
    triples = [
        {"uri": file, "digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}
        for file, data in files
    ]
    return {"uri": uri, "frontmatter": _FRONT, "resources": triples}


def skills() -> list[dict[str, Any]]:
    """The entries of skills/list."""
    return [entry for uri in _TEXTS if (entry := skill(uri))]


def directory(uri: str) -> list[dict[str, Any]] | None:
    """The direct children of a skill's directory; None for what is not one."""
    below = {
        known.removeprefix(f"{uri}/"): known for known in _TEXTS if known.startswith(f"{uri}/")
    }
    if not uri.startswith(_SKILL) or not below:
        return None
    children = {}
    for path, known in below.items():
        name, nested, _ = path.partition("/")
        kind = DIRECTORY if nested else _TEXTS[known][0]
        children[name] = {"uri": f"{uri}/{name}", "name": name, "mimeType": kind}
    return list(children.values())
