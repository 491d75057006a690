"""Policies are read once, by the supervisor, and come into force as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.app import policies
from bawn.config.load import Loaded, load
from bawn.config.roots import refuse_roots
from bawn.errors import Misconfigured


def configured(place: Path, text: str = "policy: ./policies\n") -> Loaded:
    path = place / "bawn.yaml"
    path.write_text(text)
    return load(path, {})


def test_without_a_directory_roles_decide(tmp_path: Path) -> None:
    found, rules = policies.read(configured(tmp_path, "{}\n"))
    assert found is None
    assert [rule.id for rule in rules.rules] == ["roles"]


def test_an_empty_directory_is_the_safe_default(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    found, rules = policies.read(configured(tmp_path))
    assert found is not None
    assert found.files == ()
    assert {rule.file for rule in rules.rules} == {"safe.cedar"}


def test_what_was_read_is_what_decides(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    rule = tmp_path / "policies" / "a.cedar"
    rule.write_text('@id("a") permit(principal, action, resource);')
    found, rules = policies.read(configured(tmp_path))
    rule.write_text("broken")
    assert found is not None
    assert "permit" in found.files[0][1]
    assert [each.id for each in rules.rules] == ["a"]


def test_a_broken_rule_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "a.cedar").write_text("\npermit(principal, action, resource)\n")
    with pytest.raises(Misconfigured) as told:
        policies.read(configured(tmp_path))
    assert "a.cedar:2" in str(told.value)


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as told:
        policies.read(configured(tmp_path))
    assert "policies" in str(told.value)


def test_no_local_server_is_given_the_policies(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    text = f"policy: ./policies\nservers: {{f: {{command: [x, '{tmp_path}/policies/team']}}}}\n"
    with pytest.raises(Misconfigured) as told:
        refuse_roots(configured(tmp_path, text))
    assert "the policies in" in str(told.value)
