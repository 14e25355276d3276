"""What a program means: states, the reference interpreter, and what engines and evaluators agree on."""
