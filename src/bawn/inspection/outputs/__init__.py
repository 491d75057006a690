"""What is done with findings in what servers answer: marked, mended, or held back. Pure."""
