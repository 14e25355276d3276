"""Small wrong versions of a model: what they are, how to make one, and whether it is one at all."""
