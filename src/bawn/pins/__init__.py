"""Pins: what was approved of a server's definitions, by digest. No I/O, no clock."""
