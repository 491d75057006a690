"""What an item does to a conversation, as far as it can be told from what its server says of it.

Nothing here is a finding about a server that lies: labels.yaml is for whoever knows better. In doubt
a label is given. A tool is read from, in this order of weight:

1. The words of its name, and the names of its arguments. The first word that is a verb says whether it
   takes out, computes, changes, sends or runs; where the name has none, the first one in the first
   sentence of the description.
2. Hints that its server gave, or the operator. `readOnlyHint: true` takes `changes` away unless the
   name's verb is one of changing. `openWorldHint: false` takes away what only nouns and descriptions
   say of `untrusted` and `sends`; `true` adds `untrusted` to whatever takes out and `sends` to
   whatever changes. A hint that is absent says nothing here, whatever the protocol's default.
3. Of what takes something out: `private`, unless the name names something that is published.
   `untrusted` when name or first sentence names what others wrote.

A tool of which neither name nor description has a verb we know gets every label but those that hints
take away. What a change answers with is not counted as taking out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from bawn.model import Json, Label
from bawn.policy.labelling import words

ALL: Final = frozenset(Label)
NONE: Final[frozenset[Label]] = frozenset()

_NAME: Final = 256  # characters that are read of a name
_SENTENCE: Final = 400  # and of a description
_ARGUMENTS: Final = 256

_UNTRUSTED, _PRIVATE = Label.UNTRUSTED, Label.PRIVATE
_SENDS, _CHANGES = Label.SENDS, Label.CHANGES
_VERBS: Final = words.READS | words.COMPUTES | words.CHANGES | words.SENDS | words.RUNS


def of_tool(
    name: str, definition: Json, read_only: bool | None, open_world: bool | None
) -> frozenset[Label]:
    """The labels of a tool; the hints are None where nobody gave them."""
    named = _split(name[:_NAME])
    told = _split(_first_sentence(definition.get("description")))
    verb = next((word for word in (*named, *told) if word in _VERBS), None)
    nouns, arguments = frozenset(named), _arguments(definition)
    reaches = _reaches(verb, nouns, told, arguments)
    if verb is None:
        found = _of_unknown(open_world)
    elif verb in words.RUNS or words.SHELLS & nouns or words.COMMANDS & arguments:
        found = {_PRIVATE, _CHANGES} if words.QUERIES & nouns else set(ALL)
    elif verb in words.COMPUTES or _is_neutral(verb, nouns):
        found = set()
    elif verb in words.READS:
        found = _of_reading(nouns, told, open_world, reaches=reaches)
        if arguments >= words.HOSTED:
            found.add(_UNTRUSTED)
    else:
        found = _of_changing(verb, nouns, arguments, open_world)
    if reaches:
        found |= {_UNTRUSTED, _SENDS}
    if read_only is True and not (verb in named and verb in words.CHANGES | words.SENDS):
        found -= {_CHANGES}
    return frozenset(found)


def of_resource(uri: str, definition: Json) -> frozenset[Label]:
    """The labels of a resource, by its URI.

    Private, and untrusted when the address speaks of what others write. With http and https it is the
    web's, so untrusted, and private only where the host is not of the public internet; one that no
    list has (without `definition`) has been put together by the caller, and asking for it sends. A
    `ui://` page is the server's own, for people to look at: none.
    """
    scheme, _, rest = uri.partition(":")
    scheme = scheme.lower()
    if scheme == "ui":
        return NONE
    if scheme in {"http", "https"}:
        found = {_UNTRUSTED}
        if not _is_public(uri):
            found.add(_PRIVATE)
        if not definition:
            found.add(_SENDS)
        return frozenset(found)
    spoken = frozenset(_split(f"{scheme} {rest}"[:_NAME])) & (words.OTHERS | words.WORLD)
    return frozenset({_PRIVATE, _UNTRUSTED} if spoken else {_PRIVATE})


def of_template(template: str, definition: Json) -> frozenset[Label]:
    """The labels of a resource template: as a resource; with http and https its variables are sent."""
    found = of_resource(template, definition)
    if template[:5].lower() in {"http:", "https"} or template.startswith("{"):
        found |= {_UNTRUSTED, _SENDS}
    return found | {_PRIVATE} if template.startswith("{") else found


def of_prompt(name: str, definition: Json) -> frozenset[Label]:
    """The labels of a prompt: none, for its text is its server's own, unless it brings what others wrote."""
    spoken = {*_split(name[:_NAME]), *_split(_first_sentence(definition.get("description")))}
    if spoken & words.OTHERS:
        return frozenset({_UNTRUSTED, _PRIVATE})
    return frozenset({_UNTRUSTED}) if spoken & words.WORLD else NONE


def _of_unknown(open_world: bool | None) -> set[Label]:
    return {_PRIVATE, _CHANGES} if open_world is False else set(ALL)


def _of_reading(
    nouns: frozenset[str], told: list[str], open_world: bool | None, *, reaches: bool
) -> set[Label]:
    found: set[Label] = set()
    published = bool(nouns & words.WORLD) or reaches
    if nouns & words.OTHERS or not published:
        found.add(_PRIVATE)
    if nouns & (words.OTHERS | words.WORLD) or open_world is True:
        found.add(_UNTRUSTED)
    if open_world is None and not (words.OTHERS | words.WORLD).isdisjoint(told):
        found.add(_UNTRUSTED)
    return found


def _of_changing(
    verb: str, nouns: frozenset[str], arguments: frozenset[str], open_world: bool | None
) -> set[Label]:
    found = {_CHANGES}
    tells = verb in words.SENDS or not nouns.isdisjoint(words.SENDS)
    seen = not nouns.isdisjoint(words.PLACES) or arguments >= words.HOSTED
    if tells or words.PEOPLE & arguments or open_world is True or (seen and open_world is None):
        found.add(_SENDS)
    return found


def _reaches(
    verb: str | None, nouns: frozenset[str], told: list[str], arguments: frozenset[str]
) -> bool:
    """Whether the caller picks an address that is reached."""
    if nouns & words.REACHES or arguments & words.ADDRESSES:
        return True
    return verb in words.OPENS and not words.WEB.isdisjoint(told)


def _is_neutral(verb: str, nouns: frozenset[str]) -> bool:
    """Whether it takes out nothing but what tells nothing of anybody, such as the time of day."""
    things = nouns - words.FILLERS - {verb}
    return verb in words.READS and bool(things) and things <= words.NEUTRAL


def _is_public(uri: str) -> bool:
    """Whether a URL's host can be one of the public internet; one that cannot be read is not."""
    try:
        host = (urlsplit(uri).hostname or "").rstrip(".")
    except ValueError:
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    return "." in host and not host.endswith(
        (".local", ".internal", ".localhost", ".lan", ".home.arpa", ".intranet", ".corp", ".test")
    )


def _arguments(definition: Json) -> frozenset[str]:
    """The names of a tool's arguments, in lower case."""
    schema: Any = definition.get("inputSchema")
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping):
        return frozenset()
    names = [name for name, _ in zip(properties, range(_ARGUMENTS), strict=False)]
    return frozenset(name.lower() for name in names)


def _first_sentence(text: Any) -> str:
    if not isinstance(text, str):
        return ""
    start = text[: 4 * _SENTENCE].strip()[:_SENTENCE]
    return start.split("\n", 1)[0].split(". ", 1)[0]


def _split(text: str) -> list[str]:
    """The words of a text in lower case and singular; `camelCase`, `snake_case` and digits divide."""
    return [_singular(word) for word in _divided(text)]


def _divided(text: str) -> Iterator[str]:
    word = ""
    for at, letter in enumerate(text):
        within = text[at - 1 : at].isupper() and not text[at + 1 : at + 2].islower()
        if word and (not letter.isalpha() or (letter.isupper() and not within)):
            yield word.lower()
            word = ""
        if letter.isalpha():
            word += letter
    if word:
        yield word.lower()


def _singular(word: str) -> str:
    """Without the s of the plural, or of the third person; rough, but the same for all."""
    if len(word) < 4 or word.endswith(("ss", "us", "is", "news")) or not word.endswith("s"):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    return word[:-1]
