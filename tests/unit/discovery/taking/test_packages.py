from __future__ import annotations

import pytest

from bawn.discovery.taking.packages import without_surprise


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("npx -y pkg@1.2.3 ./docs -y", "npx pkg@1.2.3 ./docs -y"),
        ("/usr/bin/npx --yes @scope/pkg@1.2.3-rc.1", "/usr/bin/npx @scope/pkg@1.2.3-rc.1"),
        ("npx -y --package=@scope/pkg@1.0.0 run", "npx --package=@scope/pkg@1.0.0 run"),
        ("npx -p pkg@1.0.0 -y run", "npx -p pkg@1.0.0 run"),
        ("uvx pkg==1.2", "uvx pkg==1.2"),
        ("uvx --from pkg@1.2.3 run", "uvx --from pkg@1.2.3 run"),
        ("node -y server.js", "node -y server.js"),
        ("npx", "npx"),
    ],
)
def test_exact_versions_pass_without_a_word_and_without_consent_to_install(
    command: str, expected: str
) -> None:
    found, notes = without_surprise(command.split())
    assert (" ".join(found), notes) == (expected, ())


@pytest.mark.parametrize(
    "package",
    ["npx -y pkg", "npx -y @scope/pkg", "npx pkg@latest", "npx pkg@^1.2.3", "npx pkg@1", "npx -p pkg run",
     "npx -y --package=pkg run", "uvx pkg", "uvx pkg@latest", "uvx --from git+https://example.com/x run"],
)  # fmt: skip
def test_floating_versions_are_warned_of(package: str) -> None:
    _, notes = without_surprise(package.split())
    assert len(notes) == 1
    assert "no exact version" in notes[0]


def test_no_command_is_no_command() -> None:
    assert without_surprise([]) == ((), ())
