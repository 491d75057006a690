"""What programs write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.guard.code import may_write, paths_in


@pytest.mark.parametrize(
    "code",
    [
        "open('.cur' + 'sor/x', 'w')",
        "os.path.join('.cursor', 'x')",
        "Path('.cursor') / \"x\"",
        "# don't\nopen('.cursor/x')",
        "b64decode('LmN1cnNvci94')",
        "'x/rosruc.'[::-1]",
        "bytes([46, 99, 117, 114, 115, 111, 114, 47, 120])",
        "fromhex('2e637572736f722f78')",
        "'\\x2ecursor/x'",
    ],
)
def test_a_path_is_put_together_from_its_strings(code: str) -> None:
    assert ".cursor/x" in set(paths_in(code))


@pytest.mark.parametrize(
    "code",
    [
        "open('x', 'w')",
        "fs.writeFileSync('x')",
        "os.rename('a', 'b')",
        "os.system('x')",
        "VACUUM INTO 'x'",
    ],
)
def test_writing_is_recognised(code: str) -> None:
    assert may_write(code)


def test_reading_is_not_writing() -> None:
    assert not may_write("print(open('x.y').read())")
    assert not may_write("SELECT a FROM b WHERE c = 'x.y'")


@given(st.text(max_size=200))
def test_nothing_makes_it_fail(code: str) -> None:
    list(paths_in(code))
