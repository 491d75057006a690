from __future__ import annotations

from bawn.detectors.secrets.checks import SURE, crc_of, published, too_long
from tests.spelled import spelled


def test_a_changed_token_fails_its_check() -> None:
    body = spelled("{0-9A-Za-z*30}")
    for prefix, rule in (("ghp_", "secret/github-token"), ("npm_", "secret/npm-token")):
        good = prefix + body + crc_of(body)
        assert SURE[rule](good)
        assert not SURE[rule](good[:-1] + ("a" if good[-1] != "a" else "b"))


def test_an_aws_key_id_holds_an_account_of_twelve_digits() -> None:
    check = SURE["secret/aws-access-key"]
    assert check("AKIA" + "Y" + "A" * 15)
    assert not check("AKIA" + "7" * 16)


def test_what_manuals_print_is_published() -> None:
    assert published("AIza" + "SyBF2RrAIm4a0mO64EShQfqfd2AFnzAvvuU")
    assert not published(spelled("AIza{0-9A-Za-z*35}"))


def test_a_longer_value_than_its_issuer_makes_is_something_else() -> None:
    assert too_long("secret/azure-client-secret", "x" * 41)
    assert not too_long("secret/github-token", "x" * 400)
