"""The book of approvals: who asked for what, who consented, and that it was used once.

Every entry is in the audit before it takes effect. What the book cannot read, find or record, it
does not let pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from bawn.approvals import needs
from bawn.approvals.request import Digests, Request, opened, request_of, seal
from bawn.approvals.viewed import Decider, Said, Viewed, said
from bawn.config.policy import ApprovalsConfig
from bawn.errors import APPROVAL_UNKNOWN, LIMIT_APPROVALS, Refused
from bawn.model import Approval, Ask, Call, Decision, Item, Json, Principal
from bawn.ports import Audit
from bawn.protocol.sealing import Sealer
from bawn.storage.approvals import Stored, StoredApprovals, Verdict, Vote

NOTE: Final = 1_000  # characters of what somebody adds to a decision
LISTED: Final = 500
_PAGE: Final = 20  # of them that are opened at once

_LIVE: Final = ("pending", "granted")
_STANDING: Final = (*_LIVE, "denied")
_EVENTS: Final = {"grant": "approval.granted", "deny": "approval.denied"}


class Book:
    """`ports.Approvals`, and what deciders see and do. `clock` gives seconds since the epoch.

    `key` keys digests, and is the same for all workers; `random_bits` gives 128 of them. `place` tells
    where the rule of this id stands. What was asked under another `policy` than this one is void.
    """

    def __init__(
        self,
        store: StoredApprovals,
        sealer: Sealer,
        audit: Audit,
        clock: Callable[[], float],
        random_bits: Callable[[], int],
        config: ApprovalsConfig,
        policy: str,
        key: bytes,
        place: Callable[[str], str] = lambda rule: "",
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._audit = audit
        self._clock = clock
        self._random_bits = random_bits
        self._most = config.pending
        self._policy = policy
        self._digests = Digests(key)
        self._place = place

    # ── for callers ─────────────────────────────────────────────────────────────────────────────

    def ask(self, call: Call, item: Item, decision: Decision) -> Approval:
        """The approval that this very request has or waits for, else a new one that waits.

        Raises:
            Refused: limit.approvals, audit.unavailable, store.unavailable.
        """
        digest = self._digests.request(call, item, decision, self._policy)
        standing = self._store.standing(digest)
        if standing is None:
            standing = self._begin(call, item, decision, digest)
        return self._approval(standing, decision.asks, call.principal)

    def look(self, id_: str, call: Call, decision: Decision) -> Approval:
        """How an approval that `ask` gave for this call stands now.

        Raises:
            Refused: approval.unknown, when it has gone; store.unavailable.
        """
        return self._approval(self._again(id_), decision.asks, call.principal)

    def confirm(self, id_: str, call: Call, item: Item, decision: Decision) -> Approval:
        """The caller's own consent to this very request.

        Raises:
            Refused: approval.unknown, when it is not this request's or not the caller's to give;
                audit.unavailable, store.unavailable.
        """
        row = self._own(id_, call, item, decision)
        self._say(row, decision.asks, call, "grant", "approval.confirmed")
        return self._approval(self._again(id_), decision.asks, call.principal)

    def refuse(self, id_: str, call: Call, item: Item, decision: Decision) -> None:
        """The caller's own no. Raises as `confirm`."""
        row = self._own(id_, call, item, decision)
        self._say(row, decision.asks, call, "deny", "approval.denied")

    def use(self, approval: Approval) -> bool:
        """Use up one that is granted; False when it is not, or was used before, by whichever worker.

        Raises:
            Refused: audit.unavailable, store.unavailable, and then it counts as used.
        """
        row = self._store.find(approval.id)
        if row is None:
            return False
        request = self._opened(row)
        used = self._store.use(row.id, self._policy)
        if used:  # recorded once it is certain: the call has not left yet
            self._record(request.principal, "approval.used", row, request.trace)
        return used

    # ── for deciders ────────────────────────────────────────────────────────────────────────────

    def listed(self, decider: Decider, state: str = "") -> Iterator[list[Viewed]]:
        """The newest in this state that this person may see, newest first; "" is whichever state.

        They come page by page, as each one has to be opened: others are to have their turn between.

        Raises:
            Refused: store.unavailable.
        """
        stored = "" if state in ("expired", "void") else state
        for start in range(0, LISTED, _PAGE):
            rows = self._store.listed(decider.principal.tenant, stored, _PAGE, start)
            seen = [self._seen(row, decider) for row in rows]
            yield [each for each in seen if each is not None and state in ("", each.state)]
            if len(rows) < _PAGE:
                return

    def find(self, id_: str, decider: Decider) -> Viewed:
        """One of them.

        Raises:
            Refused: approval.unknown, when there is none or it is not this person's to see;
                store.unavailable.
        """
        row = self._store.find(id_)
        seen = None if row is None else self._seen(row, decider)
        if seen is None:
            raise Refused(APPROVAL_UNKNOWN, detail=f"{id_[:64]!r} is not known to this person")
        return seen

    def decide(self, id_: str, decider: Decider, verdict: Verdict, note: str = "") -> Viewed:
        """Consent, or say no: one no is enough, also to what is granted and not used yet.

        Raises:
            Refused: approval.unknown, when it is not this person's to decide or is over;
                audit.unavailable, store.unavailable, and then nothing was decided.
        """
        seen, row, who = self.find(id_, decider), self._again(id_), decider.principal
        request = self._opened(row)
        places = _served(request, who)
        voter = self._digests.voter(who)
        if any(v.approver == voter and v.verdict == verdict for v in self._store.votes(id_)):
            return seen  # said before
        if not places or not _open(seen.state, verdict):
            detail = f"{who.subject} may not {verdict} {id_}, which is {seen.state}"
            raise Refused(APPROVAL_UNKNOWN, detail=detail)
        self._record(who, _EVENTS[verdict], row, request.trace, note=note[:NOTE])
        self._vote(row, who, verdict, places, note[:NOTE])
        return self.find(id_, decider)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────

    def _begin(self, call: Call, item: Item, decision: Decision, digest: str) -> Stored:
        owner, now = self._digests.owner(call.principal), self._clock()
        within = min(ask.within for ask in decision.asks)
        id_ = f"{self._random_bits():032x}"
        sealed = seal(self._sealer, id_, request_of(call, item, decision, self._place))
        needed = tuple(ask.count for ask in decision.asks)
        new = Stored(
            id_, call.principal.tenant, owner, digest, self._policy, "pending", needed, within,
            now, now + within, sealed,
        )  # fmt: skip
        if self._store.waiting(owner, self._policy) < self._most:
            rules = [ask.rule for ask in decision.asks]
            self._record(call.principal, "approval.asked", new, call.trace, rules=rules)
            if self._store.add(new, self._most):
                return new
        standing = self._store.standing(digest)  # another worker was quicker
        if standing is None:
            raise Refused(LIMIT_APPROVALS, detail=f"{self._most} of one caller wait")
        return standing

    def _own(self, id_: str, call: Call, item: Item, decision: Decision) -> Stored:
        row = self._store.find(id_)
        digest = self._digests.request(call, item, decision, self._policy)
        if row is None or row.digest != digest:
            raise Refused(APPROVAL_UNKNOWN, detail=f"{id_[:64]!r} is not for this request")
        return row

    def _say(
        self, row: Stored, asks: Sequence[Ask], call: Call, verdict: Verdict, event: str
    ) -> None:
        """The caller's own word, unless it was given before."""
        who = call.principal
        places = needs.served(asks, who, who.key, who.subject)
        voter = self._digests.voter(who)
        if any(v.approver == voter and v.verdict == verdict for v in self._store.votes(row.id)):
            return
        if not places or not _open(self._state(row), verdict):
            detail = f"{who.subject} may not {verdict} {row.id}, which is {self._state(row)}"
            raise Refused(APPROVAL_UNKNOWN, detail=detail)
        self._record(who, event, row, call.trace)
        self._vote(row, who, verdict, places, "")

    def _vote(
        self, row: Stored, who: Principal, verdict: Verdict, places: tuple[int, ...], note: str
    ) -> None:
        voter = self._digests.voter(who)
        words = msgspec.to_builtins(Said(who.subject, verdict, self._clock(), note))
        sealed = self._sealer.seal(f"vote {row.id} {voter}", words)
        vote = Vote(voter, verdict, places, self._clock(), sealed)
        if not self._store.vote(row.id, self._policy, vote):
            raise Refused(APPROVAL_UNKNOWN, detail=f"{row.id} was decided meanwhile, or is over")

    def _record(self, who: Principal, event: str, row: Stored, trace: str, **more: object) -> None:
        detail: Json = {"approval": row.id} | {name: each for name, each in more.items() if each}
        self._audit.event(who, event, trace, detail)

    def _again(self, id_: str) -> Stored:
        row = self._store.find(id_)
        if row is None:
            raise Refused(APPROVAL_UNKNOWN, detail=f"{id_} has gone")
        return row

    def _opened(self, row: Stored) -> Request:
        return opened(self._sealer, row.id, row.sealed)

    def _state(self, row: Stored) -> str:
        """The state as of now: also expired, or void since the policy is another one."""
        if row.state in _STANDING and row.until <= self._clock():
            return "expired"
        if row.state in _LIVE and row.policy != self._policy:
            return "void"
        return row.state

    def _approval(self, row: Stored, asks: Sequence[Ask], who: Principal) -> Approval:
        votes = self._store.votes(row.id)
        left = needs.missing(asks, votes)
        mine = needs.served(asks, who, who.key, who.subject)
        voter = self._digests.voter(who)
        confirm = (
            row.state == "pending"
            and any(left[place] for place in mine)
            and all(vote.approver != voter for vote in votes)
        )
        return Approval(row.id, self._state(row), row.until, needs.in_words(asks, left), confirm)

    def _seen(self, row: Stored, decider: Decider) -> Viewed | None:
        """What this person may see of it: arguments only who may decide, or asked for it."""
        if row.tenant != decider.principal.tenant:
            return None
        try:
            request = self._opened(row)
        except Refused:
            return None
        places = _served(request, decider.principal)
        own = decider.principal.key == request.principal.key
        if not (places or own or decider.oversees):
            return None
        votes, state = self._store.votes(row.id), self._state(row)
        left = needs.missing(request.asks, votes)
        voter = self._digests.voter(decider.principal)
        return Viewed(
            id=row.id,
            state=state,
            created=row.created,
            expires=row.until,
            needs=needs.in_words(request.asks, left) if state == "pending" else "",
            decides=bool(places) and state in _LIVE,
            decided=any(vote.approver == voter for vote in votes),
            request=request if places or own else msgspec.structs.replace(request, arguments=""),
            votes=tuple(said(self._sealer, row.id, vote) for vote in votes),
        )


def _served(request: Request, who: Principal) -> tuple[int, ...]:
    return needs.served(request.asks, who, request.principal.key, request.who)


def _open(state: str, verdict: Verdict) -> bool:
    """Whether it can still be decided so."""
    return state == "pending" or (state == "granted" and verdict == "deny")
