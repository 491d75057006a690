"""Scans: what can be told of servers by reading alone, from wherever they are written down."""
