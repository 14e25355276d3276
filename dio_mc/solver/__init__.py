"""z3: what decides properties. The only layer that names it; imported by the driver alone."""
