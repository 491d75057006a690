"""Consent to calls: asked for by policy, given by people, bound to one request, used once."""
