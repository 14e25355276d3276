"""Search: the reference engine and machine code, which of them explores, and whether they agree."""
