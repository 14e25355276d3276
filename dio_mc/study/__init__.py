"""Questions that take further runs: what a workload can end with, how rules differ."""
