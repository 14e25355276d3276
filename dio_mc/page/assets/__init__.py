"""Styles and scripts of the pages; data, read by `page.markup.asset`."""
