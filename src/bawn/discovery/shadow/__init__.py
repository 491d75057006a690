"""Servers that nobody told the gate about: where they show, whatever it is that shows them."""
