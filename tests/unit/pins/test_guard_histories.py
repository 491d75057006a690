"""Whatever a server lists and people decide, in whatever order: what nobody approved never serves.

The model knows three things of each item: what people or the first use approved, what waits, and what was
rejected. It is told of decisions only, and holds the guard to them.
"""

from __future__ import annotations

from collections import defaultdict

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bawn.model import Json, Kind, Listing
from bawn.pins.deciding import approve, hold, reject, release
from bawn.pins.digest import Digests, digest
from bawn.pins.record import Hold, Key, Record, Vote
from bawn.pins.verified import note, strangers
from tests.unit.pins.listings import FIRST, judged, listing, tool

NAMES = ("read", "write")
LOOKS = ("good", "bad", "worse")
NEEDED = 2
WINDOW = 60.0

_DIGESTS = Digests()

Offer = dict[str, list[str]]
OFFERS: st.SearchStrategy[Offer] = st.fixed_dictionaries(
    {},
    optional={name: st.lists(st.sampled_from(LOOKS), min_size=1, max_size=2) for name in NAMES},
)


def _listing(offer: Offer, text: str) -> Listing:
    return listing(
        *[tool(name, look) for name, looks in offer.items() for look in looks], instructions=text
    )


class Histories(RuleBasedStateMachine):
    """A server that lists what it likes, a worker that finds things, and people who decide."""

    def __init__(self) -> None:
        super().__init__()
        self.record: Record | None = None
        self.now = FIRST
        self.approved: defaultdict[Key, set[str]] = defaultdict(set)  # by people or first use
        self.listed: set[Key] = set()  # ever
        self.voters: dict[tuple[Key, str], set[str]] = {}

    @rule(seconds=st.sampled_from([1.0, 30.0, 120.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(offer=OFFERS, text=st.sampled_from(["", "Be kind.", "Be cruel."]), review=st.booleans())
    def list(self, offer: Offer, text: str, review: bool) -> None:
        before = self.record
        heard = _listing(offer, text)
        admission = judged(heard, before, now=self.now, review=review)
        early = before is None or self.now - before.first <= WINDOW
        self._first_uses(offer, text, early=early and not review)
        self.record = admission.record
        self._drop_votes()
        for definition in admission.listing.definitions[Kind.TOOL]:
            self._serves(before, ("tool", str(definition["name"])), definition)
            assert offer[definition["name"]].count(definition["description"]) == len(
                offer[definition["name"]]
            )
        if admission.listing.instructions:
            self._serves(before, ("instructions", ""), {"text": admission.listing.instructions})
        again = judged(heard, self.record, now=self.now, review=review)
        assert again.record is self.record  # one look is enough
        assert again.listing == admission.listing
        self._nothing_is_lost(offer, admission.listing)

    def _first_uses(self, offer: Offer, text: str, *, early: bool) -> None:
        offered = {("tool", name): {*looks} for name, looks in offer.items()}
        known: set[Key] = set()
        if self.record is not None:
            known |= {pin.key for pin in self.record.pins}
            known |= {change.key for change in self.record.waiting}
        held = {(each.aspect, each.name) for each in self.record.holds} if self.record else set()
        for key, looks in offered.items():
            if early and key not in known | held and len(looks) == 1:
                self.approved[key].add(digest("tool", tool(key[1], *looks)))
        key = ("instructions", "")
        if early and text and key not in known:
            self.approved[key].add(digest("instructions", {"text": text}))

    def _serves(self, before: Record | None, key: Key, definition: Json) -> None:
        record = self.record
        assert record is not None
        pins = [pin for pin in record.pins if pin.key == key]
        assert definition in [pin.definition for pin in pins]
        waiting = [] if before is None else before.waiting
        assert not any(change.key == key and not change.rejected for change in waiting)
        assert not any((each.aspect, each.name) == key for each in record.holds)

    def _nothing_is_lost(self, offer: Offer, admitted: Listing) -> None:
        shown = [*admitted.definitions[Kind.TOOL]]
        shown += [each.definition for each in admitted.withheld.get(Kind.TOOL, ())]
        assert {str(each["name"]) for each in shown} == set(offer)

    def _drop_votes(self) -> None:
        record = self.record
        assert record is not None
        there = {(change.key, change.digest) for change in record.waiting}
        self.voters = {each: who for each, who in self.voters.items() if each in there}

    @precondition(lambda self: self.record)
    @rule(name=st.sampled_from(NAMES), look=st.sampled_from(LOOKS))
    def a_worker_finds(self, name: str, look: str) -> None:
        assert self.record is not None
        found = strangers({"tool": [tool(name, look)]}, self.record, _DIGESTS)
        self.record = note(self.record, found, self.now)
        self._drop_votes()

    @precondition(lambda self: self.record and self.record.waiting)
    @rule(data=st.data(), who=st.sampled_from("abc"), also=st.booleans())
    def somebody_approves(self, data: st.DataObject, who: str, also: bool) -> None:
        assert self.record is not None
        change = data.draw(st.sampled_from(self.record.waiting))
        vote = Vote(who, who, self.now)
        self.record, keys = approve(
            self.record, {change.key: change.digest}, vote, NEEDED, also=also
        )
        voters = self.voters.setdefault((change.key, change.digest), set())
        voters.add(who)
        assert bool(keys) is (len(voters) >= NEEDED)
        if keys:
            self.approved[change.key].add(change.digest)
            del self.voters[change.key, change.digest]

    @precondition(lambda self: self.record and self.record.waiting)
    @rule(data=st.data())
    def somebody_approves_what_is_not_there(self, data: st.DataObject) -> None:
        assert self.record is not None
        change = data.draw(st.sampled_from(self.record.waiting))
        before = self.record
        self.record, keys = approve(before, {change.key: "0" * 64}, Vote("a", "a", self.now), 1)
        assert self.record is before
        assert keys == ()

    @precondition(lambda self: self.record and self.record.waiting)
    @rule(data=st.data())
    def somebody_rejects(self, data: st.DataObject) -> None:
        assert self.record is not None
        change = data.draw(st.sampled_from(self.record.waiting))
        self.record, keys = reject(self.record, {change.key: change.digest}, "d")
        if keys:
            self.voters.pop((change.key, change.digest), None)

    @precondition(lambda self: self.record)
    @rule(name=st.sampled_from(NAMES), lift=st.booleans())
    def somebody_holds_or_releases(self, name: str, lift: bool) -> None:
        assert self.record is not None
        held = Hold("tool", name, self.now, "d")
        self.record = release(self.record, "tool", name) if lift else hold(self.record, held)

    @invariant()
    def what_nobody_approved_is_no_pin(self) -> None:
        for pin in self.record.pins if self.record else ():
            assert pin.digest in self.approved[pin.key]
            assert pin.digest == digest(pin.aspect, pin.definition)

    @invariant()
    def one_change_waits_for_each_key(self) -> None:
        waiting = [change.key for change in (self.record.waiting if self.record else ())]
        assert len(waiting) == len(set(waiting))


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=400, stateful_step_count=30, deadline=None)
