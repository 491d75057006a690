"""The references of clients (`${NAME}`, `${env:NAME}`, `$NAME`) as those of our configuration."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WHOLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_EDITORS_OWN = frozenset(
    ["workspaceFolder", "workspaceFolderBasename", "userHome", "cwd", "pathSeparator"]
)


class Untranslatable(ValueError):
    """A reference that has no counterpart; the text names it."""


def translated(text: str) -> str:
    """The text with `${env:NAME}` for every variable that it refers to.

    Raises:
        Untranslatable: it refers to something else than a variable.
    """
    whole = _WHOLE.fullmatch(text)
    if whole is not None:
        return f"${{env:{whole.group(1)}}}"
    parts: list[str] = []
    at = 0
    while (start := text.find("${", at)) >= 0:
        end = text.find("}", start)
        parts += (text[at:start], _reference(text[start + 2 : end] if end >= 0 else ""))
        at = end + 1 if end >= 0 else len(text)
    return "".join((*parts, text[at:]))


def _reference(inner: str) -> str:
    name = inner.removeprefix("env:")
    if _NAME.fullmatch(name) and inner not in _EDITORS_OWN:
        return f"${{env:{name}}}"
    if ":-" in inner:
        raise Untranslatable(
            f"the default of `${{{inner.partition(':-')[0]}:-…}}` cannot be carried"
        )
    kind, _, rest = inner.partition(":")
    if kind == "input" and rest:
        raise Untranslatable(f"the client asks its user for `{rest}`: store it and refer to it")
    raise Untranslatable(f"`${{{kind}…}}` is known to the client only")
