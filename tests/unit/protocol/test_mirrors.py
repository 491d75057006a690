from __future__ import annotations

import base64
import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.model import Json, Mirror
from bawn.protocol import mirrors
from bawn.protocol.mirrors import InvalidMirror

REGION = Mirror(b"mcp-param-region", ("region",), "string")
COUNT = Mirror(b"mcp-param-count", ("page", "count"), "integer")
DRY = Mirror(b"mcp-param-dry", ("dry",), "boolean")
ALL = (COUNT, DRY, REGION)


def _tool(schema: Any) -> Json:
    return {"name": "query", "inputSchema": schema}


def _property(schema: Any) -> Json:
    return _tool({"type": "object", "properties": {"value": schema}})


def _header(name: Any, type_: Any = "string") -> Json:
    return {"type": type_, "x-mcp-header": name}


def _refused(arguments: Json, named: dict[bytes, bytes], made: tuple[Mirror, ...] = ALL) -> str:
    with pytest.raises(Refused) as caught:
        mirrors.check(made, arguments, named)
    assert caught.value.reason.id == "header.mismatch"
    return caught.value.public


# ── annotations ─────────────────────────────────────────────────────────────────────────────────


def test_annotations_are_found_along_properties() -> None:
    definition = _tool(
        {
            "type": "object",
            "properties": {
                "region": _header("Region"),
                "page": {"type": "object", "properties": {"count": _header("COUNT", "integer")}},
                "dry": _header("dry", "boolean"),
                "query": {"type": "string"},
            },
        }
    )
    assert mirrors.mirrors_of(definition) == ALL


@pytest.mark.parametrize(
    "schema", [None, True, [], "x", {}, {"type": "object"}, {"properties": []}]
)
def test_a_tool_without_annotations_has_no_mirrors(schema: Any) -> None:
    assert mirrors.mirrors_of(_tool(schema)) == ()
    assert mirrors.mirrors_of({"name": "query"}) == ()


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "My Region",
        "a:b",
        "Région",
        "a\r\nb",
        "a\0",
        "a\x7f",
        "x" * 129,
        None,
        5,
        ["a"],
        {},
    ],
)
def test_a_name_that_is_no_token_is_invalid(name: Any) -> None:
    with pytest.raises(InvalidMirror, match="not a name"):
        mirrors.mirrors_of(_property(_header(name)))


@pytest.mark.parametrize(
    "type_", ["number", "object", "array", "null", None, ["string"], ["string", "null"], 5, {}]
)
def test_only_strings_integers_and_booleans_can_be_mirrored(type_: Any) -> None:
    with pytest.raises(InvalidMirror, match="strings, integers and booleans"):
        mirrors.mirrors_of(_property(_header("a", type_)))
    with pytest.raises(InvalidMirror, match="strings, integers and booleans"):
        mirrors.mirrors_of(_property({"x-mcp-header": "a"}))


@pytest.mark.parametrize("other", ["Region", "REGION", "region"])
def test_two_arguments_cannot_share_a_name(other: str) -> None:
    schema = {"properties": {"a": _header("Region"), "b": {"properties": {"c": _header(other)}}}}
    with pytest.raises(InvalidMirror, match="same name"):
        mirrors.mirrors_of(_tool(schema))


@pytest.mark.parametrize(
    "schema",
    [
        _header("a"),  # the root itself
        {"properties": {"v": {"items": _header("a")}}},
        {"properties": {"v": {"items": [_header("a")]}}},
        {"properties": {"v": {"prefixItems": [{}, _header("a")]}}},
        {"properties": {"v": {"items": {"properties": {"w": _header("a")}}}}},
        {"oneOf": [{"properties": {"v": _header("a")}}]},
        {"allOf": [{"properties": {"v": _header("a")}}]},
        {"anyOf": [{"properties": {"v": _header("a")}}]},
        {"not": {"properties": {"v": _header("a")}}},
        {"if": {"properties": {"v": _header("a")}}},
        {"then": {"properties": {"v": _header("a")}}},
        {"else": {"properties": {"v": _header("a")}}},
        {"properties": {"v": {"$ref": "#/$defs/v"}}, "$defs": {"v": _header("a")}},
        {"definitions": {"v": _header("a")}},
        {"additionalProperties": _header("a")},
        {"patternProperties": {"^v": _header("a")}},
        {"dependentSchemas": {"v": {"properties": {"w": _header("a")}}}},
    ],
)
def test_an_annotation_that_not_only_properties_lead_to_is_invalid(schema: Json) -> None:
    with pytest.raises(InvalidMirror, match="properties"):
        mirrors.mirrors_of(_tool(schema))


def test_data_and_property_names_are_no_annotations() -> None:
    schema = {
        "default": {"x-mcp-header": ""},
        "examples": [{"x-mcp-header": ""}],
        "const": {"x-mcp-header": ""},
        "enum": [{"x-mcp-header": ""}],
        "properties": {"x-mcp-header": {"type": "number"}},
    }
    assert mirrors.mirrors_of(_tool(schema)) == ()


def test_depth_is_bounded_and_costs_no_stack() -> None:
    schema: Json = {}
    deep: Json = _header("a")
    for _ in range(5000):
        schema = {"properties": {"p": schema}}
        deep = {"properties": {"p": deep}}
    assert mirrors.mirrors_of(_tool(schema)) == ()
    with pytest.raises(InvalidMirror, match="16 deep"):
        mirrors.mirrors_of(_tool(deep))


# ── what we send ────────────────────────────────────────────────────────────────────────────────


def test_arguments_are_repeated_in_the_encoding_of_their_type() -> None:
    assert mirrors.fields(ALL, {"region": "us-west1", "page": {"count": -7}, "dry": False}) == (
        (b"mcp-param-count", b"-7"),
        (b"mcp-param-dry", b"false"),
        (b"mcp-param-region", b"us-west1"),
    )


@pytest.mark.parametrize("text", [" padded ", "line1\nline2", "Hello, 世界", "=?base64?x?=", "\t"])
def test_a_text_that_no_header_can_hold_is_wrapped(text: str) -> None:
    wrapped = b"=?base64?" + base64.b64encode(text.encode()) + b"?="
    assert mirrors.fields((REGION,), {"region": text}) == ((b"mcp-param-region", wrapped),)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"region": None},
        {"region": ["a"]},
        {"region": {"a": 1}},
        {"page": None},
        {"page": 5},
        {"page": {"count": 1 << 2000}},
    ],
)
def test_what_is_null_absent_or_no_primitive_is_omitted(arguments: Json) -> None:
    assert mirrors.fields(ALL, arguments) == ()
    mirrors.check(ALL, arguments, {})


def test_an_integer_written_with_a_fraction_of_zero_is_sent_as_an_integer() -> None:
    assert mirrors.fields((COUNT,), {"page": {"count": 42.0}}) == ((COUNT.header, b"42"),)


@pytest.mark.parametrize(
    ("value", "text"), [("x", b"x"), (True, b"true"), (1.5, b"1.5"), (1e300, b"1e+300")]
)
def test_a_primitive_of_another_type_is_left_to_the_server_to_judge(
    value: Any, text: bytes
) -> None:
    arguments = {"page": {"count": value}}
    assert mirrors.fields((COUNT,), arguments) == ((COUNT.header, text),)
    mirrors.check((COUNT,), arguments, {COUNT.header: text})


# ── what callers send ───────────────────────────────────────────────────────────────────────────


def test_a_field_must_be_there_when_its_argument_is() -> None:
    assert _refused({"region": "eu"}, {}) == "mcp-param-region is missing"


@pytest.mark.parametrize("arguments", [{}, {"region": None}, {"region": []}])
def test_a_field_must_not_be_there_when_its_argument_is_not(arguments: Json) -> None:
    assert "not there" in _refused(arguments, {REGION.header: b"eu"})


@pytest.mark.parametrize(
    "given", [b"EU", b"eu ", b"", b"e", b"=?base64?RVU=?=", b"=?BASE64?ZXU=?="]
)
def test_a_field_that_says_something_else_is_refused(given: bytes) -> None:
    assert "differs" in _refused({"region": "eu"}, {REGION.header: given})


@pytest.mark.parametrize("given", [b"\xff", b"=?base64?ZX?=", b"=?base64?ZXV?=", "é".encode()])
def test_a_malformed_field_is_refused(given: bytes) -> None:
    assert "malformed" in _refused({"region": "eu"}, {REGION.header: given})


@pytest.mark.parametrize("given", [b"42", b"42.0", b"42.000", b"042", b"=?base64?NDI=?="])
@pytest.mark.parametrize("value", [42, 42.0])
def test_integers_are_compared_as_numbers(given: bytes, value: float) -> None:
    mirrors.check((COUNT,), {"page": {"count": value}}, {COUNT.header: given})


@pytest.mark.parametrize(
    "given",
    [b"42.5", b"42.", b"4e1", b"+42", b"--42", b"4_2", b"", b"-42", b"0x2a", "４２".encode()],
)
def test_what_is_another_number_or_none_is_refused(given: bytes) -> None:
    _refused({"page": {"count": 42}}, {COUNT.header: given})


def test_large_integers_are_compared_exactly() -> None:
    value = 2**53 + 1
    mirrors.check((COUNT,), {"page": {"count": value}}, {COUNT.header: str(value).encode()})
    _refused({"page": {"count": value}}, {COUNT.header: str(value - 1).encode()})
    _refused({"page": {"count": value}}, {COUNT.header: b"9" * 10_000})


def test_strings_are_never_compared_as_numbers() -> None:
    assert "differs" in _refused({"region": "42"}, {REGION.header: b"42.0"})


def test_booleans_are_written_in_small_letters() -> None:
    mirrors.check((DRY,), {"dry": True}, {DRY.header: b"true"})
    for given_ in (b"True", b"1", b"false"):
        _refused({"dry": True}, {DRY.header: given_}, (DRY,))


def test_a_field_that_nothing_declares_is_ignored() -> None:
    mirrors.check(ALL, {}, {b"mcp-param-other": b"\xff", b"mcp-param-": b"x"})


primitives = st.none() | st.text() | st.booleans() | st.integers() | st.floats(allow_nan=False)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "region": primitives,
            "dry": primitives | st.lists(primitives),
            "page": primitives | st.fixed_dictionaries({}, optional={"count": primitives}),
        },
    )
)
def test_what_we_write_is_what_we_accept(arguments: Json) -> None:
    made = mirrors.fields(ALL, arguments)
    assert all(0x20 <= byte < 0x7F for _, value in made for byte in value)
    mirrors.check(ALL, arguments, dict(made))
    for header, _ in made:
        _refused(arguments, {name: value for name, value in made if name != header})


@given(
    st.recursive(
        primitives,
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["properties", "items", "x-mcp-header", "type", "anyOf", "$defs", "a"]
                ),
                inner,
            )
        ),
    )
)
def test_any_schema_has_mirrors_or_is_invalid(schema: Any) -> None:
    with contextlib.suppress(InvalidMirror):
        assert all(mirror.path for mirror in mirrors.mirrors_of(_tool(schema)))
