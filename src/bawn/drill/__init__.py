"""Faults on a running gate, and what its callers saw of them."""
