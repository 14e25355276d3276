"""Property evaluators on z3. No other room imports z3."""
