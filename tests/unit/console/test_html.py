from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.console.html import HEADERS, facts, page, shown


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not attrs
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text())
def test_no_text_becomes_markup_or_stays_unseen(text: str) -> None:
    parser = _Tags()
    parser.feed(shown(text))
    parser.close()
    assert set(parser.tags) <= {"mark"}
    assert all(char.isprintable() for char in parser.text)
    if text.isprintable() and "mark" not in parser.tags:
        assert parser.text == text


@pytest.mark.parametrize("char", ["\u202e", "\u200b", "\x00", "\n", "\u3164", "\ufe0f", "\u2800"])
def test_what_cannot_be_seen_is_marked(char: str) -> None:
    assert re.fullmatch(r"a<mark>\\[^<]+</mark>b", shown(f"a{char}b"))


def test_line_ends_stay_where_they_are_wanted() -> None:
    assert shown("a\nb", keep="\n") == "a\nb"


def test_empty_facts_are_left_out() -> None:
    assert facts([("a", ""), ("b", "<x>")]) == "<dl><dt>b</dt><dd>&lt;x&gt;</dd></dl>"


def test_the_style_is_the_one_that_the_policy_lets_in_and_there_is_no_script() -> None:
    whole = page("T", "x")
    (style,) = re.findall(r"<style>(.*?)</style>", whole)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = HEADERS["content-security-policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in whole
