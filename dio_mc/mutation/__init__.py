"""Mutants of a model: the changes, the classes that they make, and whether these behave
differently."""
