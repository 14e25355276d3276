"""Checks that are killed at random moments and resumed, as often as one likes."""
