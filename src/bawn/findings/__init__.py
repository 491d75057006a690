"""Findings: what checks of any kind found, and the forms in which they are told."""
