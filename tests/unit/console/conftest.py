from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.approving import approver
from tests.deciding import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, approvers=(approver("Sue"),))
    yield desk
    desk.close()
