"""A server with every fixture that the official suite asks of one, in both eras."""
