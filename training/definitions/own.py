"""Honest definitions of our own writing that are whole by themselves: small tools, and instructions of servers."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from bawn.detectors.definitions.words import spelt
from training.corpus import Json
from training.definitions.grammar import capital, table

GROUPS: Final = 12
"""By which texts are left out in measuring; what is mixed is of one group."""

_SIGNS: Final = tuple("🔍📄📊🛠️🚀⚡✅🔧💬🗂️📝🌐")
_KINDS: Final = ("string", "string", "string", "integer", "boolean", "array")


def small_tools() -> list[tuple[str, str, str, list[str]]]:
    """Name, title, description and parameters of each."""
    found: list[tuple[str, str, str, list[str]]] = []
    for line in table("tools")["tools"].strip().split("\n"):
        name, title, description, parameters = (part.strip() for part in line.split("|"))
        found.append((name, title, description, [p.strip() for p in parameters.split(",") if p]))
    return found


def instructions() -> list[str]:
    """What servers tell a model about their tools."""
    return [each.strip() for each in table("instructions")["instructions"].split("\n---\n")]


class Own:
    """Writes definitions from a seed."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)  # noqa: S311 - for variety, and no secret
        self._tools = small_tools()
        self._instructions = instructions()

    def tool(self) -> tuple[Json, str]:
        """A small tool, with its group; as the common libraries make them of a function."""
        place = self._chance.randrange(len(self._tools))
        name, title, description, parameters = self._tools[place]
        generated = self._chance.random() < 0.5  # titles and results that a library adds
        properties = {each: self._parameter(each, generated) for each in parameters}
        made: Json = {
            "name": name,
            "description": description,
            "inputSchema": {"type": "object", "properties": properties, "required": parameters},
        }
        if title and self._chance.random() < 0.8:
            made["title"] = title
        if generated:
            result = {"result": {"type": "string", "title": "Result"}}
            made["outputSchema"] = {"type": "object", "properties": result}
        return made, f"own {place % GROUPS}"

    def _parameter(self, name: str, titled: bool) -> dict[str, Any]:
        made: dict[str, Any] = {"type": self._chance.choice(_KINDS)}
        if titled:
            made["title"] = capital(spelt(name))
        return made

    def instructions(self) -> tuple[str, str]:
        """A server's instructions, with their group: a text as it is, or paragraphs of several."""
        group = self._chance.randrange(GROUPS)
        texts = self._instructions[group::GROUPS]
        if self._chance.random() < 0.4:
            return self._chance.choice(texts), f"own {group}"
        parts = [part for text in texts for part in _paragraphs(text)]
        some = self._chance.sample(parts, min(len(parts), self._chance.randint(1, 5)))
        return self._chance.choice((" ", "\n", "\n\n", "\n- ")).join(some), f"own {group}"

    def title(self, tool: Json) -> tuple[str, str]:
        """The name of a tool as a title, as makers of tools write it."""
        words = spelt(str(tool["name"])).split()
        turn = self._chance.random()
        said = " ".join(map(capital, words)) if turn < 0.7 else capital(" ".join(words).lower())
        if self._chance.random() < 0.35:
            said = f"{said} Tool"
        if self._chance.random() < 0.2:
            said = f"{self._chance.choice(_SIGNS)} {said}"
        return said, f"own {len(words)} {words[0][:1].lower()}" if words else "own"


def _paragraphs(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        if line.strip("# -"):
            yield line.lstrip("- ")
