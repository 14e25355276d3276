"""A schedule of a model chosen by hand: walking it step by step, and exploring what can follow it."""
