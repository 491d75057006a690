"""Client files as documents: read, changed in place, and compared."""
