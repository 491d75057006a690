"""Policies over what the audit recorded."""
