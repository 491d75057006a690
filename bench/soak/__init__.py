"""The soak: `python -m bench.soak`."""
