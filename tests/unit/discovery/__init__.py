"""Discovery, against files in each client's documented form."""
