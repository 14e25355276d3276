"""Models for other checkers: Promela (SPIN), Murphi (Rumur), TLA+ (TLC). See `commands` for how they come about."""
