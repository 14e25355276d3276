"""Reductions at work: representatives of symmetric states. What may be reduced is proved on the IR, in `passes`."""
