"""Styles and scripts of the index; data, read by `page.markup.asset`."""
