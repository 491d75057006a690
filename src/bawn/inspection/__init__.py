"""Inspection: what is in a call, both ways, and what is done about it."""
