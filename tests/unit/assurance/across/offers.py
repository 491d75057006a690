"""Offers for the tests of this room."""

from __future__ import annotations

from typing import Any

from bawn.assurance.across.offer import Offer, of_list


def tool(name: str, text: str = "", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": text, "inputSchema": {"type": "object"}, **more}


def offer(
    server: str, *tools: dict[str, Any] | str, prefix: str | None = None, tenant: str = ""
) -> Offer:
    """A server with these tools, under its default prefix."""
    several = [tool(each) if isinstance(each, str) else each for each in tools]
    return of_list(server, {"tool": several}, f"{server}__" if prefix is None else prefix, tenant)
