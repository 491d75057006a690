"""`python -m bawn`."""

from bawn.cli import main

main()
