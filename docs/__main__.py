"""`python -m docs` writes every generated document anew."""

from __future__ import annotations

import sys

from docs.pages import FOLDER, PAGES


def main() -> None:
    """Write the pages that have changed, and name them."""
    for name, page in PAGES.items():
        path, text = FOLDER / name, page()
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
