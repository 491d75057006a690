from __future__ import annotations

import pytest

from bawn.detectors.secrets.assignments import judged, read
from tests.spelled import spelled


@pytest.mark.parametrize(
    "name", ["password", "DB_PASSWORD", "clientSecret", "api-key", "authToken"]
)
def test_a_drawn_value_under_the_name_of_a_credential_is_a_secret(name: str) -> None:
    assert judged(name, spelled("{a-zA-Z0-9*20}")) > 0


@pytest.mark.parametrize(
    "name",
    ["secret_name", "tokenLimit", "public_token", "csrfToken", "password_policy", "title"[:0]],
)
def test_names_that_only_speak_about_credentials_are_none(name: str) -> None:
    assert judged(name, spelled("{a-zA-Z0-9*20}")) == 0


@pytest.mark.parametrize(
    "value", ["string", "hunter", "your-password", "https://x.y/z", "a b c d e f"]
)
def test_what_is_no_secret_under_any_name(value: str) -> None:
    assert judged("password", value) == 0


@pytest.mark.parametrize(
    "text",
    [
        'password: "{}"',
        "password={}",
        "password := '{}'",
        "<password>{}</password>",
        '\\"password\\":\\"{}\\"',
    ],
)
def test_the_value_is_read_in_every_way_of_giving_it(text: str) -> None:
    value = spelled("{a-z*6}{0-9*4}")
    told = text.replace("{}", value)
    start = told.index("password")
    span = read(told, start, start + 8)
    assert span is not None
    assert told[span[0] : span[1]] == value
