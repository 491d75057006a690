"""Configurations and steps at random: mostly what makes sense, so that much of it gets far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias, cast

from hypothesis import strategies as st

from bawn.barrier.edition import Cut
from bawn.model import Kind, Principal
from bawn.protocol import versions
from tests.attacks.choke import listening, rules, steps, world
from tests.attacks.choke.bench import Setting

Step: TypeAlias = (
    steps.Use | steps.Batch | steps.Extension | steps.Retry | steps.Follow | steps.Show
    | steps.Discover | steps.Decide | steps.Enforce | steps.Turn | steps.Switch | steps.Wait
    | listening.Listen | listening.Subscribe | listening.Stream
)  # fmt: skip
Steps: TypeAlias = tuple[Step, ...]
_Place: TypeAlias = tuple[str | None, str, str]
"""An endpoint, a method, and the name of something."""

_USES: Final = {
    "tools/call": Kind.TOOL,
    "prompts/get": Kind.PROMPT,
    "resources/read": Kind.RESOURCE,
}
_NAMES: Final = (
    "files__read", "read", "mail__read", "crm__find_customer", "files__summary", "",
    "file:///a", "mail://1", "common://doc", "odd://x", "ui://x",
)  # fmt: skip
_ENDPOINTS: Final = (None, "files", "issues", "mail", "bare")
_FOLLOWING: Final = ("tasks/get", "tasks/update", "tasks/cancel")


def _places(tenant: str) -> list[_Place]:
    """Everything that callers of a tenant find somewhere."""
    found: list[_Place] = []
    for at in (None, *(name for name, whose in world.TENANT_OF.items() if whose == tenant)):
        for method, kind in _USES.items():
            names = list(world.offered_at(world.listings(), tenant, at, kind))
            if kind is Kind.RESOURCE and names:
                names += ["file:///b/c", "mail://2", "common://doc", "odd://x"]
            found += [(at, method, name) for name in names]
            if kind is not Kind.TOOL:
                found += [(at, "completion/complete", name) for name in names]
        for template in world.offered_at(world.listings(), tenant, at, Kind.TEMPLATE):
            found.append((at, "completion/complete", template))
    return found


_ANYWHERE: Final = st.tuples(
    st.sampled_from(_ENDPOINTS),
    st.sampled_from([*_USES, "completion/complete"]),
    st.sampled_from(_NAMES),
)
_EACH: Final = {tenant: _places(tenant) for tenant in ("", "acme")}
_CALLS: Final = {
    tenant: [each for each in found if each[1] == "tools/call"] for tenant, found in _EACH.items()
}
_era = st.sampled_from(["modern", "modern", "session", "old"])
_able = st.sampled_from([True, True, False])
_answer = st.sampled_from(["accept", "accept", "accept", "no", "decline", "cancel"])
_arguments = st.sampled_from([(), (("n", 1),), (("n", 2),), (("n", "x"), ("m", None))])
_which = st.integers(0, 3)
_newest = st.sampled_from([0, 0, 0, 1, 2])
_seldom = st.sampled_from([False] * 6 + [True])
_cuts = st.sampled_from(
    [
        Cut("server", "files", 0.0), Cut("item", "files:read", 0.0), Cut("gate", "", 0.0),
        Cut("principal", "eve", 0.0), Cut("token", world.PRINCIPALS[0].token, 0.0),
        Cut("item", "files:file:///a", 0.0), Cut("server", "mail", 0.0),
    ]
)  # fmt: skip


class Drawing:
    """Steps of these callers."""

    def __init__(self, cast_: Sequence[Principal]) -> None:
        self.who = st.sampled_from(cast_)
        self.thief = st.one_of(st.none(), st.none(), st.sampled_from(world.PRINCIPALS))
        self.at = st.sampled_from([None, None, "files", "files", "issues", "mail"])

    def use(self, among: dict[str, list[_Place]] | None = None) -> st.SearchStrategy[steps.Use]:
        """A call of something."""
        return self.who.flatmap(lambda who: self._of(who, among or _EACH))

    def _of(self, who: Principal, among: dict[str, list[_Place]]) -> st.SearchStrategy[steps.Use]:
        own = st.sampled_from(among.get(who.tenant) or [(None, "tools/call", "files__read")])
        if who.endpoint is not None:
            there = [each for each in among[who.tenant] if each[0] == who.endpoint]
            own = st.sampled_from(there)
        place = st.integers(0, 9).flatmap(lambda n: own if n else _ANYWHERE)
        return st.builds(
            lambda place, **rest: steps.Use(place[1], place[2], place[0], who, **rest),
            place,
            era=_era, able=_able, client=st.sampled_from(["good", "bad"]),
            arguments=_arguments, answer=_answer,
        )  # fmt: skip

    def decide(self) -> st.SearchStrategy[Step]:
        """What the newest of those that wait comes to."""
        verdicts = st.sampled_from(["grant"] * 5 + ["deny"])
        people = st.sampled_from(["bob", "carol", "bob", "carol", "ada", "dan"])
        return st.builds(steps.Decide, _newest, people, verdicts, _seldom)

    def retry(self) -> st.SearchStrategy[Step]:
        """Somebody comes back."""
        same_at = st.sampled_from(["same"] * 5 + [None, "files"])
        mine = st.builds(steps.Retry, _newest, answer=_answer)
        theirs = st.builds(steps.Retry, _which, self.thief, same_at, _seldom, _answer, _seldom)
        return st.one_of(mine, theirs)

    def follow(self) -> st.SearchStrategy[Step]:
        """Somebody wants to know how a task goes on."""
        same_at = st.sampled_from(["same"] * 5 + [None, "files"])
        return st.builds(steps.Follow, _which, st.sampled_from(_FOLLOWING), self.thief, same_at)

    def asked(self) -> st.SearchStrategy[Steps]:
        """A call that may wait for consent, which is given or not, and the call again."""
        one = st.one_of(self.decide(), self.decide(), self.retry(), self.retry(), self.operator())
        again, use = st.lists(one, max_size=3), self.use(_CALLS)
        return st.tuples(use, again, st.integers(0, 2)).map(
            lambda drawn: (drawn[0], *drawn[1], *((drawn[0],) * drawn[2]))
        )

    def agreed(self) -> st.SearchStrategy[Steps]:
        """A call that may wait for consent, which is given, and the call again; once too often."""
        given: list[Steps] = [
            (steps.Decide(0, "bob", "grant"), steps.Decide(0, "carol", "grant")),
            (steps.Decide(0, "carol", "grant"),),
            (steps.Retry(0),),
            (steps.Retry(0), steps.Retry(0)),
        ]
        between = st.lists(self.operator(), max_size=1)
        return st.tuples(self.use(_CALLS), st.sampled_from(given), between).map(
            lambda drawn: (drawn[0], *drawn[1], *drawn[2], drawn[0], drawn[0])
        )

    def task(self) -> st.SearchStrategy[Steps]:
        """A task is begun, and followed."""

        def begun(who: Principal) -> Step:
            name = "mail__start" if who.tenant else "start" if who.endpoint else "files__start"
            return steps.Use("tools/call", name, who.endpoint, who, "modern")

        after = st.lists(st.one_of(self.follow(), self.follow(), self.operator()), max_size=3)
        return st.tuples(self.who.map(begun), after).map(lambda drawn: (drawn[0], *drawn[1]))

    def server_asks(self) -> st.SearchStrategy[Steps]:
        """A server asks something, and somebody answers."""

        def begun(who: Principal) -> st.SearchStrategy[Step]:
            at = who.endpoint
            name = "mail__draft" if who.tenant else "ask" if at else "files__ask"
            use = steps.Use("tools/call", name, at, who, "modern")
            return st.sampled_from([use, steps.Use("tools/call", name, at, who, "session")])

        after = st.lists(st.one_of(self.retry(), self.retry(), self.operator()), max_size=3)
        return st.tuples(self.who.flatmap(begun), after).map(lambda drawn: (drawn[0], *drawn[1]))

    def told(self) -> st.SearchStrategy[Steps]:
        """Somebody wants to be told of resources and tasks."""
        uris = ["file:///a", "file:///b/c", "common://doc", "mail://1", "odd://x"]
        listen = st.builds(
            listening.Listen, st.lists(st.sampled_from(uris), max_size=3).map(tuple),
            st.integers(0, 2), self.at, self.who,
        )  # fmt: skip
        subscribe = st.builds(listening.Subscribe, st.sampled_from(uris), self.at, self.who)
        stream = st.builds(listening.Stream, _which)
        later = st.lists(self.operator(), max_size=2)
        subscribed = st.tuples(subscribe, later, stream).map(lambda d: (d[0], *d[1], d[2]))
        return st.one_of(listen.map(lambda one: (one,)), subscribed)

    def operator(self) -> st.SearchStrategy[Step]:
        """What the operator does meanwhile, and time."""
        return st.one_of(
            st.builds(steps.Enforce, rules.policies, _seldom),
            st.builds(steps.Turn, st.booleans()),
            st.builds(steps.Wait, st.sampled_from([30.0, 61.0, 400.0, 3600.0])),
        )

    def cut(self) -> st.SearchStrategy[Steps]:
        """Something is switched off for a while."""
        off = _cuts.map(lambda cut: steps.Switch((cut,)))
        during = st.one_of(self.use(), self.use(), self.other(), self.retry(), self.follow())
        return st.tuples(off, during).map(lambda drawn: (*drawn, steps.Switch(())))

    def other(self) -> st.SearchStrategy[Step]:
        """Lists, batches, extensions."""
        methods = st.sampled_from(["graph/query", "graph/query", "tasks/list", "TOOLS/CALL"])
        return st.one_of(
            st.builds(steps.Show, st.sampled_from(list(_KINDS)), self.at, self.who, _era),
            st.builds(steps.Discover, self.at, self.who),
            st.builds(steps.Extension, methods, self.at, self.who),
            st.lists(self.use(), min_size=1, max_size=4).map(lambda uses: steps.Batch(tuple(uses))),
        )

    def scene(self) -> st.SearchStrategy[Steps]:
        """A few steps that belong together."""
        one = st.one_of(self.use(), self.use(), self.other(), self.operator())
        return st.one_of(
            one.map(lambda step: (step,)), self.asked(), self.agreed(), self.task(),
            self.server_asks(), self.told(), self.cut(),
        )  # fmt: skip


_KINDS: Final = versions.LIST_METHODS
_isolation = st.sampled_from(["principal", "shared", "session", "project"])
_settings = st.builds(
    Setting,
    rules.policies,
    rules.roles,
    rules.scopes,
    rules.quotas,
    st.dictionaries(st.sampled_from(["files", "mail"]), _isolation, max_size=2).map(
        lambda drawn: cast(world.Isolations, drawn)
    ),
    _seldom,
)


@st.composite
def scenarios(draw: st.DrawFn) -> tuple[Setting, Steps]:
    """What is configured, and what happens then."""
    setting = draw(_settings)
    cast_ = draw(st.lists(st.sampled_from(world.PRINCIPALS), min_size=1, max_size=3, unique=True))
    scenes = draw(st.lists(Drawing(cast_).scene(), min_size=1, max_size=6))
    return setting, tuple(step for scene in scenes for step in scene)
