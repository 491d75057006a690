"""Generated JSONC documents: any value, in any layout, with comments and trailing commas."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
GAPS = st.sampled_from(
    [
        "",
        "",
        " ",
        "\n  ",
        "\r\n\t",
        '// line {"a": 1\n',
        " /* block , } ] */\n",
        "/**/",
        "//\r\n  ",
        " // x\n\n ",
    ]
)


@st.composite
def written(draw: st.DrawFn, value: Any) -> str:
    """The value as text, with gaps wherever they may be."""
    if isinstance(value, dict):
        members = [_member(draw, key, item) for key, item in value.items()]
        return "{" + _joined(draw, members) + "}"
    if isinstance(value, list):
        items = [draw(GAPS) + draw(written(item)) + draw(GAPS) for item in value]
        return "[" + _joined(draw, items) + "]"
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


def _member(draw: st.DrawFn, key: str, value: Any) -> str:
    name = json.dumps(key, ensure_ascii=draw(st.booleans()))
    return "".join(
        (draw(GAPS), name, draw(GAPS), ":", draw(GAPS), draw(written(value)), draw(GAPS))
    )


def _joined(draw: st.DrawFn, parts: list[str]) -> str:
    tail = draw(st.sampled_from(["", ","])) if parts else ""
    return ",".join(parts) + tail + draw(GAPS)


@st.composite
def documents(draw: st.DrawFn) -> tuple[Any, str]:
    """A value and a text of it."""
    value = draw(VALUES)
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return value, f"{mark}{draw(GAPS)}{draw(written(value))}{draw(GAPS)}"
