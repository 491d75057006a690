"""Templates and code: what leaves the template, and shapes known from attacks."""

from __future__ import annotations

import pytest

from bawn.inspection.arguments import template
from bawn.inspection.arguments.context import Context


@pytest.mark.parametrize(
    "text",
    [
        "{{ user.name | upper }}",
        "Hi {name}, {{#if a}}b{{/if}}",
        "<% if a %>b<% end %>",
        "${order.total}",
        "plain",
        "{{ 7 }}",
    ],
)
def test_ordinary_templates_pass(text: str) -> None:
    assert list(template.check(text, Context())) == []


def test_what_is_found_stands_where_it_says() -> None:
    (found,) = template.check("é {{ x.__class__ }}", Context())
    assert "é {{ x.__class__ }}"[found.start : found.end] == "__class__"


def test_ordinary_code_passes() -> None:
    assert list(template.code("import os, socket\nos.system('ls')\nexec('x=1')", Context())) == []


def test_what_is_too_long_is_refused() -> None:
    assert [each.rule for each in template.check("{" * 300_000, Context())] == [
        "argument/value-length"
    ]
    assert [each.rule for each in template.code("x" * 2_000_000, Context())] == [
        "argument/value-length"
    ]
