"""Gates for the tests: each is a real process, and none leaves another behind."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.gate_process import Gate

StartGate = Callable[..., Gate]


@contextlib.contextmanager
def gates(places: pytest.TempPathFactory) -> Iterator[StartGate]:
    """Starts gates; all of them are stopped at the end, and nothing may be left of any."""
    with contextlib.ExitStack() as running:

        def start(servers: str, **settings: Any) -> Gate:
            made = Gate(places.mktemp("gate"), servers, **settings)
            running.callback(made.kill)
            made.start()
            running.callback(made.stop)
            return made

        yield start


@pytest.fixture
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartGate]:
    """Start a gate with these servers: `gate(text, **settings of Gate)`; it is stopped afterwards."""
    with gates(tmp_path_factory) as start:
        yield start


@pytest.fixture(scope="module")
def shared_gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartGate]:
    """As `gate`, for one that the tests of a file share."""
    with gates(tmp_path_factory) as start:
        yield start
