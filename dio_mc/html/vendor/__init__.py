"""Graphviz for the browser; data, see NOTICE."""
