"""Symmetry: found and proved on the program, and put to work: what it does to states, representatives of orbits."""
