"""Formatting changes the form and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.errors import Misconfigured
from bawn.policy.files.statements import comments, parsed, split
from bawn.review.formatting import formatted

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "policies").rglob("*.cedar"))
ONE = "permit(principal,action,resource)when{true};"
FORMED = "permit (principal, action, resource)\nwhen { true };"


def test_statements_get_their_usual_form_and_comments_stay_where_they_are() -> None:
    text = (
        f"\n// head\n\n\n\n// of the rule\n{ONE} // beside\n// below\n\n{ONE}{ONE}\n\n\n// end\n\n"
    )
    assert formatted(text, "a.cedar") == (
        f"// head\n\n// of the rule\n{FORMED} // beside\n// below\n\n{FORMED}\n\n{FORMED}\n\n// end\n"
    )


def test_comments_within_a_statement_stay() -> None:
    text = "permit ( // who\n principal, action, // what\n resource) when { // if\n true };"
    assert comments(formatted(text, "a.cedar")) == ["// who", "// what", "// if"]


def test_files_without_statements_stay() -> None:
    assert formatted("", "a.cedar") == formatted("\n\n", "a.cedar") == ""
    assert formatted("// a\n\n\n// b", "a.cedar") == "// a\n\n// b\n"


def test_what_cannot_be_read_is_not_formatted() -> None:
    with pytest.raises(Misconfigured, match=r"a\.cedar:2: Cedar cannot read"):
        formatted(f"{ONE}\npermit (", "a.cedar")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_examples_are_in_their_usual_form(path: Path) -> None:
    assert formatted(path.read_text(), path.name) == path.read_text()


BETWEEN = st.sampled_from(
    ("", " ", "\n", "\n\n\n", "\r\n", " // a\n", "\n// b\n\n", "// c\r", "\t//;\n\n\n//\n")
)
STATEMENTS = st.sampled_from(
    (
        ONE,
        '@id("a;//b")\npermit(principal,// x\naction,resource);',
        'forbid(principal,action in [Action::"call a/b",Action::"use"],resource) unless{context.hour>1&&true};',
        '@ask("self")@within("5m") // why\nforbid (principal, action, resource is Tool in Server::"x");',
    )
)


@settings(deadline=None)
@given(st.lists(st.tuples(BETWEEN, STATEMENTS), max_size=4), BETWEEN)
def test_meaning_comments_and_the_usual_form_itself_stay(
    written: list[tuple[str, str]], end: str
) -> None:
    text = "".join("".join(each) for each in written) + end
    form = formatted(text, "a.cedar")
    assert [parsed(piece, "f") for piece in split(form)] == [
        parsed(piece, "f") for piece in split(text)
    ]
    assert comments(form) == comments(text)
    assert formatted(form, "a.cedar") == form
