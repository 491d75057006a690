from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.assurance.scanning.markdown import MOST, code, document
from bawn.findings.finding import Finding


def finding(message: str, file: str = "") -> Finding:
    return Finding("error", "definition/hidden", "", file, 0, message, "", "a")


@pytest.mark.parametrize(
    "hostile",
    [
        "[click](https://evil.example)",
        "<img src=x onerror=alert(1)>",
        "| a | b |",
        "@everybody please",
        "line\n\n# Heading\n- item",
        "\x1b[31mred\x1b[0m",
        "`` ` `` [x](y)",
        "````",
        "\u202egnp.exe",
        "\ud800",
    ],
)
def test_whatever_a_server_is_called_it_stands_within_code(hostile: str) -> None:
    lines = document([finding(hostile, hostile)], 1).splitlines()
    (line,) = [each for each in lines if "definition/hidden" in each]
    assert line.isprintable()
    fence = max((len(each) for each in hostile.split() if set(each) == {"`"}), default=0) + 1
    assert line.endswith("`" * fence)


@given(st.text(max_size=60))
def test_a_span_of_code_ends_where_it_should(text: str) -> None:
    span = code(text)
    fence = len(span) - len(span.lstrip("`"))
    inner = span[fence:-fence]
    assert span == "`" * fence + inner + "`" * fence
    runs = [len(run) for run in inner.replace("`", " ` ").split(" ` ") if run and set(run) == {"`"}]
    assert fence not in runs
    assert "`" * fence not in inner


def test_so_many_are_told() -> None:
    text = document([finding(str(n)) for n in range(MOST + 3)], 2)
    assert text.count("definition/hidden") == MOST
    assert "3 more findings" in text
