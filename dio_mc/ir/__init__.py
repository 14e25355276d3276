"""The intermediate representation: frozen, typed, printable, verified."""
