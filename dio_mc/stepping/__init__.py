"""One schedule of a model, chosen by hand: walked step by step, and all that can follow it."""
