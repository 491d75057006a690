from __future__ import annotations

from dataclasses import dataclass

from bawn.assurance.across.combinations import MOST, Reach, combinations
from bawn.model import Item, Label
from tests.unit.assurance.across.offers import offer

LABELS = {"p": Label.PRIVATE, "u": Label.UNTRUSTED, "s": Label.SENDS}


@dataclass
class Known:
    """The label of a tool is told by the letters of its name."""

    def labels(self, item: Item) -> frozenset[Label]:
        return frozenset(LABELS[letter] for letter in item.name if letter in LABELS)


ANYBODY = Reach("callers", "")


def subjects(*servers: tuple[str, str], reach: Reach = ANYBODY) -> list[str]:
    offers = [offer(name, *tools.split()) for name, tools in servers]
    found = combinations(offers, Known(), reach, guarded=False)
    return [each.subject for each in found]


def test_three_servers_with_one_power_each_are_told_once() -> None:
    assert subjects(("a", "p"), ("b", "u"), ("c", "s"), ("d", "x")) == ["a+b+c"]


def test_two_powers_are_harmless() -> None:
    assert subjects(("a", "p u"), ("b", "u p")) == []


def test_only_the_smallest_sets_are_told() -> None:
    assert subjects(("a", "p u s"), ("b", "p"), ("c", "s")) == ["a"]
    assert subjects(("a", "pu"), ("b", "s"), ("c", "p"), ("d", "u")) == ["a+b", "c+d+b"]


def test_what_a_role_may_not_use_does_not_count() -> None:
    reach = Reach("role reader", "", lambda item: item.name != "s")
    assert subjects(("a", "p"), ("b", "u"), ("c", "s"), reach=reach) == []


def test_servers_of_another_tenant_do_not_count() -> None:
    offers = [offer("a", "p", "u"), offer("b", "s", tenant="acme")]
    assert list(combinations(offers, Known(), ANYBODY, guarded=False)) == []


def test_where_rules_guard_the_flow_it_is_a_note() -> None:
    (found,) = combinations([offer("a", "pus")], Known(), ANYBODY, guarded=True)
    assert found.level == "note"


def test_of_very_many_some_are_told_and_the_rest_counted() -> None:
    offers = [offer(f"{letter}{n}", letter) for letter in "pus" for n in range(100)]
    found = list(combinations(offers, Known(), ANYBODY, guarded=False))
    assert len(found) == MOST + 1
    assert str(100**3 - MOST) in found[-1].message


def test_the_tools_are_named_some_of_them() -> None:
    (found,) = combinations(
        [offer("a", "p1", "p2", "p3", "p4", "u", "s")], Known(), ANYBODY, guarded=False
    )
    assert "`a/p1`, `a/p2`, `a/p3` and 1 more" in found.message
