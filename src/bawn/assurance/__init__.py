"""Assurance: lockfile, scan, cross-server analysis and trust, from everything that is known of servers."""
