"""Small edits of a violated model: what there is to edit, what an edit does, what it leaves, and how it is written."""
