"""All bounds on what callers use, in one place: `ports.Quotas`.

A call is let in by all of them or counted by none: what was counted before one said no is given back,
unless the worker is killed or the store fails in that very moment, and then it is counted once too
often. A store that cannot be asked refuses the calls that quotas cover. `limits.*` need no store.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bawn.config.limits import Limits
from bawn.config.policy import Quota
from bawn.errors import LIMIT_BUDGET, LIMIT_CONCURRENCY, LIMIT_RATE, Reason, Refused
from bawn.model import Call, Item
from bawn.quotas.budgets import Budgets, Owed
from bawn.quotas.concurrency import Concurrency, Places
from bawn.quotas.rule import Rule, covers_of
from bawn.storage.counters import StoredCounters

if TYPE_CHECKING:
    from bawn.quotas.rates import Rates

_REMEMBERED: Final = 65_536
_LONGEST_KEY: Final = 512


class Entered(msgspec.Struct, gc=False):
    """What a call in flight holds, and what its result will be charged to."""

    principal: str
    server: str
    places: tuple[str, ...] = ()
    owed: tuple[Owed, ...] = ()


class Quotas:
    """Counts calls in and out; `cost` tells what a call of an item costs.

    Quotas that no call of an item can meet cost nothing when it is called.
    """

    def __init__(
        self,
        limits: Limits,
        quotas: tuple[Quota, ...],
        counters: StoredCounters,
        cost: Callable[[Item], int],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._calls = Concurrency(limits.calls_per_principal, limits.calls_per_server)
        self.servers = self._calls.servers
        self.by_conversation = any(quota.per == "conversation" for quota in quotas)
        self._configured = _rules(quotas)
        self._by_item: dict[str, tuple[Rule, ...]] = {}
        self._places = Places()
        self._budgets = Budgets(counters)
        self._rates = _rates(quotas, counters, clock)
        self._cost = cost

    def enter(self, call: Call, item: Item, conversation: str) -> Entered:
        """Count a call in.

        Raises:
            Refused: limit.principal, limit.server, limit.concurrency; limit.rate and limit.budget with
                `retry_after`; store.unavailable. Then nothing is in flight, and nothing was counted.
        """
        principal, server = call.principal.key, item.server
        rules = self._covering(item) if self._configured else ()
        self._calls.enter(principal, server)
        entered = Entered(principal, server)
        if rules:
            try:
                self._count(rules, entered, call, item, conversation)
            except BaseException:
                self.leave(entered, 0)
                raise
        return entered

    def leave(self, entered: Any, size: int) -> None:
        """Count out what `enter` gave, and charge its result; never raises."""
        self._calls.leave(entered.principal, entered.server)
        for key in entered.places:
            self._places.give_back(key)
        for owed in entered.owed:
            self._budgets.charge(owed, size)

    def _covering(self, item: Item) -> tuple[Rule, ...]:
        rules = self._by_item.get(item.key)
        if rules is None:
            rules = tuple(rule for rule in self._configured if rule.covers(item))
            if len(item.key) <= _LONGEST_KEY:  # a caller may ask for any URI
                if len(self._by_item) >= _REMEMBERED:
                    self._by_item.clear()
                self._by_item[item.key] = rules
        return rules

    def _count(
        self, rules: tuple[Rule, ...], entered: Entered, call: Call, item: Item, conversation: str
    ) -> None:
        """Take a place and look at the bytes under every rule first; they cost no writing."""
        counted = []
        for rule in rules:
            key = rule.key(call, item, conversation)
            if key is None:
                continue
            counted.append((rule, key))
            if rule.quota.concurrency is not None:
                self._take_place(rule, key, entered)
        for rule, key in counted:
            if rule.quota.bytes is not None:
                self._look(rule, key, entered)
        self._charge(counted, item)

    def _take_place(self, rule: Rule, key: str, entered: Entered) -> None:
        most = rule.quota.concurrency
        if most is not None and not self._places.take(key, most):
            told = f"{most} for each {rule.quota.per}"
            raise Refused(LIMIT_CONCURRENCY, told, detail=rule.told)
        entered.places = (*entered.places, key)

    def _look(self, rule: Rule, key: str, entered: Entered) -> None:
        owed = Owed(key, rule.quota.window)
        wait = self._budgets.look(owed, rule.quota.bytes or 0)
        if wait is not None:
            raise _refused(LIMIT_BUDGET, f"bytes for each {rule.quota.per}", rule, wait)
        entered.owed = (*entered.owed, owed)

    def _charge(self, counted: list[tuple[Rule, str]], item: Item) -> None:
        """Count rates and pay costs; when one says no, give back what the others took."""
        taken: list[Callable[[], None]] = []
        try:
            for rule, key in counted:
                self._take_rate(rule, key, taken)
                self._pay(rule, key, item, taken)
        except BaseException:
            for give_back in taken:
                with suppress(Refused):
                    give_back()
            raise

    def _take_rate(self, rule: Rule, key: str, taken: list[Callable[[], None]]) -> None:
        rates, rate = self._rates, rule.quota.rate
        if rates is None or rate is None:
            return
        wait = rates.take(key, rate)
        if wait is not None:
            raise _refused(LIMIT_RATE, f"{rate} for each {rule.quota.per}", rule, wait)
        taken.append(lambda: rates.give_back(key, rate))

    def _pay(self, rule: Rule, key: str, item: Item, taken: list[Callable[[], None]]) -> None:
        quota, budgets = rule.quota, self._budgets
        if quota.cost is None:
            return
        cost = self._cost(item)
        wait = budgets.pay(key, cost, quota.window, quota.cost)
        if wait is not None:
            raise _refused(LIMIT_BUDGET, f"cost for each {quota.per}", rule, wait)
        taken.append(lambda: budgets.give_back(key, cost))


def _rules(quotas: tuple[Quota, ...]) -> tuple[Rule, ...]:
    """The rules of these quotas; those that cover the same are numbered, lest they count as one."""
    places: Counter[object] = Counter()
    rules = []
    for quota in quotas:
        covered = covers_of(quota)
        rules.append(Rule(quota, places[covered]))
        places[covered] += 1
    return tuple(rules)


def _rates(
    quotas: tuple[Quota, ...], counters: StoredCounters, clock: Callable[[], float]
) -> Rates | None:
    """What counts rates, where any is configured: only then is its library loaded."""
    if all(quota.rate is None for quota in quotas):
        return None
    from bawn.quotas.rates import Rates

    return Rates(counters, clock)


def _refused(reason: Reason, what: str, rule: Rule, wait: float) -> Refused:
    seconds = max(1, ceil(wait))
    data = {"retryAfter": seconds}
    return Refused(reason, what, detail=rule.told, data=data, retry_after=wait)
