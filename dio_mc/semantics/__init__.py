"""The semantics of a program: states, the reference interpreter, and the interfaces between engines and evaluators."""
