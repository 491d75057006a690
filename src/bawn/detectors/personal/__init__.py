"""Personal data: cards, accounts, national ids, addresses and numbers of people."""
