"""What a program means: states, the reference interpreter, and the contract between engines and judges."""
