"""How often, how much and how many at once."""
