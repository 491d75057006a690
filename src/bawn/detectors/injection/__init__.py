"""Indirect prompt injection: texts from servers that speak to the model which reads them."""
