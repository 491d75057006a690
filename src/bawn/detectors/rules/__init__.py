"""The rules: data, one file for each detector."""
