"""Files become a set of rules as a whole, or every problem is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bawn.errors import Misconfigured
from bawn.model import Label
from bawn.policy.files.reading import ruleset
from bawn.policy.files.source import builtin, read
from bawn.policy.rules import RuleSet, Source, ToolLabels

PERMIT = "permit (principal, action, resource);"
ENTITIES = '[{"uid": {"type": "User", "id": "ann"}, "attrs": {}, "parents": []}]'
LABELS = "servers: {files: {tools: {read: {labels: [private, untrusted], cost: 2}}}}"
EXAMPLES = Path(__file__).parents[4] / "examples" / "policies"


def of(within: float = 900, /, **files: str) -> RuleSet:
    """Files by name, `_` standing for the dot and `__` for the slash."""
    named = {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    return ruleset(Source("here", tuple(sorted(named.items()))), within)


def refused(**files: str) -> tuple[str, ...]:
    with pytest.raises(Misconfigured) as problem:
        of(**files)
    return problem.value.problems


def test_without_a_directory_roles_alone_decide() -> None:
    assert [rule.id for rule in ruleset(None, 900).rules] == ["roles"]


def test_without_any_rules_the_safe_ones_are_in_force_with_what_is_declared() -> None:
    found = of(entities_json=ENTITIES, labels_yaml=LABELS)
    assert found.rules == ruleset(builtin("safe"), 900).rules
    assert [each["uid"]["id"] for each in found.entities] == ["ann"]
    labels = frozenset({Label.PRIVATE, Label.UNTRUSTED})
    assert found.labels == {("files", "read"): ToolLabels(labels, 2)}


def test_with_rules_only_those_are_in_force() -> None:
    assert [rule.id for rule in of(a_cedar=PERMIT).rules] == ["a.cedar:1"]


def test_rules_below_tenants_are_of_that_tenant() -> None:
    found = of(a_cedar=PERMIT, tenants__acme__b_cedar=PERMIT)
    assert [(rule.id, rule.tenant) for rule in found.rules] == [
        ("a.cedar:1", ""),
        ("tenants/acme/b.cedar:1", "acme"),
    ]


def test_consent_lasts_as_configured_where_the_rule_does_not_say() -> None:
    forbid = '@ask("self") forbid (principal, action, resource);'
    (rule,) = of(77, a_cedar=forbid).rules
    assert rule.consent is not None
    assert rule.consent.within == 77


def test_ids_are_unique_over_all_files() -> None:
    (problem,) = refused(a_cedar=f'@id("x") {PERMIT}', tenants__t__b_cedar=f'\n@id("x") {PERMIT}')
    assert (
        problem == "tenants/t/b.cedar:2: the @id 'x' is that of a.cedar:1 as well; expected another"
    )
    (problem,) = refused(a_cedar=f'{PERMIT}\n@id("a.cedar:1") {PERMIT}')
    assert "that of a.cedar:1" in problem
    (problem,) = refused(a_cedar=PERMIT + PERMIT)
    assert "two statements begin on this line" in problem


def test_every_problem_of_every_file_is_told_at_once() -> None:
    told = refused(
        a_cedar=f"permit (;\n{PERMIT}\n@x {PERMIT}",
        b_cedar="permit (principal, action, resource) when { resource.readOnly };",
        entities_json="{}",
        labels_yaml="server: {}",
    )
    assert [problem.split(": ")[0] for problem in told] == [
        "a.cedar:1",
        "a.cedar:3",
        "b.cedar:1",
        "entities.json",
        "labels.yaml:1",
    ]


def test_the_version_is_of_everything_that_decides_and_of_nothing_else() -> None:
    base = {"a_cedar": f'@id("a") {PERMIT}', "entities_json": ENTITIES, "labels_yaml": LABELS}
    changed: list[dict[str, str]] = [
        {**base, "a_cedar": f'@id("a") @shadow {PERMIT}'},
        {**base, "a_cedar": f'@id("b") {PERMIT}'},
        {**base, "b_cedar": PERMIT},
        {**base, "entities_json": ENTITIES.replace("ann", "bob")},
        {**base, "labels_yaml": LABELS.replace("cost: 2", "cost: 3")},
        {**base, "labels_yaml": LABELS.replace("labels: [private, untrusted],", "")},
        {**base, "labels_yaml": LABELS.replace("labels: [private, untrusted]", "labels: []")},
        {
            "tenants__t__a_cedar": base["a_cedar"],
            **{k: v for k, v in base.items() if k != "a_cedar"},
        },
    ]
    versions = {of(**each).version for each in changed}
    assert len(versions) == len(changed)
    assert of(**base).version not in versions
    same = {**base, "a_cedar": f"// told\n\n{base['a_cedar']}", "tests__a_yaml": "cases: []"}
    assert of(**base).version == of(**same).version
    ask = {"a_cedar": '@ask("self") forbid (principal, action, resource);'}
    assert of(**ask).version != of(5, **ask).version


def test_the_version_does_not_depend_on_the_order_of_a_set() -> None:
    assert ruleset(Source("", (("labels.yaml", LABELS),)), 900).version == (
        ruleset(
            Source(
                "", (("labels.yaml", LABELS.replace("private, untrusted", "untrusted, private")),)
            ),
            900,
        ).version
    )


def test_the_place_of_the_directory_changes_nothing() -> None:
    source = Source("here", (("a.cedar", PERMIT),))
    there = Source("there", source.files)
    assert ruleset(source, 900) == replace(ruleset(there, 900))


@pytest.mark.parametrize("directory", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_the_examples_can_be_in_force(directory: Path) -> None:
    assert ruleset(read(directory), 900).rules
