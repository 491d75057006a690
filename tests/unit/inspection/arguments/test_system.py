"""Files of accounts, keys and credentials, however their path is written."""

from __future__ import annotations

import pytest

from bawn.inspection.arguments.system import is_credential, plain


@pytest.mark.parametrize(
    "path",
    [
        "/etc/shadow",
        "/etc//./shadow",
        "/a/../etc/shadow",
        "~/.ssh/id_ed25519",
        "\\Windows\\win.ini",
        "c:/boot.ini",
        "/proc/1/environ",
        "/var/run/docker.sock",
        "x/.aws/credentials",
        "/run/secrets/db",
    ],
)
def test_credentials_are_known(path: str) -> None:
    assert is_credential(path)


@pytest.mark.parametrize(
    "path",
    [
        "etc/shadows.md",
        "/etc/nginx/nginx.conf",
        "~/.ssh/known_hosts",
        "passwd.py",
        "/proc/cpuinfo",
        ".npmignore",
        "a" * 9000,
    ],
)
def test_others_are_not(path: str) -> None:
    assert not is_credential(path)


def test_paths_are_made_plain() -> None:
    assert plain("C:\\a\\\\.\\b") == "/a/b"
    assert plain("/a/b/../../c") == "/c"
