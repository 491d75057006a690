"""FastMCP's proxy as its documentation starts it: `python fastmcp_proxy.py PORT URL`.

It runs in a virtual environment of its own, without bawn. No authentication is set up.
"""

from __future__ import annotations

import sys

from fastmcp.server import create_proxy  # type: ignore[import-not-found]  # not in bawn's environment

if __name__ == "__main__":
    port, url = sys.argv[1:]
    create_proxy(url).run(
        transport="http", host="127.0.0.1", port=int(port), log_level="error", show_banner=False
    )
