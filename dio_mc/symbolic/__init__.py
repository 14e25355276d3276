"""z3: what decides properties. The only room that names it."""
