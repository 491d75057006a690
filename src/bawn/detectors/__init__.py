"""Detectors: pure functions from text to what should not be in it. No I/O, no clock, linear time."""
