"""Explaining counterexamples: the steps that matter, the decisive window of mutual exclusion; and replaying stored
traces."""
