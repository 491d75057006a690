from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from dataclasses import replace
from hashlib import sha256

import pytest

from bawn.approvals.message import Notice, headers, signing_key
from bawn.approvals.request import request_of
from bawn.errors import Misconfigured
from bawn.model import Item
from tests.approving import ADA, NOW, TOOL, TWO, asking, call, person

LINK = "https://gate.example.com/approvals/link/x"


def notice(item: Item = TOOL, subject: str = "ada") -> Notice:
    asked = call(person(subject), {"password": "a-secret"})
    request = request_of(asked, item, asking(TWO), lambda rule: "")
    return Notice("id", request, NOW, LINK)


def test_the_body_tells_who_wants_what_until_when_and_where_to_decide() -> None:
    told = json.loads(notice().body())
    assert told.pop("text").endswith(LINK)
    assert told == {
        "type": "approval.pending",
        "id": "id",
        "server": "deploys",
        "tool": "roll_out",
        "kind": "tool",
        "who": ADA.subject,
        "agent": "",
        "needs": "2 more of oncall",
        "expires": int(NOW),
        "link": LINK,
    }


def test_arguments_stay_behind_the_link() -> None:
    assert b"a-secret" not in notice().body()
    assert b"password" not in notice().body()


@pytest.mark.parametrize(
    "name",
    ["<!channel>", "<https://evil.example|ok>", "a`b", "x\n*approve*", "\u202egnp.exe", "&lt;"],
)
def test_no_name_becomes_markup_a_mention_or_a_line_of_its_own(name: str) -> None:
    for told in (notice(replace(TOOL, name=name)), notice(subject=name)):
        text = told.text
        assert not set("<>&|\n\u202e") & set(text)
        assert text.count("`") == 6


def test_long_names_are_cut() -> None:
    assert len(notice(replace(TOOL, name="x" * 10_000)).text) < 1_000


def test_a_signature_is_what_standard_webhooks_says() -> None:
    key = b"k" * 24
    sent = dict(headers("msg_1", 1_700_000_000.9, b'{"a":1}', key))
    assert (sent[b"webhook-id"], sent[b"webhook-timestamp"]) == (b"msg_1", b"1700000000")
    version, _, signature = sent[b"webhook-signature"].partition(b",")
    expected = hmac.new(key, b'msg_1.1700000000.{"a":1}', sha256).digest()
    assert (version, b64decode(signature)) == (b"v1", expected)
    assert b"webhook-signature" not in dict(headers("msg_1", 1.0, b"", None))


def test_a_signature_agrees_with_the_example_of_the_specification() -> None:
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    sent = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', key)
    assert dict(sent)[b"webhook-signature"] == b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_key_is_base64_after_its_prefix_else_its_own_bytes() -> None:
    assert signing_key("whsec_" + b64encode(b"x" * 32).decode()) == b"x" * 32
    assert signing_key("y" * 24) == b"y" * 24


@pytest.mark.parametrize("secret", ["short", "whsec_", "whsec_!!!", "whsec_" + "A" * 8, "y" * 23])
def test_a_weak_key_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        signing_key(secret)
    assert "approvals.webhook_secret" in str(caught.value)
    assert secret not in str(caught.value) or secret == "whsec_"
