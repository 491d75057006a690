from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.quotas.rates import Rates, Windows
from tests.unit.quotas.conftest import World


def test_so_many_are_let_in_and_then_nobody(world: World) -> None:
    rates = Rates(world.counters, world.clock)
    assert [rates.take("k", "3/minute") is None for _ in range(5)] == [True] * 3 + [False] * 2
    assert rates.take("other", "3/minute") is None
    assert rates.take("k", "3/hour") is None


def test_a_refused_call_is_not_counted(world: World) -> None:
    rates = Rates(world.counters, world.clock)
    rates.take("k", "1/minute")
    for _ in range(50):
        rates.take("k", "1/minute")
    world.now += 120
    assert rates.take("k", "1/minute") is None


@pytest.mark.parametrize("count", [1, 2, 7, 100])
@pytest.mark.parametrize("passed", [0.0, 0.25, 31.5, 59.75])
def test_after_the_time_it_tells_one_is_let_in_and_not_before(
    world: World, count: int, passed: float
) -> None:
    rates = Rates(world.counters, world.clock)
    rate = f"{count}/minute"
    world.now += passed
    for _ in range(3):
        while (wait := rates.take("k", rate)) is None:
            pass
        assert 0 < wait <= 120
        world.now += wait - 0.01
        assert rates.take("k", rate) is not None
        world.now += 0.02
        assert rates.take("k", rate) is None


def test_workers_and_restarts_share_a_rate(world: World) -> None:
    workers = [Rates(world.worker(), world.clock) for _ in range(3)]
    let_in = [each.take("k", "5/minute") is None for _ in range(4) for each in workers]
    assert let_in.count(True) == 5
    assert Rates(world.worker(), world.clock).take("k", "5/minute") is not None


def test_what_is_given_back_was_never_counted(world: World) -> None:
    rates = Rates(world.counters, world.clock)
    rates.take("k", "1/minute")
    rates.give_back("k", "1/minute")
    assert rates.take("k", "1/minute") is None
    world.now += 60  # the window ends between taking and giving back
    rates.give_back("k", "1/minute")
    assert rates.take("k", "1/minute") is None
    rates.give_back("nobody", "1/minute")


TIMES = st.lists(st.floats(0, 40, allow_nan=False), min_size=1, max_size=60)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), TIMES)
def test_no_window_takes_more_than_its_bound(
    tmp_path_factory: pytest.TempPathFactory, count: int, gaps: list[float]
) -> None:
    world = World(tmp_path_factory.mktemp("rates") / "state.db")
    workers = [Rates(world.counters, world.clock), Rates(world.worker(), world.clock)]
    let_in = []
    try:
        for number, gap in enumerate(gaps):
            world.now += gap if number % 3 else 0.0
            if workers[number % 2].take("k", f"{count}/minute") is None:
                let_in.append(world.now)
    finally:
        world.close()
    of_the_clock = [int(at // 60) for at in let_in]
    assert all(of_the_clock.count(window) <= count for window in of_the_clock)
    for start in let_in:
        within = [at for at in let_in if start <= at < start + 60]
        assert len(within) <= max(count, 2 * count - 1)


def test_the_storage_tells_the_library_what_it_asks(world: World) -> None:
    windows = Windows(world.counters, world.clock)
    assert windows.check()
    assert windows.acquire_sliding_window_entry("k", 5, 60, 4)
    assert not windows.acquire_sliding_window_entry("k", 5, 60, 2)
    world.now += 15
    assert windows.get_sliding_window("k", 60) == (0, 45.0, 4, 105.0)
    world.now += 60
    assert windows.get_sliding_window("k", 60) == (4, 45.0, 0, 105.0)
    windows.clear_sliding_window("k", 60)
    windows.clear("other")
    assert windows.get_sliding_window("k", 60) == (0, 45.0, 0, 105.0)


def test_nothing_but_sliding_windows_is_counted(world: World) -> None:
    windows = Windows(world.counters, world.clock)
    uses: list[Callable[[], object]] = [
        lambda: windows.incr("k", 60),
        lambda: windows.get("k"),
        lambda: windows.get_expiry("k"),
        windows.reset,
    ]
    for use in uses:
        with pytest.raises(NotImplementedError):
            use()


def test_a_store_that_fails_refuses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise Refused(STORE_UNAVAILABLE)

    monkeypatch.setattr(world.databases[0], "_execute", fail)
    with pytest.raises(Refused) as caught:
        Rates(world.counters, world.clock).take("k", "1/minute")
    assert caught.value.reason is STORE_UNAVAILABLE
