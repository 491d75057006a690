from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from bawn.detectors.engine import Gate
from bawn.inspection.redaction.canaries import LEAST, LONGEST, Canaries
from bawn.model import Severity, Surface

VALUE = "Heron/Quay+4471"
CANARIES = Canaries({"payroll": VALUE, "umlaut": "grüße-an-alle"})

FORMS = {
    "raw": VALUE,
    "upper": VALUE.upper(),
    "spread": " ".join(VALUE),
    "lines": "\n".join(VALUE),
    "hex": VALUE.encode().hex(),
    "hex with colons": VALUE.encode().hex(":"),
    "url": quote(VALUE, safe=""),
    "url of all": "".join(f"%{byte:02X}" for byte in VALUE.encode()),
    **{
        f"base64 at {at}": base64.b64encode(b"x" * at + VALUE.encode() + b"!").decode()
        for at in range(5)
    },
    **{
        f"urlsafe at {at}": base64.urlsafe_b64encode(b"x" * at + VALUE.encode() + b"!").decode()
        for at in range(3)
    },
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("surface", Surface)
def test_a_canary_is_found_in_any_form_and_its_name_alone_is_told(
    form: str, surface: Surface
) -> None:
    text = f"é see {FORMS[form]} there"
    [found] = CANARIES.detect(text, surface)
    assert (found.rule, found.severity, found.evidence) == (
        "canary/payroll",
        Severity.CRITICAL,
        "payroll",
    )
    assert 6 <= found.start < found.end <= len(text) - 6


@pytest.mark.parametrize("form", FORMS)
def test_a_canary_in_a_message_opens_the_gate(form: str) -> None:
    gate = Gate(CANARIES.triggers)
    assert gate.opens(json.dumps({"text": FORMS[form]}).encode())
    assert not gate.opens(b"heron quay 4471")


def test_a_canary_of_other_letters_is_found_as_json_escapes_it() -> None:
    assert Gate(CANARIES.triggers).opens(json.dumps("grüße-an-alle").encode())


@pytest.mark.parametrize("length", [LEAST - 1, LONGEST + 1])
def test_a_canary_that_is_too_short_or_long_is_refused_without_being_shown(length: int) -> None:
    with pytest.raises(ValueError, match="needs 8 to 256") as refused:
        Canaries({"x": "k" * length})
    assert "kkkk" not in str(refused.value)


def test_no_canaries_find_nothing() -> None:
    assert Canaries({}).detect(VALUE, Surface.OUTPUT) == []
