from __future__ import annotations

import pytest

from bawn.telemetry.foreign import cleaned, of_others
from bawn.telemetry.redaction import REDACTED
from tests.spelled import spelled


@pytest.mark.parametrize(
    "text",
    ["glsa_{0-9A-Za-z*32}_{0-9A-F*8}", "DB_PASS={a-z0-9*14}", "postgres://a:{a-z0-9*14}@h/x"],
)
def test_secrets_in_texts_of_others_are_taken_out_wherever_they_stand(text: str) -> None:
    text = spelled(text)
    shown = repr(cleaned({"a": [text, {"b": (text, 7)}], text: None}))
    assert text not in shown
    assert REDACTED in shown


def test_plain_texts_stay_as_they_are() -> None:
    assert cleaned(["listening on port 8080", 3, None]) == ["listening on port 8080", 3, None]


def test_all_of_a_server_s_record_is_foreign_and_of_ours_what_quotes_others() -> None:
    fields = {"event": "", "detail": "", "level": "", "number": ""}
    assert of_others("bawn.server.files", fields) == {"event", "detail", "number"}
    assert of_others("asyncio", fields) == {"event", "detail", "number"}
    assert of_others("bawn.upstream", fields) == {"detail"}
