from __future__ import annotations

from pathlib import Path

import pytest
import typer

from bawn.cli.policy_set import policy_set, published, served
from bawn.storage import StateDirectory
from tests.unit.cli.policies import configured, publish
from tests.unit.review.rulesets import item, view


def test_the_configured_directory_counts_unless_another_is_given(tmp_path: Path) -> None:
    config = configured(tmp_path)
    assert [rule.id for rule in policy_set(config, None).rules.rules] == ["reading", "never"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.cedar").write_text('@id("one") permit (principal, action, resource);')
    assert [rule.id for rule in policy_set(config, other).rules.rules] == ["one"]


def test_without_a_directory_roles_alone_decide(tmp_path: Path) -> None:
    config = tmp_path / "bawn.yaml"
    config.write_text("servers: {files: {url: 'http://127.0.0.1:1/', tenant: acme}}\n")
    found = policy_set(config, None)
    assert found.source is None
    assert found.rules.rules
    assert found.tenant_of == {"files": "acme"}


def test_what_the_gate_published_is_read_back_and_without_one_nothing_is(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    assert published(state) is None
    with pytest.raises(typer.Exit):
        served(state)
    publish(state, view(item("read")))
    assert list(served(state).endpoints) == [None, "files"]
