"""Honest texts of our own writing that look like poison: the same wordings, about the tool's own business."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Final

from bawn.detectors.definitions.words import spelt
from training.corpus import Json
from training.definitions.grammar import Goal, Slots, capital, parts, table
from training.definitions.poison import capital_or_not, styled

_SLOTS: Final = "slots_"
_DUTIES: Final = 0.3  # of the sentences
_NOTES: Final = 0.05
_GROUPS: Final = 40  # by which they are left out in measuring


class Plain:
    """Writes honest sentences and names from a seed."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)  # noqa: S311 - for variety, and no secret
        data, duties = table("honest"), table("duties")
        self._words: dict[str, list[str]] = {
            key.removeprefix(_SLOTS): each for key, each in data.items() if key.startswith(_SLOTS)
        }
        self._more = {key: each for key, each in duties.items() if isinstance(each, list)}
        self._sentences: list[str] = data["sentences"]
        self._duties = parts(duties["duties"])
        self._wordings: list[dict[str, Any]] = [
            each for each in table("wordings")["family"] if each["name"] in duties["families"]
        ]
        self._names: list[str] = table("names")["honest"]
        self._values = table("values")

    def sentence(self, tool: Json) -> tuple[str, str]:
        """One for this tool, with its group: that is what it is made of."""
        slots = Slots(self._chance, {**self._more, **self._words, **self._own(tool)})
        turn = self._chance.random()
        if turn < _DUTIES:
            return self._duty(slots)
        if turn < _DUTIES + _NOTES:
            return self.value("notes", tool)
        place = self._chance.randrange(len(self._sentences))
        text = slots.fill(self._sentences[place])
        if self._chance.random() < 0.3:
            text = f"{text} {capital(slots.fill(self._chance.choice(self._sentences)))}"
        return text, f"honest {place % _GROUPS}"

    def value(self, kind: str, tool: Json) -> tuple[str, str]:
        """What stands at places where the corpus has few sentences: a default, a choice, a note."""
        slots = Slots(self._chance, {**self._more, **self._words, **self._own(tool)})
        texts: list[str] = self._values[kind]
        place = self._chance.randrange(len(texts))
        return slots.fill(texts[place]), f"honest {place % _GROUPS}"

    def _duty(self, slots: Slots) -> tuple[str, str]:
        place = self._chance.randrange(len(self._duties))
        verb, thing, rest = self._duties[place]
        given = Goal(verb, slots.fill(thing), slots.fill(rest)).forms()
        wording = self._chance.choice(self._chance.choice(self._wordings)["texts"])
        return capital_or_not(slots.fill(wording, given)), f"honest {place % _GROUPS}"

    def _own(self, tool: Json) -> Mapping[str, list[str]]:
        """What the tool is about, mostly; and names that its neighbours may have."""
        schema = tool.get("inputSchema")
        properties = schema.get("properties") if isinstance(schema, dict) else None
        words = [each for each in spelt(str(tool["name"])).lower().split()[1:] if len(each) > 3]
        words += [spelt(each).lower() for each in (properties or {}) if len(each) > 3]
        if not words or self._chance.random() < 0.3:
            return {}
        return {"thing": [each.replace("{", "").replace("}", "") for each in words]}

    def names(self) -> Iterator[tuple[str, str]]:
        """Names without an end, each with its group."""
        while True:
            place = self._chance.randrange(len(self._names))
            yield styled(self._names[place], self._chance), f"honest {place % _GROUPS}"
