from __future__ import annotations

import pytest

from bawn.launching.options import Syntax, names, parse

SYNTAX = Syntax(
    names("--from -p -o"), names("--quiet -q -y"), kinds={"-c": "inline", "--call": "inline"}
)


@pytest.mark.parametrize(
    ("words", "options", "others"),
    [
        ("x --from a b --from c", [("--from", "a")], [3, 4, 5]),
        ("x --from=a=b c", [("--from", "a=b")], [2]),
        ("x -yc z", [("-y", None), ("-c", None)], [2]),
        ("x -yp z w", [("-y", None), ("-p", "z")], [3]),
        ("x -pz w", [("-p", "z")], [2]),
        ("x -- -c", [], [2]),
        ("x - -c", [], [1, 2]),
        ("x --from", [("--from", None)], []),
        ("x --from -c y", [("--from", "-c")], [3]),
    ],
)
def test_options_are_told_from_values_and_from_the_program(
    words: str, options: list[tuple[str, str | None]], others: list[int]
) -> None:
    parsed = parse(words.split(), SYNTAX)
    assert [(each.name, each.value) for each in parsed.options] == options
    assert list(parsed.others) == others


def test_a_beginning_of_a_name_means_the_graver_one_where_abbreviations_are_taken() -> None:
    abbreviating = Syntax(names("--cache"), kinds={"--call": "inline"}, abbreviates=True)
    assert parse(["x", "--ca=1"], abbreviating).options[0].name == "--call"
    assert parse(["x", "--ca=1"], SYNTAX).options[0].name == "--ca"


def test_nothing_after_a_final_option_is_the_runners() -> None:
    syntax = Syntax(names("-m"), final=names("-m"), kinds={"-c": "inline"})
    assert parse(["py", "-m", "acme", "-c", "x"], syntax).others == (3, 4)


def test_an_unknown_option_of_a_closed_table_is_a_problem_unless_its_value_is_attached() -> None:
    closed = Syntax(closed=True)
    assert [each.kind for each in parse(["x", "--odd", "y"], closed).problems(closed, 0)] == [
        "launch/option"
    ]
    assert not list(parse(["x", "--odd=1", "--no-odd", "y"], closed).problems(closed, 0))
