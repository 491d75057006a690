"""Settings as YAML text: what `edit.py` writes into a file, and what commands print."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from bawn.config.credentials import masked
from bawn.config.document import scalar
from bawn.config.model import Config

_PLAIN = re.compile(r"[A-Za-z0-9/._+](?:[A-Za-z0-9/._@+=~:-]*[A-Za-z0-9/._@+=~-])?")
# Words that older readers of YAML take for true and false.
_WORDS_OF_YAML_1_1: Final = frozenset({"y", "n", "yes", "no", "on", "off"})


def rendered(tree: Mapping[str, Any], step: int = 2) -> list[str]:
    """Settings as lines of block YAML, `step` spaces deeper with each level; lists stay on one line."""
    lines: list[str] = []
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            lines.append(f"{_text(key)}:")
            lines += [f"{' ' * step}{line}" for line in rendered(value, step)]
        else:
            lines.append(f"{_text(key)}: {_inline(value)}")
    return lines


def effective(config: Config) -> dict[str, Any]:
    """Every setting with its value in effect, fit for showing: what may be a secret is hidden.

    References are shown, for they are none; `load` has let no inline secret pass. What is left is
    the path of a URL, where some services put one.
    """
    shown: dict[str, Any] = _without_secrets(config.model_dump(mode="json"))
    return shown


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, str) and "://" in value:
        return masked(value)
    return value


def _inline(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_text(key)}: {_inline(inner)}' for key, inner in value.items())}}}"
    return json.dumps(value)


def _text(text: str) -> str:
    """Plain where nothing could read it otherwise, else in double quotes, as JSON would."""
    plain = _PLAIN.fullmatch(text) and isinstance(scalar(text), str)
    if plain and text.lower() not in _WORDS_OF_YAML_1_1:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escaped(char) for char in quoted)


def _escaped(char: str) -> str:
    # YAML 1.2.2 section 5.7; not JSON's surrogate pairs.
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
