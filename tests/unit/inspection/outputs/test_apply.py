"""What was found is dealt with where it is; everything else stays the very object that it was."""

from __future__ import annotations

import copy
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.inspection.outputs.apply import Way, acted
from bawn.inspection.outputs.draft import Draft
from bawn.inspection.outputs.edits import within
from bawn.inspection.outputs.leaves import KEY, Kind, of_message
from bawn.inspection.outputs.marking import around, look_alikes
from bawn.inspection.outputs.structured import validator
from bawn.model import Detection, Json, Severity
from bawn.ports import Found

NONCE = "n0nce"
OPEN, CLOSE = around(NONCE)


def redact(text: str, detections: Sequence[Detection], style: str) -> str:
    for each in sorted(detections, key=lambda one: -one.start):
        hidden = "X" * (each.end - each.start) if style == "shape" else "[redacted]"
        text = text[: each.start] + hidden + text[each.end :]
    return text


WAY = Way(NONCE, redact)


def found(
    place: str, text: str, part: str, rule: str = "output/x", action: str = "mark", **more: Any
) -> Found:
    start = text.index(part)
    seen = Detection(rule, Severity.HIGH, start, start + len(part), "e")
    return Found(place, seen, action, **more)


def tool(*blocks: Json, **more: Any) -> Json:
    return {"resultType": "complete", "content": list(blocks), **more}


def text(words: str) -> Json:
    return {"type": "text", "text": words}


def done(message: Json, *finds: Found, way: Way = WAY) -> Json:
    made = acted(message, finds, way)
    assert made is not None
    return made


def test_where_nothing_is_to_be_done_it_is_the_same_object() -> None:
    message = tool(text("words"))
    shadow = found("/content/0/text", "words", "words", action="block", shadow=True)
    passed = found("/content/0/text", "words", "words", action="pass")
    assert acted(message, (), WAY) is message
    assert acted(message, (shadow, passed), WAY) is message


@pytest.mark.parametrize("action", ["ask", "quarantine", "block", "unheard of"])
def test_what_is_to_be_held_back_is_not_given(action: str) -> None:
    assert acted(tool(text("x")), [found("/content/0/text", "x", "x", action=action)], WAY) is None


def test_a_span_is_marked_and_noted_and_the_rest_untouched() -> None:
    message = tool(
        text("first"), text("do this at once"), structuredContent={"a": ["b"]}, _meta={"m": 1}
    )
    before = copy.deepcopy(message)
    made = done(message, found("/content/1/text", "do this at once", "this"))
    assert made["content"][1]["text"] == f"do {OPEN}this{CLOSE} at once"
    (note,) = made["_meta"]["bawn/inspection"]
    assert (note["place"], note["span"], note["action"]) == ("/content/1/text", [3, 7], "mark")
    assert made["_meta"]["m"] == 1
    assert made["content"][0] is message["content"][0]
    assert made["structuredContent"] is message["structuredContent"]
    assert message == before


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ({"messages": [{"role": "user", "content": text("x this y")}]}, "/messages/0/content/text"),
        ({"contents": [{"uri": "u", "text": "x this y"}]}, "/contents/0/text"),
        ({"content": [{"type": "resource", "resource": {"uri": "u", "text": "x this y"}}]},
         "/content/0/resource/text"),
        ({"taskId": "t", "result": {"content": [text("x this y")]}}, "/result/content/0/text"),
        ({"statusMessage": "x this y"}, "/statusMessage"),
        ({"progress": 1, "message": "x this y"}, "/message"),
        ({"level": "info", "data": "x this y"}, "/data"),
        ({"inputRequests": {"k": {"params": {"message": "x this y"}}}},
         "/inputRequests/k/params/message"),
    ],
)  # fmt: skip
def test_prose_is_marked_wherever_it_stands(message: Json, place: str) -> None:
    made = done(message, found(place, "x this y", "this"))
    assert Draft(made).at(place) == f"x {OPEN}this{CLOSE} y"


def test_nothing_is_put_into_values() -> None:
    message = tool(structuredContent={"a": "do this"}, completion={"values": ["do this"]})
    finds = [
        found("/structuredContent/a", "do this", "this"),
        found("/completion/values/0", "do this", "this"),
    ]
    made = done(message, *finds)
    assert made["structuredContent"] is message["structuredContent"]
    assert made["completion"] is message["completion"]
    assert len(made["_meta"]["bawn/inspection"]) == 2


def test_values_are_stripped_made_inert_and_redacted() -> None:
    value = "a\u200bb <img src=x> key"
    message = tool(structuredContent={"a": value}, other=[value])
    finds = [
        each
        for place in ("/structuredContent/a", "/other/0")
        for each in (
            found(place, value, "\u200b", "hidden/x"),
            found(place, value, "<img src=x>", "output/active-html"),
            found(place, value, "key", "secret/x", "redact"),
        )
    ]
    made = done(message, *finds)
    assert made["structuredContent"] == {"a": "ab &lt;img src=x> [redacted]"}
    assert made["other"] == ["ab &lt;img src=x> [redacted]"]


def test_structured_content_stays_valid_or_nothing_is_given() -> None:
    message = tool(structuredContent={"key": "AKIA77"})
    finds = [found("/structuredContent/key", "AKIA77", "AKIA77", "secret/x", "redact")]
    short = validator({"properties": {"key": {"maxLength": 6}}})
    assert done(message, *finds, way=Way(NONCE, redact, compiled=short))["structuredContent"] == {
        "key": "XXXXXX"
    }
    rigid = validator({"properties": {"key": {"const": "AKIA77"}}, "required": ["key"]})
    assert acted(message, finds, Way(NONCE, redact, compiled=rigid)) is None


def test_keys_are_changed_in_structured_content_alone() -> None:
    message = tool(structuredContent={"k\u200b": 1})
    finds = [found("key:/structuredContent/k\u200b", "k\u200b", "\u200b", "hidden/x")]
    assert done(message, *finds)["structuredContent"] == {"k": 1}
    asked = {"inputRequests": {"q": {"params": {"requestedSchema": {"k\u200b": 1}}}}}
    place = "key:/inputRequests/q/params/requestedSchema/k\u200b"
    assert acted(asked, [found(place, "k\u200b", "\u200b", "hidden/x")], WAY) is None
    assert acted(asked, [found(place, "k\u200b", "k", "output/x")], WAY) is not None


def test_a_blob_is_changed_in_what_it_decodes_to() -> None:
    blob = b64encode(b"the key is key").decode()
    message = {"contents": [{"uri": "u", "mimeType": "text/plain", "blob": blob}]}
    made = done(message, found("/contents/0/blob", "the key", "key", "secret/x", "redact"))
    assert b64decode(made["contents"][0]["blob"]) == b"the [redacted] is key"
    marked = done(message, found("/contents/0/blob", "the key", "key"))
    assert marked["contents"] is message["contents"]


def test_a_link_that_is_not_to_be_followed_becomes_a_text() -> None:
    link = {
        "type": "resource_link",
        "uri": "https://a.example/?q",
        "name": "Look",
        "_meta": {"x": 1},
    }
    message = tool(link, text("other"))
    made = done(message, found("/content/0/uri", link["uri"], "https", "output/exfil-link"))  # type: ignore[arg-type]  # a string
    assert made["content"][0] == {
        "type": "text",
        "text": "(link) Look: https[:]//a[.]example/?q",
        "_meta": {"x": 1},
    }
    assert made["content"][1] is message["content"][1]


def test_an_address_stays_one() -> None:
    message = {"contents": [{"uri": "db://u:AKIA77@h/x", "text": "t"}]}
    made = done(message, found("/contents/0/uri", "db://u:AKIA77", "AKIA77", "secret/x", "redact"))
    assert made["contents"][0]["uri"] == "db://u:XXXXXX@h/x"
    url = {"inputRequests": {"k": {"params": {"url": "https://a.example"}}}}
    place = "/inputRequests/k/params/url"
    assert acted(url, [found(place, "https://a", "https", "output/exfil-x")], WAY) is None


def test_words_of_the_protocol_are_not_changed() -> None:
    message = {"messages": [{"role": "us\u200ber", "content": text("x")}]}
    assert (
        acted(message, [found("/messages/0/role", "us\u200ber", "\u200b", "hidden/x")], WAY) is None
    )


def test_a_place_that_is_none_can_be_noted_and_not_changed() -> None:
    message = tool(text("x"))
    assert done(message, found("/nowhere", "x", "x"))["content"] is message["content"]
    assert acted(message, [found("/nowhere", "x", "x", action="redact")], WAY) is None


def test_errors_get_no_note() -> None:
    error = {"code": -32000, "message": "do this"}
    made = done(error, found("/message", "do this", "this"), way=Way(NONCE, redact, note=False))
    assert made == {"code": -32000, "message": f"do {OPEN}this{CLOSE}"}


# ── for any message and any findings ────────────────────────────────────────────────────────────

_WORDS = st.text(
    alphabet="ab \u0301\u200d\U0001f468\u27e6[bawn]<!(:/.\u200b\x1b\u0430", max_size=30
)
_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | _WORDS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(_WORDS, below, max_size=3),
    max_leaves=6,
)
_BLOCK = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": _WORDS}),
    st.fixed_dictionaries({"type": st.just("resource_link"), "uri": _WORDS, "name": _WORDS}),
    st.fixed_dictionaries(
        {
            "type": st.just("resource"),
            "resource": st.fixed_dictionaries({"uri": _WORDS, "text": _WORDS}),
        }
    ),
    st.fixed_dictionaries({"type": st.just("other"), "body": _VALUE}),
    st.builds(
        lambda data: {
            "type": "image",
            "mimeType": "image/svg+xml",
            "data": b64encode(data.encode()).decode(),
        },
        _WORDS,
    ),
)
_MESSAGE = st.one_of(
    st.fixed_dictionaries(
        {"resultType": st.just("complete"), "content": st.lists(_BLOCK, max_size=3)},
        optional={"structuredContent": _VALUE, "_meta": st.dictionaries(_WORDS, _VALUE, max_size=2)},
    ),
    st.fixed_dictionaries(
        {"messages": st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": _BLOCK}), max_size=2)}
    ),
    st.fixed_dictionaries(
        {"contents": st.lists(st.fixed_dictionaries({"uri": _WORDS, "text": _WORDS}), max_size=2)}
    ),
    st.fixed_dictionaries({"completion": st.fixed_dictionaries({"values": st.lists(_WORDS, max_size=3)})}),
)  # fmt: skip
_RULES = ("output/x", "output/exfil-image", "output/active-html", "hidden/x", "secret/x")


@st.composite
def _case(draw: st.DrawFn) -> tuple[Json, list[Found]]:
    message: Json = draw(_MESSAGE)
    leaves = of_message(message).found
    finds = []
    for _ in range(draw(st.integers(0, 4)) if leaves else 0):
        leaf = draw(st.sampled_from(leaves))
        seen = Detection(
            draw(st.sampled_from(_RULES)), Severity.HIGH,
            draw(st.integers(0, 35)), draw(st.integers(0, 35)), "e",
        )  # fmt: skip
        finds.append(Found(leaf.place, seen, draw(st.sampled_from(("mark", "redact")))))
    return message, finds


@settings(max_examples=150, deadline=None)
@given(_case())
def test_any_result_stays_valid_and_what_was_not_found_stays(
    case: tuple[Json, list[Found]],
) -> None:
    message, finds = case
    before = copy.deepcopy(message)
    made = acted(message, finds, WAY)
    assert message == before
    if made is None:
        return
    _alike(message, made)
    flagged = {each.place for each in finds}
    above = {part for place in flagged for part in _above(place.removeprefix(KEY))}
    for leaf in of_message(message):
        untold = leaf.place not in flagged and leaf.kind is not Kind.KEY
        if untold and not any(each in flagged for each in _keys_above(leaf.place)):
            now = Draft(made).at(leaf.place)
            assert now is Draft(message).at(leaf.place) or _became_text(message, made, leaf.place)
    for key, value in message.items():
        if f"/{key}" not in above and key != "_meta":
            assert made[key] is value


@settings(max_examples=150, deadline=None)
@given(_WORDS, st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=4))
def test_no_forged_mark_survives_beside_a_real_one(
    words: str, spans: list[tuple[int, int]]
) -> None:
    finds = [
        Found("/content/0/text", Detection("output/x", Severity.HIGH, *span, "e"), "mark")
        for span in spans
    ]
    made = done(tool(text(words)), *finds)["content"][0]["text"]
    rest = made.replace(OPEN, "").replace(CLOSE, "")
    assert made.count(OPEN) == made.count(CLOSE)
    assert not set("\u27e6\u27e7") & set(rest)
    assert all(look_alikes(part) == [] for part in made.replace(CLOSE, OPEN).split(OPEN))


@given(
    st.text(alphabet="aé\u0301\u200d\U0001f468\U0001f1e9世 ", max_size=30),
    st.integers(0, 30),
    st.integers(0, 30),
)
def test_spans_are_right_in_any_script(words: str, start: int, end: int) -> None:
    seen = Detection("output/x", Severity.HIGH, start, end, "e")
    made = done(tool(text(words)), Found("/content/0/text", seen, "mark"))["content"][0]["text"]
    first, last = within(words, start, end)
    if first == last:
        first, last = 0, len(words)
    wanted = words[:first] + OPEN + words[first:last] + CLOSE + words[last:] if words else words
    assert made == wanted


def _alike(one: Any, other: Any, place: str = "") -> None:
    """The same shape, but for structured content, notes, and links that became texts."""
    if place in ("/structuredContent", "/_meta"):
        return
    if isinstance(one, dict) and one.get("type") == "resource_link" and other.get("type") == "text":
        assert isinstance(other["text"], str)
        return
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert set(one) == set(other) - ({"_meta"} - set(one))
        for key in one:
            _alike(one[key], other[key], f"{place}/{key}")
    elif isinstance(one, list):
        assert len(one) == len(other)
        for first, second in zip(one, other, strict=True):
            _alike(first, second, f"{place}/-")
    elif not isinstance(one, str):
        assert one == other


def _above(place: str) -> list[str]:
    parts = place.split("/")
    return ["/".join(parts[: number + 1]) for number in range(1, len(parts))]


def _keys_above(place: str) -> list[str]:
    return [f"{KEY}{each}" for each in _above(place)]


def _became_text(message: Json, made: Json, place: str) -> bool:
    kind = f"{place.rpartition('/')[0]}/type"
    return [Draft(each).at(kind) for each in (message, made)] == ["resource_link", "text"]
