"""Styles and scripts of the pages; data, read by `markup.asset`."""
