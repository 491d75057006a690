"""What policy files say: read, checked, and made into rules."""
