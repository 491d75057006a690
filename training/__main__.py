"""`python -m training KIND CORPUS`: makes the models that the gate ships, from seed and data alone.

`python -m training convert CORPUS DIR` brings the corpus into the form that `bawn bench detect` reads.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Final

from training import convert

KINDS: Final = {
    "definitions": "training.definitions.train",
    "outputs": "training.outputs.make",
}
"""Where the `main(corpus)` of each model is."""

_CONVERT: Final = "convert"


def main(arguments: list[str]) -> int:
    """Makes one model, or brings the corpus into another form; 2 for wrong use."""
    if arguments[:1] == [_CONVERT]:
        return convert.main(arguments[1:])
    if len(arguments) != 2 or arguments[0] not in KINDS:
        sys.stderr.write(f"expected: python -m training {'|'.join(KINDS)} CORPUS\n")
        return 2
    corpus = Path(arguments[1])
    if not (corpus / "benign_tools").is_dir():
        sys.stderr.write(f"{corpus} is no corpus: expected a folder with `benign_tools`\n")
        return 2
    import_module(KINDS[arguments[0]]).main(corpus)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
