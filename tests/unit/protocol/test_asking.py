from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.model import Json
from bawn.protocol import asking

FORM: Json = {
    "method": "elicitation/create",
    "params": {"message": "What is your name?", "requestedSchema": {"type": "object"}},
}
URL: Json = {
    "method": "elicitation/create",
    "params": {"mode": "url", "message": "Sign in", "url": "https://example.com/in?a=b#c"},
}
SAMPLING: Json = {
    "method": "sampling/createMessage",
    "params": {
        "messages": [{"role": "user", "content": {"type": "text", "text": "hi"}}],
        "maxTokens": 5,
    },
}
ROOTS: Json = {"method": "roots/list", "params": {}}
ALL: Json = {"form": FORM, "url": URL, "sampling": SAMPLING, "roots": ROOTS}

texts = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)


def _with(request: Json, **params: Any) -> Json:
    return {**request, "params": {**request["params"], **params}}


def _sampling(content: Any) -> Json:
    return _with(SAMPLING, messages=[{"role": "user", "content": content}])


def _check(**requests: Any) -> None:
    asking.check({"resultType": "input_required", "inputRequests": requests})


def _invalid(result: Json) -> str:
    with pytest.raises(Refused) as caught:
        asking.check(result)
    assert caught.value.reason.id == "upstream.invalid"
    assert caught.value.public == ""
    return caught.value.detail


# ── shape ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "result",
    [
        {"inputRequests": ALL},
        {"requestState": ""},
        {"requestState": "s", "inputRequests": {}},
        {"requestState": "s", "inputRequests": None},
        {"requestState": None, "inputRequests": {"r": {"method": "roots/list"}}},
        {"inputRequests": {"": FORM}, "com.example/own": 1},
        {"inputRequests": {"f": {**_with(FORM, mode="form", x=1), "y": 2}}},
        {"inputRequests": {str(number): FORM for number in range(64)}},
    ],
)
def test_what_the_specification_allows_passes(result: Json) -> None:
    asking.check({"resultType": "input_required", **result})


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"inputRequests": {}},
        {"inputRequests": None, "requestState": None},
        {"requestState": 5},
        {"requestState": {"a": 1}, "inputRequests": ALL},
        {"inputRequests": [FORM]},
        {"inputRequests": "form", "requestState": "s"},
        {"inputRequests": {str(number): FORM for number in range(65)}},
    ],
)
def test_what_asks_nothing_or_too_much_is_invalid(result: Json) -> None:
    _invalid(result)


@pytest.mark.parametrize(
    "request_",
    [
        None,
        "roots/list",
        {},
        {"method": 5, "params": {}},
        {"method": ["roots/list"], "params": {}},
        {"method": "tools/call", "params": {}},
        {"method": "ping", "params": {}},
        {"method": "roots/list", "params": []},
        {"method": "elicitation/create"},
        {"method": "sampling/createMessage"},
        {"method": "sampling/createMessage", "params": {"maxTokens": 1}},
        _with(FORM, message=None),
        _with(FORM, requestedSchema="object"),
        _with(FORM, mode="telepathy"),
        _with(FORM, mode=1),
        _with(FORM, mode="url"),
    ],
)
def test_a_request_of_another_shape_is_invalid(request_: Any) -> None:
    _invalid({"inputRequests": {"a": request_}})


@pytest.mark.parametrize(
    "requests", [None, [], "x", {"a": None}, {"a": _with(URL, url="javascript:0")}]
)
def test_what_a_task_asks_is_judged_alike(requests: Any) -> None:
    asking.check_requests(ALL)
    with pytest.raises(Refused) as caught:
        asking.check_requests(requests)
    assert caught.value.reason.id == "upstream.invalid"


def test_keys_of_the_gates_own_questions_are_kept_free() -> None:
    assert "bawn." in _invalid({"inputRequests": {"bawn.approval": FORM}})
    _check(bawn=FORM, Bawn=FORM)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/",
        "https://example.com",
        "HTTPS://Example.com/?u=a@b",
        "https://[::1]:8443/x",
        "https://münchen.example/",
    ],
)
def test_a_person_may_be_sent_to_a_web_page(url: str) -> None:
    _check(a=_with(URL, url=url))


@pytest.mark.parametrize(
    "url",
    [
        None,
        5,
        "",
        "example.com",
        "//example.com",
        "https:",
        "https:///path",
        "https://:443/",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "\thttps://example.com",
        " https://example.com",
        "https://example.com/a b",
        "file:///etc/passwd",
        "data:text/html,x",
        "ftp://example.com",
        "vscode://x/y",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://good.example\\@evil.example/",
        "https:\\\\evil.example",
        "https://evil.example\\.good.example/",
        "https://example.com:99999/",
        "https://example.com:x/",
        "https://[::1/",
        "https://example.com/\u202egpj.exe",
        "https://example.com/\x00",
    ],
)
def test_a_person_is_sent_nowhere_else(url: Any) -> None:
    assert "url" in _invalid({"inputRequests": {"a": _with(URL, url=url)}})


@given(
    st.dictionaries(
        st.sampled_from(["inputRequests", "requestState", "x"]),
        values
        | st.dictionaries(
            st.text(max_size=3),
            st.fixed_dictionaries(
                {"method": st.sampled_from(sorted(asking.METHODS)), "params": values}
            ),
        ),
    )
)
def test_any_result_passes_or_is_refused_and_what_passes_can_be_judged(result: Json) -> None:
    try:
        asking.check(result)
    except Refused:
        return
    requests = result.get("inputRequests") or {}
    asking.undeclared(requests, {})
    assert asking.named(requests, "files").keys() == requests.keys()


# ── what the caller declared ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("request_", "capabilities"),
    [
        (FORM, {"elicitation": {}}),
        (FORM, {"elicitation": {"form": {}}}),
        (_with(FORM, mode="form"), {"elicitation": {}}),
        (URL, {"elicitation": {"url": {}}}),
        (SAMPLING, {"sampling": {}}),
        (_with(SAMPLING, includeContext="allServers"), {"sampling": {}}),
        (_with(SAMPLING, tools=None), {"sampling": {}}),
        (_with(SAMPLING, tools=[]), {"sampling": {"tools": {}}}),
        (ROOTS, {"roots": {}}),
        ({"method": "roots/list"}, {"roots": {"listChanged": True}}),
    ],
)
def test_what_is_declared_may_be_asked(request_: Json, capabilities: Json) -> None:
    assert asking.undeclared({"a": request_}, capabilities) is None


@pytest.mark.parametrize(
    ("request_", "capabilities", "required"),
    [
        (FORM, {}, {"elicitation": {"form": {}}}),
        (FORM, {"elicitation": None}, {"elicitation": {"form": {}}}),
        (FORM, {"elicitation": {"url": {}}}, {"elicitation": {"form": {}}}),
        (FORM, {"elicitation": {"form": None}}, {"elicitation": {"form": {}}}),
        (URL, {"elicitation": {}}, {"elicitation": {"url": {}}}),
        (URL, {"elicitation": {"form": {}}}, {"elicitation": {"url": {}}}),
        (SAMPLING, {"elicitation": {}}, {"sampling": {}}),
        (SAMPLING, {"sampling": True}, {"sampling": {}}),
        (_with(SAMPLING, tools=[]), {"sampling": {}}, {"sampling": {"tools": {}}}),
        (_with(SAMPLING, tools=[]), {}, {"sampling": {"tools": {}}}),
        (_with(SAMPLING, toolChoice={}), {"sampling": {}}, {"sampling": {"tools": {}}}),
        (_sampling({"type": "tool_result"}), {"sampling": {}}, {"sampling": {"tools": {}}}),
        (_sampling([{"type": "tool_use"}]), {"sampling": {}}, {"sampling": {"tools": {}}}),
        (ROOTS, {"sampling": {}}, {"roots": {}}),
    ],
)
def test_what_is_not_declared_is_named(request_: Json, capabilities: Json, required: Json) -> None:
    assert asking.undeclared({"a": request_}, capabilities) == required


def test_everything_that_is_missing_is_named_at_once() -> None:
    assert asking.undeclared(ALL, {}) == {
        "elicitation": {"form": {}, "url": {}},
        "sampling": {},
        "roots": {},
    }
    assert asking.undeclared(ALL, {"elicitation": {}, "sampling": {}}) == {
        "elicitation": {"url": {}},
        "roots": {},
    }


# ── who asks ────────────────────────────────────────────────────────────────────────────────────


def test_the_server_is_named_where_a_person_reads_it() -> None:
    before = copy.deepcopy(ALL)
    made = asking.named(ALL, "files")
    assert made["form"] == _with(FORM, message="[files] What is your name?")
    assert made["url"] == _with(URL, message="[files] Sign in")
    assert made["sampling"] == SAMPLING
    assert made["roots"] == ROOTS
    assert before == ALL


def test_a_server_cannot_pass_for_another() -> None:
    made = asking.named({"a": _with(FORM, message="[bank] Your name?")}, "files")
    assert made["a"]["params"]["message"] == "[files] [bank] Your name?"


@given(texts, texts, st.dictionaries(texts, values, max_size=3))
def test_naming_twice_is_naming_once(server: str, message: str, more: Json) -> None:
    asked = {"a": {**FORM, "params": {**more, "message": message}}}
    once = asking.named(asked, server)
    assert once["a"]["params"]["message"].startswith(f"[{server}] ")
    assert asking.named(once, server) == once
    rest = {**once["a"]["params"], "message": message}
    assert rest == asked["a"]["params"]


@pytest.mark.parametrize("request_", [None, 5, {}, {"method": "elicitation/create"}])
def test_what_has_no_message_is_left_alone(request_: Any) -> None:
    assert asking.named({"a": request_}, "files") == {"a": request_}
