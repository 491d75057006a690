"""The story shows every attack of the issue, each with a reason that exists and a page that is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.demo import bait
from bawn.demo.benign import OWN, TIME
from bawn.demo.expected import Noted, Passes, Refused
from bawn.demo.server import Hostile
from bawn.demo.story import HOSTILE, Step, story
from bawn.errors import REASONS

ROOT = Path(__file__).resolve().parents[3]
STEPS = story(OWN)


def the(id_: str) -> Step:
    (found,) = [step for step in STEPS if step.id == id_]
    return found


def test_it_has_the_six_attacks_after_an_honest_call() -> None:
    assert [step.id for step in STEPS] == [
        "honest", "poisoned-tool", "rug-pull", "injection", "secret", "command-injection", "config-write",
    ]  # fmt: skip


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_a_step_has_words_and_a_page_that_is_there(step: Step) -> None:
    assert step.title
    assert step.tried.endswith(".")
    assert step.did.endswith(".")
    assert (ROOT / step.read).is_file()


@pytest.mark.parametrize("step", STEPS[1:], ids=lambda step: step.id)
def test_an_attack_ends_in_what_becomes_of_it(step: Step) -> None:
    last = step.acts[-1].expected
    assert isinstance(last, Refused | Noted)
    if isinstance(last, Refused):
        assert last.reason in REASONS
    known = {f"{HOSTILE}__{tool['name']}" for tool in Hostile().tools()}
    assert {act.tool for act in step.acts} <= known


def test_what_refuses_a_call_lets_a_harmless_one_of_the_same_tool_pass() -> None:
    for id_ in ("rug-pull", "command-injection", "config-write"):
        first, last = the(id_).acts
        assert isinstance(first.expected, Passes)
        assert first.tool == last.tool


def test_definitions_that_are_not_served_are_hidden_and_the_secret_is_looked_for() -> None:
    assert the("poisoned-tool").hidden == the("poisoned-tool").acts[-1].tool
    assert the("rug-pull").hidden == the("rug-pull").acts[-1].tool
    assert the("secret").secret == bait.secret()


def test_the_honest_call_is_one_of_the_honest_server() -> None:
    for benign in (OWN, TIME):
        (act,) = story(benign)[0].acts
        assert act.tool.startswith(f"{benign.id}__")
        assert act.expected == Passes(benign.says)
