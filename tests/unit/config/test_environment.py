"""Every setting has one environment variable, and a variable means one setting."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.config import shape as shapes
from bawn.config.environment import apply, is_setting, variable


def applied(tree: dict[str, Any], **environ: str) -> dict[str, Any]:
    _, problems = apply(tree, environ)
    assert problems == []
    return tree


def refused(tree: dict[str, Any], **environ: str) -> str:
    overrides, (problem,) = apply(tree, environ)
    assert overrides == ()
    return problem


def test_a_level_is_two_underscores() -> None:
    assert applied({}, BAWN_LIMITS__FIRST_BYTE="2.5") == {"limits": {"first_byte": 2.5}}


@pytest.mark.parametrize("known", ["my-files", "my-FILES"])
def test_an_underscore_also_means_the_hyphen_of_an_id(known: str) -> None:
    tree = {"servers": {known: {"url": "x"}}}

    applied(tree, BAWN_SERVERS__MY_FILES__CWD="/srv")

    assert tree["servers"] == {known: {"url": "x", "cwd": "/srv"}}


def test_a_new_server_gets_the_id_that_ids_look_like() -> None:
    tree = applied({}, BAWN_SERVERS__MY_FILES__COMMAND="[server, --stdio]")

    assert tree == {"servers": {"my-files": {"command": ["server", "--stdio"]}}}


def test_variables_of_a_server_keep_their_case() -> None:
    tree = applied({}, BAWN_SERVERS__A__ENV__HTTP_Proxy="http://p")

    assert tree == {"servers": {"a": {"env": {"HTTP_Proxy": "http://p"}}}}


def test_a_variable_that_fits_two_keys_is_refused() -> None:
    tree = {"servers": {"a": {"env": {"Mode": "x", "mode": "y"}}}}

    assert "more than one of Mode, mode" in refused(tree, BAWN_SERVERS__A__ENV__MODE="z")
    assert applied(tree, BAWN_SERVERS__A__ENV__mode="z")["servers"]["a"]["env"]["mode"] == "z"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("BAWN_LISTEN", "[::1]:8811", "[::1]:8811"),
        ("BAWN_STATE", "123", "123"),
        ("BAWN_STATE", "", ""),
        ("BAWN_STATE", "a: b # c", "a: b # c"),
        ("BAWN_STATE", "null", "null"),
        ("BAWN_PUBLIC_URL", "null", None),
        ("BAWN_MANAGEMENT__OPEN", "true", True),
        ("BAWN_HOSTS", "[a, 'b']", ["a", "b"]),
        ("BAWN_HOSTS", "- a\n- b", "- a\n- b"),
        ("BAWN_LIMITS", "{body: 1}", {"body": 1}),
        ("BAWN_LIMITS__BODY", "big", "big"),
        ("BAWN_LIMITS__BODY", "[", "["),
        ("BAWN_LIMITS__BODY", "1\nlisten: x", "1\nlisten: x"),
    ],
)
def test_text_is_taken_as_it_stands_and_the_rest_is_yaml(name: str, text: str, value: Any) -> None:
    (override,), problems = apply({}, {name: text})

    assert problems == []
    assert override.value == value


def test_the_deeper_variable_wins() -> None:
    tree = applied({}, BAWN_LIMITS__BODY="2", BAWN_LIMITS="{body: 1, page: 3}")

    assert tree == {"limits": {"body": 2, "page": 3}}


@pytest.mark.parametrize(
    "name",
    [
        "BAWN_",
        "BAWN_LISTN",
        "BAWN_LIMITS__",
        "BAWN_LIMITS__BODY__X",
        "BAWN_LISTEN__X",
        "BAWN___LISTEN",
        "BAWN_IDENTITY__ISSUERS__0__ISSUER",
        "BAWN_servers__a__nothing",
    ],
)
def test_a_variable_that_is_no_setting_is_refused(name: str) -> None:
    assert refused({}, **{name: "1"}).startswith(f"environment variable {name}: unknown setting")


def test_a_near_miss_is_suggested() -> None:
    assert refused({}, BAWN_LIMITS__BODDY="1").endswith("did you mean BAWN_LIMITS__BODY?")


@pytest.mark.parametrize(
    "name",
    [
        "BAWN_CONFIG",
        "BAWN_SERVICE_HOST",
        "BAWN_SERVICE_PORT_HTTP",
        "BAWN_PORT",
        "BAWN_PORT_8811_TCP_ADDR",
        "PATH",
        "XBAWN_A",
    ],
)
def test_what_is_no_business_of_ours_is_left_alone(name: str) -> None:
    assert not is_setting(name)
    assert apply({}, {name: "1"}) == ((), [])


def test_what_stands_in_the_way_is_told() -> None:
    assert refused({"limits": 3}, BAWN_LIMITS__BODY="1").endswith(
        "the file has no mapping there to put it in"
    )


def test_bytes_that_are_no_text_are_refused() -> None:
    assert refused({}, BAWN_STATE="\udcff").endswith("not UTF-8; expected plain text")


def test_every_variable_of_the_documentation_is_a_setting() -> None:
    for path, _ in shapes.walk():
        if name := variable(path):
            (override,), problems = apply({}, {name: "x"})
            assert problems == []
            assert len(override.path) == len(path)


PLACES = [path for path, shape in shapes.walk() if shape.kind == "text" and "[]" not in path]


@given(
    st.sampled_from(PLACES),
    st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8})?", fullmatch=True),
    st.text(),
)
def test_a_text_survives_the_way_through_the_environment(
    path: tuple[str, ...], name: str, text: str
) -> None:
    place = tuple(name if step == "*" else step for step in path)
    variable_name = "BAWN_" + "__".join(step.upper().replace("-", "_") for step in place)

    (override,), problems = apply({}, {variable_name: text})

    nullable = (shape := shapes.at(path)) is not None and shape.nullable
    assert problems == []
    assert override.path == place
    assert override.value == (None if nullable and text == "null" else text)
