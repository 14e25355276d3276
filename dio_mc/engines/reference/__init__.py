"""The reference engine: breadth-first search on the interpreter, canonical counterexamples, liveness."""
