"""Rules held against what the servers offer."""
