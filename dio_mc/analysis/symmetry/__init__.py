"""Symmetry: finding and proving it on the program, its action on states, and representatives of orbits."""
