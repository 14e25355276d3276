"""Partial order: what each step touches and which a property sees; persistent sets of threads."""
