"""The model for definitions: what it learns from, and how it is made and measured."""
