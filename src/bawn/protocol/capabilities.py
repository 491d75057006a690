"""What a caller can be asked, in one written form: what legacy servers are offered in its name.

Source: the lifecycle page of 2025-11-25, "Capability Negotiation", and the client pages it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bawn.model import Json
from bawn.protocol import asking

_PARTS: Final = {"sampling": ("tools", "context"), "elicitation": ("form", "url"), "roots": ()}
_ASKED_BY: Final = {
    asking.SAMPLING: "sampling",
    asking.ELICITATION: "elicitation",
    asking.ROOTS: "roots",
}
_LETTERS: Final = {
    ("sampling", ""): "s", ("sampling", "tools"): "t", ("sampling", "context"): "c",
    ("elicitation", "form"): "f", ("elicitation", "url"): "u", ("roots", ""): "r",
}  # fmt: skip


def offered(capabilities: Any, *, shared: bool) -> Json:
    """The capabilities to declare to a legacy server: the caller's, as far as they are known to us.

    Nothing for a session that many share: an answer would be one caller's, seen by all.
    """
    found: Json = {}
    if shared or not isinstance(capabilities, Mapping):
        return found
    for name, parts in _PARTS.items():
        declared = capabilities.get(name)
        if isinstance(declared, Mapping):
            found[name] = {part: {} for part in parts if isinstance(declared.get(part), Mapping)}
    if "elicitation" in found and not found["elicitation"]:
        if capabilities["elicitation"]:  # ways to be asked that nobody here knows
            del found["elicitation"]
        else:  # empty means form, as before there was anything else
            found["elicitation"] = {"form": {}}
    return found


def key(offered: Json) -> str:
    """A short name of what `offered` gave: equal for equal sets, and empty for nothing."""
    letters = ""
    for name in _PARTS:
        if name in offered:
            letters += _LETTERS.get((name, ""), "")
            letters += "".join(
                _LETTERS[name, part] for part in _PARTS[name] if part in offered[name]
            )
    return letters


def may_ask(method: object, offered: Json) -> bool:
    """Whether this is a request that was offered to the server at all."""
    return _ASKED_BY.get(str(method), "") in offered


def fits(method: object, params: Any, offered: Json) -> bool:
    """Whether a request that may be asked is asked in a way that was offered, too."""
    if not isinstance(params, dict):
        return method == asking.ROOTS and params is None
    if method == asking.ELICITATION:
        mode = params.get("mode")
        return ("form" if mode is None else str(mode)) in offered["elicitation"]
    if method == asking.SAMPLING:  # `context` is no condition: servers only SHOULD heed it
        return "tools" in offered["sampling"] or not asking.of_tools(params)
    return True
