"""The documentation says what the code does, for people and for editors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no stubs
import pytest

from bawn.config import shape as shapes
from bawn.config.environment import variable
from bawn.config.schema import json_schema, markdown

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for inner in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        yield from objects(inner)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == markdown(), (
        "run `python -m bawn.config.schema > docs/configuration.md`"
    )


def test_the_page_has_every_key_and_its_variable() -> None:
    page = markdown()

    for path, shape in shapes.walk():
        name = f"`{'.'.join(path).replace('.[]', '[]').replace('*', '<id>')}`"
        if shape.kind == "section":
            assert f"### {name}" in page
        elif path not in {
            ("servers",),
            ("roles",),
            ("scopes",),
            ("inspection", "judges"),
        }:  # these have headings of their own
            assert f"| {name} |" in page
            assert f"<br>`{variable(path)}`" in page or "[]" in path


def test_no_row_of_the_page_breaks_its_table() -> None:
    rows = [line for line in markdown().splitlines() if line.startswith("| `")]

    assert len(rows) > 50
    for row in rows:
        if "Where the secret lies" not in row and "${" not in row.split("|")[1]:
            assert row.count("|") == 6, row


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"listen": "127.0.0.1:1", "servers": {"my-files": {"command": ["x"], "prefix": ""}}},
        {"identity": {"mode": "oidc", "issuers": [{"issuer": "https://idp.example.com"}]}},
    ],
)
def test_the_schema_accepts_what_the_gate_accepts(document: dict[str, Any]) -> None:
    jsonschema.validate(document, json_schema())


@pytest.mark.parametrize(
    "document",
    [
        {"listn": "x"},
        {"limits": {"body": 0}},
        {"log": {"level": "loud"}},
        {"servers": {"My_Files": {}}},
        {"servers": {"a": {"isolaton": "shared"}}},
    ],
)
def test_the_schema_refuses_what_the_gate_refuses(document: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json_schema())


def test_the_schema_carries_tiers_and_sentences_and_no_invented_titles() -> None:
    schema = json_schema()

    assert schema["$id"].startswith("urn:")
    assert "http" not in schema["$id"]
    assert schema["title"] == "bawn.yaml"
    for node in objects(schema["$defs"]):
        assert "tier" not in node
        assert not isinstance(node.get("title"), str)
        for name, setting in node.get("properties", {}).items():
            assert setting["description"], name
            assert setting["x-stability"] in {"stable", "preview", "experimental"}
    json.dumps(schema)
