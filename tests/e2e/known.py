"""Servers with tools like those of which advisories tell, behind one gate; what reaches them is written down."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from bawn.model import Json

SAYING: Final = Path(__file__).parent / "servers" / "saying.py"

_TEXT: Final[Json] = {"type": "string"}
_TEXTS: Final[Json] = {"type": "array", "items": _TEXT}


def tool(name: str, description: str, *, optional: str = "", **properties: Json) -> Json:
    """A definition; all its arguments are required but those that are named (with blanks between)."""
    required = [each for each in properties if each not in optional.split()]
    schema = {"type": "object", "properties": properties, "required": required}
    return {"name": name, "description": description, "inputSchema": schema}


def _path(what: str) -> Json:
    return {**_TEXT, "description": what}


FILES: Final = [
    tool("read_file", "Reads one file.", path=_path("Path of the file.")),
    tool("read_multiple_files", "Reads several files.", paths={**_TEXTS, "description": "Paths."}),
    tool("write_file", "Writes a file.", path=_path("Path of the file."), content=_TEXT),
    tool(
        "edit_file",
        "Replaces lines of a file.",
        path=_path("Path of the file."),
        edits={
            "type": "array",
            "items": {"type": "object", "properties": {"oldText": _TEXT, "newText": _TEXT}},
        },
    ),
    tool("move_file", "Moves or renames files and directories.", source=_TEXT, destination=_TEXT),
    tool("extract_archive", "Unpacks an archive.", archive=_TEXT, destination=_TEXT),
]
GIT: Final = [
    tool("git_init", "Makes a repository.", repo_path=_path("Where.")),
    tool("git_status", "Shows what has changed.", repo_path=_path("Path to the repository.")),
    tool(
        "git_diff",
        "Shows differences between branches or commits.",
        repo_path=_path("Path to the repository."),
        target=_TEXT,
    ),
    tool(
        "git_checkout",
        "Switches branches.",
        repo_path=_path("Path to the repository."),
        branch_name=_TEXT,
    ),
    tool(
        "git_add",
        "Stages files.",
        repo_path=_path("Path to the repository."),
        files={**_TEXTS, "description": "Paths of files."},
    ),
    tool(
        "git_apply",
        "Applies a patch.",
        repo_path=_path("Path to the repository."),
        patch={**_TEXT, "description": "A unified diff."},
    ),
]
WEB: Final = [
    tool("fetch", "Fetches a page.", url={**_TEXT, "format": "uri", "description": "Its URL."}),
    tool("run_command", "Runs a shell command in the project.", command=_TEXT),
    tool("ping", "Pings a host.", host=_TEXT),
    tool("say", "Says a word.", word={**_TEXT, "maxLength": 20}),
]
WIKI: Final = [
    tool(
        "download_attachment",
        "Saves an attachment of a page.",
        page_id=_TEXT,
        download_path=_path("Path where it is saved."),
    ),
]
MAIL: Final = [
    tool(
        "send_email",
        "Sends a message.",
        optional="bcc",
        to=_TEXT,
        subject=_TEXT,
        body=_TEXT,
        bcc=_TEXT,
    ),
]
SERVERS: Final = {
    "files": ("modern", FILES),
    "git": ("legacy", GIT),
    "web": ("modern", WEB),
    "wiki": ("legacy", WIKI),
    "mail": ("modern", MAIL),
}
POLICY: Final = {
    "rules.cedar": """
@id("everybody") permit (principal, action in Action::"use", resource);

@id("mail-stays-here")
forbid (principal, action == Action::"call mail/send_email", resource)
unless { context.arguments.to like "*@acme.example" && !(context.arguments has bcc) };

@id("no-mail-after-what-anybody-wrote")
forbid (principal, action == Action::"call mail/send_email", resource)
when { context.flow.untrusted };
""",
    "labels.yaml": """
servers:
  files: {tools: {"*": {labels: []}}}
  git: {tools: {"*": {labels: []}}}
  web: {tools: {"*": {labels: []}}}
  wiki: {tools: {"*": {labels: []}}}
  mail: {tools: {"*": {labels: [sends]}}}
""",
}
"""Nothing is untrusted by what it is; so what is, is so by what was found in it."""


class Known:
    """The scripts of the servers, and what came to them."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.project = home / "project"
        (self.project / "src").mkdir(parents=True)
        (home / "project-secrets").mkdir()
        (home / "project-secrets" / "key").write_text("not for agents")
        (self.project / "way-out").symlink_to(home / "project-secrets")
        (self.project / "src" / "notes.md").write_text("notes")
        for name, (_, tools) in SERVERS.items():
            self.script(name, tools=tools)

    def script(self, server: str, **said: Any) -> None:
        """Have a server offer and answer this from now on."""
        path = self._home / f"{server}.script"
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(said))
        fresh.replace(path)

    def line(self, server: str, era: str, **settings: str) -> str:
        """A server as a line of the configuration; `settings` as they are written."""
        command = json.dumps(
            [sys.executable, str(SAYING), era, str(self._home / f"{server}.script")]
        )
        more = "".join(f", {key}: {value}" for key, value in settings.items())
        return f"  {server}: {{command: {command}, confine: 'off', isolation: shared{more}}}\n"

    def lines(self) -> str:
        """All servers; files, repositories and downloads stay in the project."""
        roots = json.dumps([str(self.project)])
        rooted = {"files": roots, "git": roots, "wiki": roots}
        return "".join(
            self.line(name, era, **({"roots": rooted[name]} if name in rooted else {}))
            for name, (era, _) in SERVERS.items()
        )

    def calls(self, server: str) -> list[Json]:
        """The params of all calls that reached a server."""
        path = self._home / f"{server}.script.calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line)["params"] for line in lines]
