"""Cases beside the rules: who calls what, and what is expected."""
