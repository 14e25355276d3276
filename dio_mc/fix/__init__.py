"""Small edits of a violated model: the candidates, their effects, and the text of those that are
fixes."""
