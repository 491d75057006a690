"""Cedar text becomes single statements, each with its line, and annotations say what they say."""

from __future__ import annotations

import json

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.errors import Misconfigured
from bawn.policy.files.statements import Piece, comments, rule, split
from bawn.policy.rules import Consent, Rule

FORBID = "forbid (principal, action, resource);"


def read(text: str, within: float = 900) -> Rule:
    (piece,) = split(text)
    return rule(piece, "a.cedar", "", within)


def refused(text: str) -> str:
    with pytest.raises(Misconfigured) as problem:
        read(text)
    return str(problem.value)


def test_statements_have_the_line_where_they_begin_and_their_own_text() -> None:
    text = (
        '// one; two\n@id("a;b") // c;\npermit (principal,\r\naction, resource) ;\n\n  forbid(x);y '
    )
    assert list(split(text)) == [
        Piece('@id("a;b") // c;\npermit (principal,\r\naction, resource) ;', 2, 12),
        Piece("forbid(x);", 6, 72),
        Piece("y", 6, 82),
    ]


def test_text_without_statements_has_none() -> None:
    assert list(split("")) == list(split(" // permit;\n\t//\n")) == []


def test_comments_are_found_outside_strings_alone() -> None:
    assert comments('// a\n"// b" // c\r"\\"// d"') == ["// a", "// c"]


PARTS = st.sampled_from(
    (
        "permit (principal, action, resource)",
        'forbid (principal == User::"a;b", action, resource)',
        'permit (principal, action in [Action::"use", Action::"x"], resource is Tool)',
    )
)
CONDITIONS = st.sampled_from(
    (
        "",
        ' when { "a\\";//" == "\\\\" }',
        " unless { context.hour > 5 // ; }\n }",
        " when { [1, -2].contains(context.x) }\n unless { true }",
        ' when { context has x && context.x like "a*;\\*" }',
    )
)
BETWEEN = st.sampled_from(
    ("", " ", "\n", "\r\n", "// permit;\n", '// "\r', "\t//\u2028 x;\n\n", "\x0b")
)
STATEMENTS = st.builds(lambda *parts: "".join(parts), BETWEEN, PARTS, CONDITIONS, BETWEEN)


@settings(deadline=None)
@given(st.lists(STATEMENTS, max_size=5), BETWEEN)
def test_the_pieces_together_mean_what_the_whole_means(written: list[str], end: str) -> None:
    text = "".join(f"{each};" for each in written) + end

    pieces = list(split(text))

    def policies(whole: str) -> list[object]:
        return list(json.loads(cedarpy.policies_to_json_str(whole))["staticPolicies"].values())

    assert len(pieces) == len(written)
    assert policies("\n".join(piece.text for piece in pieces)) == policies(text)
    assert [each for piece in pieces for each in policies(piece.text)] == policies(text)


@settings(deadline=None)
@given(st.text(alphabet='permit"\\;/ \n\r(){}[]@\u2028\x0b', max_size=60))
def test_whatever_is_written_no_character_that_counts_is_lost(text: str) -> None:
    pieces = list(split(text))
    for piece in pieces:
        assert text[piece.start : piece.start + len(piece.text)] == piece.text
        assert piece.line == text.count("\n", 0, piece.start) + 1
    between, end = [], 0
    for piece in pieces:
        between.append(text[end : piece.start])
        end = piece.start + len(piece.text)
    for gap in (*between, text[end:]):
        assert not list(split(gap))


def test_a_rule_is_named_by_its_id_or_its_place() -> None:
    assert read(FORBID).id == read(FORBID).place == "a.cedar:1"
    assert read(f'@id("a/b:c-1"){FORBID}').id == "a/b:c-1"


def test_a_rule_has_cedars_form_its_text_and_its_effect() -> None:
    found = read(f"\n@shadow\n{FORBID}")
    assert (found.effect, found.line, found.shadow) == ("forbid", 2, True)
    assert found.ast["principal"] == {"op": "All"}
    assert found.text == f"@shadow\n{FORBID}"


def test_annotations_say_who_consents_how_often_and_how_long() -> None:
    asked = '@ask("lead, self") @approvals("2") @within("2h") @description("any") '
    assert read(asked + FORBID).consent == Consent(frozenset({"lead"}), True, 2, 7200.0)
    assert read(f'@ask("self"){FORBID}').consent == Consent(frozenset(), True, 1, 900.0)
    assert read(FORBID).consent is None


@pytest.mark.parametrize(
    ("annotations", "told"),
    [
        ('@id("")', "@id: expected 1 to 128"),
        ("@id", "@id: expected 1 to 128"),
        ('@id("a`b")', "@id: expected 1 to 128"),
        ('@idd("a")', "@idd is not known; expected one of @id"),
        ('@shadow("no")', "@shadow: expected nothing in brackets"),
        ('@approvals("2")', "@approvals goes with @ask"),
        ('@within("2m")', "@within goes with @ask"),
        ("@ask", "@ask: expected roles"),
        ('@ask("a,,b")', "@ask: expected roles"),
        ('@ask("a,a")', "names a role twice"),
        ('@ask("a") @approvals("0")', "a number from 1 to 32"),
        ('@ask("a") @approvals("33")', "a number from 1 to 32"),
        ('@ask("a") @approvals("²")', "a number from 1 to 32"),
        ('@ask("a") @approvals', "a number from 1 to 32"),
        ('@ask("self") @approvals("2")', "only the caller is asked, who counts once"),
        ('@ask("a") @within("0s")', "a time from 1s to 24h"),
        ('@ask("a") @within("25h")', "a time from 1s to 24h"),
        ('@ask("a") @within("1d")', "a time from 1s to 24h"),
    ],
)
def test_annotations_that_are_not_understood_are_refused(annotations: str, told: str) -> None:
    assert refused(f"{annotations} {FORBID}").startswith("a.cedar:1: ")
    assert told in refused(f"{annotations} {FORBID}")


def test_only_a_forbid_can_ask() -> None:
    assert "forbid it with @ask" in refused('@ask("a") permit (principal, action, resource);')


def test_cedars_own_words_are_told_with_the_place() -> None:
    assert refused("\n\npermit (principal);").startswith("a.cedar:3: Cedar cannot read")
    assert "duplicate annotation" in refused(f'@id("a") @id("b") {FORBID}')


def test_templates_are_refused() -> None:
    assert "a template" in refused("permit (principal == ?principal, action, resource);")


@pytest.mark.parametrize(
    "body",
    [
        "(" * 100_000 + "true" + ")" * 100_000,
        "[" * 300 + "]" * 300 + " == []",
        "if true then true else " * 500 + "true",
        "if " * 500 + "true" + " then true else true" * 500,
        "true && " * 5_000 + "true",
        "true && " * 900 + "true",
        "context" + ".a" * 900 + " == 1",
        "1" + " + 1" * 1_900 + " == 1",
        '"' + "a" * 100_000 + '" == ""',
    ],
)
def test_what_would_break_cedars_parser_never_reaches_it(body: str) -> None:
    told = refused(f"permit (principal, action, resource) when {{ {body} }};")
    assert "divide" in told
    assert len(told) < 200


def test_a_chain_of_conditions_as_people_write_them_is_read() -> None:
    chain = " || ".join(f"context.hour == {number}" for number in range(150))
    assert read(f"permit (principal, action, resource) when {{ {chain} }};").effect == "permit"
