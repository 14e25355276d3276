"""Questions that take further runs: why a counterexample is one, what a workload can end with, how rules differ."""
