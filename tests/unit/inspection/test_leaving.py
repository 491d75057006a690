"""What leaves is held against schema, kinds, text and the guard; what is found is acted on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from bawn.errors import Refused
from bawn.model import Detection, Json, Kind, Severity
from bawn.ports import Inspected
from tests.gate import ADA
from tests.unit.inspection.stages import PAGE, READ, Stages, arguments, call

ADMIN = msgspec.structs.replace(ADA, roles=frozenset({"admin"}))


def left(stages: Stages, **given: Any) -> Inspected | None:
    """What leaves of a call with these arguments."""
    params = arguments(**given)
    return stages.leaving.inspected(call(params), READ, params, ())


def refused(stages: Stages, **given: Any) -> Refused:
    """Why a call with these arguments does not leave."""
    with pytest.raises(Refused) as caught:
        left(stages, **given)
    return caught.value


def test_where_nothing_is_found_nothing_is_made() -> None:
    assert left(Stages(), path="notes/today.md", note="hello", count=3) is None


def test_what_the_approved_schema_does_not_allow_is_refused_without_its_value() -> None:
    why = refused(Stages(), count="hunter2-is-no-number")

    assert why.reason.id == "inspection.schema"
    assert "/count" in why.public
    assert "hunter2" not in str(why)


def test_it_can_be_let_pass_and_is_recorded_then() -> None:
    found = left(Stages(schemas="pass"), count="many")

    assert found is not None
    assert [(each.detection.rule, each.action) for each in found.found] == [
        ("argument/schema", "pass")
    ]


def test_what_its_kind_forbids_is_refused_with_place_and_rule() -> None:
    why = refused(Stages(), path="../../etc/passwd")

    assert why.reason.id == "inspection.argument"
    assert why.public.startswith("/arguments/path (argument/")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"note": "say EVIL"}, "inspection.argument"),
        ({"note": "PLANTED"}, "inspection.canary"),
        ({"path": ".cursor/mcp.json"}, "inspection.agent_config"),
    ],
)
def test_each_family_has_its_reason(given: Json, reason: str) -> None:
    writes = replace(READ, definition={**READ.definition, "name": "write_file"})
    params = arguments(**given)
    with pytest.raises(Refused) as caught:
        Stages().leaving.inspected(call(params), replace(writes, name="write_file"), params, ())
    assert caught.value.reason.id == reason


def test_whoever_sends_a_planted_value_does_not_learn_what_it_was() -> None:
    assert not refused(Stages(), note="PLANTED").public


def test_a_secret_is_taken_out_and_the_rest_leaves_as_it_was() -> None:
    found = left(Stages(), note="my hunter2 here", path="a.md")

    assert found is not None
    assert found.params is not None
    assert found.params["arguments"] == {"note": "my [secret:password] here", "path": "a.md"}


def test_a_secret_in_a_name_is_taken_out_as_well() -> None:
    found = left(Stages(), hunter2="x")

    assert found is not None
    assert found.params is not None
    assert "hunter2" not in str(found.params)


def test_what_the_schema_then_does_not_allow_is_refused() -> None:
    assert refused(Stages(), note="hunter2" + "x" * 292).reason.id == "inspection.secret"


def test_a_finding_may_ask_for_consent() -> None:
    found = left(Stages(arguments="ask"), note="say EVIL")

    assert found is not None
    [ask] = found.asks
    assert (ask.rule, ask.roles) == ("inspection output/evil", frozenset({"admin", "operator"}))


def test_what_cannot_be_held_back_on_the_way_out_is_refused() -> None:
    rules = ({"action": "quarantine", "direction": ("arguments",)},)
    assert refused(Stages(rules=rules), note="say EVIL").reason.id == "inspection.argument"


def test_in_shadow_everything_leaves_and_is_recorded() -> None:
    found = left(Stages(shadow=True), note="say EVIL", path="../../etc/passwd", count="x")

    assert found is not None
    assert found.params is None
    assert any(each.shadow and each.action == "block" for each in found.found)


def test_an_approved_tool_and_a_keeper_together_may_configure_agents() -> None:
    stages = Stages(server={"configures": ("write_*",)})
    writer = replace(READ, name="write_file", definition={**READ.definition, "name": "write_file"})
    params = arguments(path=".cursor/mcp.json")

    by_keeper = stages.leaving.inspected(call(params, ADMIN), writer, params, ())

    assert by_keeper is not None
    assert {each.action for each in by_keeper.found} == {"pass"}
    with pytest.raises(Refused):
        stages.leaving.inspected(call(params, ADA), writer, params, ())
    other = replace(writer, name="edit_file")
    with pytest.raises(Refused):
        stages.leaving.inspected(call(params, ADMIN), other, params, ())


def test_answers_to_questions_are_looked_at_too() -> None:
    params = {**arguments(path="a.md"), "inputResponses": {"u": {"content": {"x": "say EVIL"}}}}
    with pytest.raises(Refused, match="inputResponses"):
        Stages().leaving.inspected(call(params), READ, params, ())


def test_what_a_caller_says_beside_its_arguments_is_looked_at_too() -> None:
    own = {"io.modelcontextprotocol/clientInfo": {"name": "EVIL"}, "progressToken": "EVIL"}
    params = {**arguments(path="a.md"), "_meta": own}
    assert Stages().leaving.inspected(call(params), READ, params, ()) is None

    params["_meta"] = {**own, "example.org/note": ["my hunter2"]}
    found = Stages().leaving.inspected(call(params), READ, params, ())
    assert found is not None
    assert found.params == {
        **params,
        "_meta": {**own, "example.org/note": ["my [secret:password]"]},
    }

    params["_meta"] = {**own, "baggage": "note=PLANTED"}
    with pytest.raises(Refused) as caught:
        Stages().leaving.inspected(call(params), READ, params, ())
    assert caught.value.reason.id == "inspection.canary"

    params = {"_meta": {"example.org/note": "say EVIL"}}
    with pytest.raises(Refused, match="/_meta/example"):
        Stages().leaving.inspected(call(params), PAGE, params, ())


def test_what_has_no_arguments_is_looked_at_as_text() -> None:
    params = {"uri": "file:///EVIL"}
    with pytest.raises(Refused, match="/uri"):
        Stages().leaving.inspected(call(params, method="resources/read"), PAGE, params, ())


def test_what_judges_have_found_counts() -> None:
    more = [("/arguments/note", Detection("judge/nan/odd", Severity.HIGH, 0, 1, ""))]
    params = arguments(note="x")
    with pytest.raises(Refused, match="judge/nan/odd"):
        Stages().leaving.inspected(call(params), READ, params, more)


def test_definitions_that_have_changed_are_planned_anew() -> None:
    stages = Stages()
    assert left(stages, count=3) is None
    strict = replace(
        READ, definition={**READ.definition, "inputSchema": {"type": "object", "maxProperties": 0}}
    )
    params = arguments(count=3)

    stages.leaving.forget()

    with pytest.raises(Refused, match="schema"):
        stages.leaving.inspected(call(params), strict, params, ())


# tokens


def test_a_token_of_this_caller_and_server_is_turned_back_on_the_way_out() -> None:
    stages = Stages(reversible=True)
    assert stages.tokens is not None
    mask = stages.tokens.mask(ADA.key, "files")
    token = mask("s3cret", Detection("secret/password", Severity.HIGH, 0, 6, ""))

    found = left(stages, note=token)

    assert found is None or found.params is None or found.params["arguments"]["note"] == "s3cret"
    assert found is not None
    assert found.params == arguments(note="s3cret")


def test_what_a_token_hides_is_held_against_its_kind() -> None:
    stages = Stages(reversible=True)
    assert stages.tokens is not None
    mask = stages.tokens.mask(ADA.key, "files")
    token = mask("../../etc/passwd", Detection("secret/password", Severity.HIGH, 0, 16, ""))

    assert refused(stages, path=token).reason.id == "inspection.argument"


def test_a_token_of_somebody_else_stays_what_it_is_and_is_a_finding() -> None:
    stages = Stages(reversible=True, secrets="block")
    assert stages.tokens is not None
    mask = stages.tokens.mask("somebody else", "files")
    token = mask("s3cret", Detection("secret/password", Severity.HIGH, 0, 6, ""))

    assert refused(stages, note=token).reason.id == "inspection.secret"


def test_a_schema_that_cannot_be_used_is_told_of() -> None:
    bad = {**READ.definition, "inputSchema": {"type": "nothing"}}
    params = arguments(path="a.md")
    found = Stages().leaving.inspected(call(params), replace(READ, definition=bad), params, ())
    assert found is not None
    assert [(each.detection.rule, each.action) for each in found.found] == [
        ("argument/schema-unusable", "pass")
    ]


def test_a_call_of_the_definition_before_leaves_no_plan_behind() -> None:
    stages, params = Stages(), arguments(path="../../etc/passwd")
    before = replace(READ, definition={"name": "read", "inputSchema": {}})
    assert stages.leaving.inspected(call(params), before, params, ()) is None
    with pytest.raises(Refused):
        stages.leaving.inspected(call(params), READ, params, ())


def test_a_secret_beside_a_token_does_not_leave_where_the_token_is_turned_back() -> None:
    stages = Stages(reversible=True)
    assert stages.tokens is not None
    token = stages.tokens.mask(ADA.key, "files")(
        "k", Detection("secret/x", Severity.HIGH, 0, 1, "…")
    )
    found = left(stages, memo=f"{token} hunter2")
    assert found is not None
    assert found.params is not None
    assert "hunter2" not in str(found.params)


def test_consent_is_asked_for_each_rule() -> None:
    rules = ({"action": "ask", "rules": ("secret/*", "output/*")},)
    found = left(Stages(rules=rules), note="EVIL hunter2")
    assert found is not None
    assert len(found.asks) == 2


def test_a_completion_is_held_against_the_kind_of_its_argument() -> None:
    prompt = {"name": "p", "arguments": [{"name": "file_path", "description": "Path of the file"}]}
    item = replace(READ, kind=Kind.PROMPT, definition=prompt)
    params = {"argument": {"name": "file_path", "value": "../../etc/passwd"}}
    with pytest.raises(Refused, match="/argument/value"):
        Stages().leaving.inspected(call(params), item, params, ())


@pytest.mark.parametrize("uri", ["file:///a/../../etc/passwd", "note://%2e%2e/%2e%2e/x"])
def test_a_uri_does_not_climb_out_of_its_template(uri: str) -> None:
    item = replace(PAGE, kind=Kind.TEMPLATE, name="file:///{path}")
    with pytest.raises(Refused, match="/uri"):
        Stages().leaving.inspected(call({"uri": uri}), item, {"uri": uri}, ())
    plain = {"uri": "file:///a/b.md"}
    assert Stages().leaving.inspected(call(plain), item, plain, ()) is None
