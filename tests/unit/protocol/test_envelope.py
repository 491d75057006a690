from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.protocol import envelope
from bawn.protocol.envelope import Message, Response

META = "io.modelcontextprotocol/"
ENVELOPE = ["jsonrpc", "id", "method", "params", "result", "error"]
PARAMS = [
    "name", "arguments", "uri", "cursor", "_meta", "ref", "argument", "context", "taskId", "task",
    "requestState", "inputResponses", "protocolVersion", "capabilities", "clientInfo", "requestId",
    "reason", "level", "notifications",
]  # fmt: skip
METAS = [
    *(META + name for name in ("protocolVersion", "clientCapabilities", "clientInfo", "logLevel")),
    "progressToken", "traceparent", "tracestate", "baggage",
]  # fmt: skip

# Letters that some rule of Unicode takes for an ASCII one.
LOOKALIKES = {"k": "\u212a", "s": "\u017f", "i": "\u0131\u0130"}


def _whole(**changes: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {}} | changes


def _refused(tree: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        envelope.read(tree)
    return caught.value


@st.composite
def variants(draw: st.DrawFn, names: list[str]) -> str:
    """A protocol key with some letters in another case, ASCII or beyond."""
    name = draw(st.sampled_from(names))
    made = "".join(
        draw(st.sampled_from([c, c.upper(), c.lower(), *LOOKALIKES.get(c.lower(), "")]))
        for c in name
    )
    assume(made != name)
    return made


@given(variants(ENVELOPE))
def test_case_variants_in_the_envelope_are_refused(key: str) -> None:
    assert _refused(_whole(**{key: 1})).reason.id == "message.shape"


@given(variants(PARAMS))
def test_case_variants_in_params_are_refused(key: str) -> None:
    assert _refused(_whole(params={key: 1})).reason.id == "message.shape"


@given(variants(METAS))
def test_case_variants_in_meta_are_refused(key: str) -> None:
    assert _refused(_whole(params={"_meta": {key: 1}})).reason.id == "message.shape"


@given(st.text(), st.sampled_from(PARAMS))
def test_no_key_is_a_protocol_key_to_a_reader_without_regard_to_case(key: str, name: str) -> None:
    try:
        envelope.read(_whole(params={key: {}}))
    except Refused:
        return
    if key != name:
        assert key.lower() != name.lower()
        assert key.upper() != name.upper()
        assert key.casefold() != name.casefold()


@pytest.mark.parametrize("key", ["\u212aey", "tas\u212a", "tras\u017f", "e\u017f", "x-mcp"])
def test_unknown_keys_survive_unless_they_resemble_a_known_one(key: str) -> None:
    tree = _whole(params={key: 1})
    if key == "tas\u212a":
        assert _refused(tree).reason.id == "message.shape"
    else:
        assert envelope.read(tree).params == {key: 1}


@pytest.mark.parametrize("name", PARAMS)
def test_the_keys_themselves_are_accepted(name: str) -> None:
    assert envelope.read(_whole(params={name: {}, "unknown": 1})).params[name] == {}


def test_arguments_are_the_servers_own_matter() -> None:
    arguments = {"Name": 1, "name": 2, "NAME": 3, "__proto__": {"x": 1}, "constructor": None}
    assert envelope.read(_whole(params={"arguments": arguments})).params["arguments"] == arguments


@pytest.mark.parametrize("id_", [0, 1, -1, 2**63, -(2**70), "", "a", "0", "é" * 300])
def test_an_id_is_kept_as_it_is(id_: str | int) -> None:
    message = envelope.read(_whole(id=id_))
    assert message.id == id_
    assert type(message.id) is type(id_)
    assert json.loads(envelope.result(id_, {}))["id"] == id_
    assert json.loads(envelope.error(id_, {}))["id"] == id_


@pytest.mark.parametrize("id_", [None, True, False, 1.0, 1.5, [], {}, [1]])
def test_an_id_of_another_type_is_refused_and_not_repeated(id_: object) -> None:
    tree = _whole(id=id_)
    assert _refused(tree).reason.id == "message.shape"
    assert envelope.identifier(tree) is None


def test_without_an_id_it_is_a_notification() -> None:
    tree = _whole()
    del tree["id"]
    assert envelope.read(tree) == Message(None, "tools/call", {}, {})


@pytest.mark.parametrize(
    "tree",
    [
        None,
        5,
        "x",
        True,
        [],
        [_whole()],
        {},
        _whole(jsonrpc="1.0"),
        _whole(jsonrpc=2.0),
        _whole(jsonrpc=None),
        _whole(method=None),
        _whole(method=["tools/call"]),
        _whole(result={}),
        _whole(error={}),
        _whole(result=None),
        {"jsonrpc": "2.0", "id": 1, "result": {}},
    ],
)
def test_anything_but_one_request_or_notification_is_refused(tree: Any) -> None:
    assert _refused(tree).reason.id == "message.shape"


# ── responses ───────────────────────────────────────────────────────────────────────────────────


def _response(**members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1} | members


def test_a_response_has_an_outcome_and_no_method() -> None:
    assert envelope.is_response(_response(result={}))
    assert envelope.is_response(_response(error={}))
    for other in (_whole(), _whole(result={}), _response(), [_response(result={})], None, "x"):
        assert not envelope.is_response(other)


@pytest.mark.parametrize("id_", [0, -(2**70), "", "0.1"])
def test_a_response_carries_one_outcome(id_: str | int) -> None:
    assert envelope.response(_response(id=id_, result={"a": 1})) == Response(id_, {"a": 1}, None)
    error = {"code": -1, "message": "no"}
    assert envelope.response(_response(id=id_, error=error)) == Response(id_, None, error)


@pytest.mark.parametrize(
    "tree",
    [
        _response(result={}, error={}),
        _response(result={}, error=None),
        _response(result=None),
        _response(result=[]),
        _response(error="no"),
        _response(jsonrpc="1.0", result={}),
        _response(id=None, result={}),
        _response(id=True, result={}),
        _response(id=1.0, result={}),
        _response(result={}, Error={}),
        _response(result={}, ID=2),
        {"jsonrpc": "2.0", "result": {}},
    ],
)
def test_a_response_of_another_shape_is_refused(tree: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        envelope.response(tree)
    assert caught.value.reason.id == "message.shape"


@pytest.mark.parametrize("params", [[], "x", 5, False, {"_meta": []}, {"_meta": "x"}])
def test_params_and_meta_have_to_be_objects(params: Any) -> None:
    assert _refused(_whole(params=params)).reason.id == "message.params"


def test_absent_params_and_meta_are_empty() -> None:
    assert envelope.read(_whole(params=None)).params == {}
    assert envelope.read(_whole(params={"_meta": None})).meta == {}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from([*ENVELOPE, "_meta", "x"]), inner)
        ),
        max_leaves=8,
    )
)
def test_any_tree_is_read_or_refused(tree: Any) -> None:
    try:
        message = envelope.read(tree)
    except Refused:
        return
    assert isinstance(message.params, dict)
    assert isinstance(message.meta, dict)
