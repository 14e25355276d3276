"""A folder of counterexamples as pages: served on the loopback interface, or written to files."""
