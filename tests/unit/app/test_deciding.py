"""What decides in a worker is built of the rules that were read, and of the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bawn.app.deciding import Deciding
from bawn.app.sealing import digest_key
from bawn.config import Config
from bawn.errors import LIMIT_RATE, Refused
from bawn.identity.metadata import Resources
from bawn.model import Call, Client, Decision, Item, Json, Kind
from bawn.policy.rules import Source
from bawn.storage import StateDirectory
from bawn.storage.database import Database
from bawn.storage.tombstones import Tombstones
from tests.fakes import FakeAudit, Journal, counting_sealer
from tests.gate import ADA, MODERN, VIC

TOOL = Item(Kind.TOOL, "files", "read", "files__read", {"name": "read"})
ASKS = Source("policies", (("a.cedar", 'permit(principal, action, resource);\n@ask("self") forbid(principal, action, resource);'),))  # fmt: skip


@contextmanager
def built(place: Path, settings: str = "{}", source: Source | None = None) -> Iterator[Deciding]:
    from bawn.app.deciding import deciding

    config = Config.model_validate_json(settings)
    state = StateDirectory(place / "state")
    database = Database(state.path / "state.db")
    made = deciding(
        config, source, state, database, counting_sealer(), Tombstones(database),
        FakeAudit(Journal()), Resources("http://gate", ()), lambda: 7,
    )  # fmt: skip
    try:
        yield made
    finally:
        database.close()


def call(meta: Json | None = None, *, parent: str | None = None) -> Call:
    params: Json = {"name": "read", "arguments": {}, "_meta": meta or {}}
    return Call(1, "tools/call", params, ADA, None, Client(MODERN), "0" * 32, parent=parent)


def test_without_policies_roles_decide(tmp_path: Path) -> None:
    with built(tmp_path) as made:
        assert made.policy.may(ADA, TOOL)
        assert not made.policy.may(VIC, TOOL)
        assert made.policy.decide(call(), TOOL) == Decision(True, "permit roles")


def test_rules_ask_for_consent_within_the_configured_time(tmp_path: Path) -> None:
    with built(tmp_path, '{"approvals": {"within": 77}}', ASKS) as made:
        [ask] = made.policy.decide(call(), TOOL).asks
        assert (ask.confirm, ask.within) == (True, 77.0)


def test_to_observe_lets_pass_and_tells(tmp_path: Path) -> None:
    with built(tmp_path, '{"enforcement": "observe"}', ASKS) as made:
        decision = made.policy.decide(call(), TOOL)
        assert (decision.allowed, decision.asks) == (True, ())
        assert "would ask" in decision.rule


def test_an_approval_is_kept_with_the_place_of_its_rule(tmp_path: Path) -> None:
    with built(tmp_path, "{}", ASKS) as made:
        approval = made.approvals.ask(call(), TOOL, made.policy.decide(call(), TOOL))
        assert approval.state == "pending"
    with built(tmp_path, "{}", ASKS) as again:
        assert again.approvals.ask(call(), TOOL, again.policy.decide(call(), TOOL)) == approval


def test_a_conversation_is_what_the_client_names_or_all_of_a_caller(tmp_path: Path) -> None:
    one, other = {"io.bawn/conversation": "one"}, {"io.bawn/conversation": "other"}
    with built(tmp_path) as made:
        assert made.conversation(call(one)) == made.conversation(call(one))
        assert made.conversation(call(one)) != made.conversation(call(other))
        assert made.conversation(call(parent="00-x")) != made.conversation(call())
    with built(tmp_path, '{"flow": {"by": "principal"}}') as made:
        assert made.conversation(call(one)) == made.conversation(call(other))


def test_quotas_are_counted_in_the_store_that_all_workers_share(tmp_path: Path) -> None:
    settings = '{"quotas": [{"per": "principal", "rate": "1/hour"}]}'
    with built(tmp_path, settings) as one, built(tmp_path, settings) as other:
        one.quotas.leave(one.quotas.enter(call(), TOOL, ""), 0)
        with pytest.raises(Refused) as refused:
            other.quotas.enter(call(), TOOL, "")
        assert refused.value.reason is LIMIT_RATE


def test_all_processes_have_one_key_of_digests(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    assert digest_key(state) == digest_key(state)
    assert len(digest_key(state)) == 32
