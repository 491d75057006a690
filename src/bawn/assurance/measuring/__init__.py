"""Measuring: how much of what is known to be hostile the gate sees, and how often it cries wolf."""
