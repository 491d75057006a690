"""Signatures: who vouches for registry entries and pins, by keys, roles and thresholds."""
