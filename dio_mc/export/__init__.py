"""Translation of models to other checkers: Promela (SPIN), Murphi (Rumur), TLA+ (TLC). See `commands` for the
method."""
