"""Search: breadth first over any transition system, canonical counterexamples, budgets, progress."""
