"""Drift: how a definition differs from what was approved, and what to make of it. No I/O, no clock."""
