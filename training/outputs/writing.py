"""Texts of our own: what an injection says, in which words, in what it stands; and honest text like it.

The same seed gives the same texts. A text is known by its *family*, the kind of wording that it has, so that
whole kinds can be left out when it is measured what carries over to wordings never seen.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from training.outputs.example import Example

_HERE: Final = Path(__file__).parent
_SLOT: Final = re.compile(r"\{([a-z]+)\}")
_OWN: Final = frozenset({"goal", "g", "x"})


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_HERE / f"{name}.toml").read_text(encoding="utf-8"))


class Writer:
    """Writes texts, one after the other."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311
        self._slots: Mapping[str, Sequence[str]] = _read("slots")
        self._goals: Mapping[str, Sequence[str]] = _read("goals")
        self._wordings = _read("wordings")
        self._foreign: Mapping[str, Mapping[str, Sequence[str]]] = _read("foreign")
        self._carriers = _read("carriers")
        self._benign: Mapping[str, Sequence[str]] = _read("benign")["kinds"]

    def attacks(self, times: int) -> Iterator[Example]:
        """Each wording so many times, with goals, names and carriers that differ."""
        for family, wordings in self._wordings["families"].items():
            for wording in wordings:
                for _ in range(times):
                    yield self._embedded(self._said(wording, self._goal()), f"own/{family}")
        for family, wordings in self._wordings["whole"].items():
            for wording in wordings:
                for _ in range(times):
                    yield self._embedded(self._said(wording, self._goal()), f"own/{family}")
        for language, table in self._foreign.items():
            for wording in table["wordings"]:
                for _ in range(times):
                    goal = self._filled(self._random.choice(table["goals"]))
                    yield self._embedded(self._said(wording, goal), f"own/{language}")

    def benign(self, times: int) -> Iterator[Example]:
        """Each honest sentence so many times, by itself, with others, and in carriers."""
        for kind, sentences in self._benign.items():
            for sentence in sentences:
                for _ in range(times):
                    yield self._honest(sentence, sentences, f"own/honest-{kind}")
        for language, table in self._foreign.items():
            for sentence in table["benign"]:
                for _ in range(times):
                    yield self._honest(sentence, table["benign"], f"own/honest-{language}")
        for carrier in self._carriers["carrier"]:
            for _ in range(times):
                plain = self._filled(self._random.choice(self._carriers["s"]))
                text = self._filled(carrier).replace("{x}", plain)
                yield Example(text, 0, "own/carrier", group=carrier)

    def _goal(self) -> str:
        kind = self._random.choice(list(self._goals))
        return self._filled(self._random.choice(self._goals[kind]))

    def _said(self, wording: str, goal: str) -> str:
        small = goal.rstrip(".")
        small = small[:1].lower() + small[1:]
        return self._filled(wording).replace("{goal}", goal).replace("{g}", small)

    def _embedded(self, said: str, family: str) -> Example:
        if self._random.random() < 0.12:
            said = said.upper() if self._random.random() < 0.5 else said.lower()
        carrier = self._filled(self._random.choice(self._carriers["carrier"]))
        if carrier.startswith(("{", "[")):
            said = said.replace("\n", "\\n").replace('"', '\\"')
        return Example(carrier.replace("{x}", said), 1, family, said)

    def _honest(self, sentence: str, others: Sequence[str], family: str) -> Example:
        text = self._filled(sentence)
        draw = self._random.random()
        if draw < 0.3:
            text = f"{text} {self._filled(self._random.choice(others))}"
        if draw > 0.4:
            carrier = self._filled(self._random.choice(self._carriers["carrier"]))
            text = carrier.replace("{x}", text)
        return Example(text, 0, family, group=sentence)

    def _filled(self, template: str) -> str:
        def one(slot: re.Match[str]) -> str:
            name = slot[1]
            if name in _OWN:
                return slot[0]
            some = self._carriers["s"] if name == "s" else self._slots.get(name)
            return self._filled(self._random.choice(some)) if some else slot[0]

        return _SLOT.sub(one, template)
