"""How a setting names a database of vulnerabilities."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from bawn.config.kinds import is_loopback
from bawn.errors import Misconfigured
from bawn.vulnerabilities.api import Api
from bawn.vulnerabilities.database import Database
from bawn.vulnerabilities.dump import Dump


def open_database(setting: str, base: Path) -> Database:
    """The database of `vulnerabilities.database`; paths are relative to `base`.

    Raises:
        Misconfigured: it names none.
    """
    parts = urlsplit(setting)
    if parts.scheme in {"http", "https"}:
        if not parts.hostname or parts.username or parts.query or parts.fragment:
            raise Misconfigured(
                f"vulnerabilities.database: {setting!r}: expected a plain URL, such as https://api.osv.dev"
            )
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise Misconfigured(
                f"vulnerabilities.database: {setting!r}: expected https://, for what comes over http:// "
                "may be anybody's answer"
            )
        return Api(setting)
    path = base / setting
    if not path.is_dir() and not (path.is_file() and path.suffix == ".zip"):
        raise Misconfigured(
            f"vulnerabilities.database: {path}: expected a URL, a directory of OSV records or a .zip of them"
        )
    return Dump(path)
