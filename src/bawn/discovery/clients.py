"""The clients we know, joined from their families (`known/`). Adding one is adding a row there."""

from __future__ import annotations

from bawn.discovery.known.agents import AGENTS, CODEX, GEMINI
from bawn.discovery.known.claude import CLAUDE
from bawn.discovery.known.client import Client, Location, Place, Root, Roots, Scope
from bawn.discovery.known.editors import CURSOR, EDITORS, KIRO, VSCODE, WINDSURF

__all__ = ["CLIENTS", "Client", "Location", "Place", "Root", "Roots", "Scope"]

CLIENTS: tuple[Client, ...] = (
    *CLAUDE,
    CURSOR,
    VSCODE,
    WINDSURF,
    KIRO,
    CODEX,
    GEMINI,
    *AGENTS,
    *EDITORS,
)
