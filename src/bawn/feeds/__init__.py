"""Who is told of what: one stream from each server, and from it to every caller who subscribed."""
