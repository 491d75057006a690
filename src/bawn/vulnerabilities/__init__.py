"""Known vulnerabilities of what local servers run. What could not be measured is never called clean."""
