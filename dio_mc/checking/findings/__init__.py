"""Findings that weaken a pass: code that never ran, waits that never blocked, data that nothing
reads.

They are derived from the coverage of the search and from the program, without a second run. Only
code that a class states itself is examined (including abstract bases and mixins of its file, which
are never checked alone); inherited code is examined where it was written. Coverage is reported only
for a complete search without violations, since a violation ends the runs that have it.
"""
