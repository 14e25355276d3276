"""Partial-order reduction: the footprint of each step, the steps that a property can see, persistent sets of
threads."""
