"""Redaction: texts without what detectors found in them, and tokens that the gate alone turns back."""
