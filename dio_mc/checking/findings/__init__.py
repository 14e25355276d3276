"""Findings that weaken a pass: code that never ran, waits that never blocked, data that nothing reads.

Collected from what the engine covered and from the program, without a second run. Only what a class says itself is
judged (with abstract bases and mixins of its file, which are never checked alone): what it inherits was judged where it
was written. Coverage is reported only for a complete search without violations, since a violation cuts behaviour off.
"""
