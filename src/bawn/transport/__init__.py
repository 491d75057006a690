"""How bytes come in, and how far."""
