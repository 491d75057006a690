"""A gate between a caller, an honest server and a hostile one: what attacks look like, and what becomes of them."""
