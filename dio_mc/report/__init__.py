"""Reports of checks, and the files of counterexamples."""
