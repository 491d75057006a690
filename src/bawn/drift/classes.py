"""The classes of changes, by gravity, with the risk of each and what to do about it."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Class: TypeAlias = Literal[
    "unreadable", "concealment", "instruction", "other-tool", "launch", "detected",
    "annotation-flip", "url", "secret", "sibling-tool", "widened", "schema", "text", "annotation",
    "icon", "meta", "added", "removed", "title", "narrowed", "cosmetic",
]  # fmt: skip
Risk: TypeAlias = Literal["none", "low", "medium", "high", "critical"]

RISKS: Final[tuple[Risk, ...]] = ("none", "low", "medium", "high", "critical")

CLASSES: Final[dict[Class, tuple[Risk, str]]] = {
    "unreadable": ("high", "Reject it: it has no canonical form, so it can never be approved."),
    "concealment": ("high", "Reject it: it hides something, from its reader or from the user."),
    "instruction": ("high", "Reject it unless you know why it tells the model what to do."),
    "other-tool": (
        "high",
        "Reject it unless the servers belong together: it speaks of another server's tools.",
    ),
    "launch": ("high", "Approve it only if you changed how the server is started."),
    "detected": ("high", "Reject it unless what the detectors found is explained."),
    "annotation-flip": (
        "medium",
        "Approve it only if what the tool does has changed so: clients ask users by these hints.",
    ),
    "url": ("medium", "Look at the address that is new before you approve it."),
    "secret": ("medium", "Approve it only if it has a reason to speak of credentials."),
    "sibling-tool": ("medium", "Read what it says of the server's other tools, then decide."),
    "widened": ("medium", "Check what it newly accepts or returns, then decide."),
    "schema": ("medium", "Compare the schemas: it is not proved that the new one accepts no more."),
    "text": ("medium", "Read the new words, then decide."),
    "annotation": ("medium", "Check the changed annotations, then decide."),
    "icon": ("low", "Approve it if the new picture does not pass for somebody else's."),
    "meta": ("low", "Check the changed details, then decide."),
    "added": ("low", "Read it once, then approve it: nothing in it stands out."),
    "removed": ("low", "Approve it if you can do without what is gone."),
    "title": ("low", "Approve it if the new title still says what it does."),
    "narrowed": ("low", "Approve it: it provably accepts no more and says nothing new."),
    "cosmetic": ("none", "Approve it: nothing of meaning has changed."),
}
"""The gravest class of a change tells what to do."""
