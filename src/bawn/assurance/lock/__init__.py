"""The lockfile: what serves, as one file from pull request to run time."""
