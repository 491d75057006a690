"""Clients pointed at the gate, and back."""
