"""The clients we know, one file per family; `clients.py` joins them."""
