"""Mutants of a model: what each changes, the class that it makes, and whether it behaves differently."""
