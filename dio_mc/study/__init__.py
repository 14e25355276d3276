"""Analyses that take several searches: the outcomes of a workload, and the differences of rules."""
