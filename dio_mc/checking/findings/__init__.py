"""What makes a pass worth less than it looks: code that never ran, waits that never waited, data that nobody reads.

Collected from what the engine covered and from the program, without a second run. Only what a class says itself is
judged (with abstract bases and mixins of its file, which are never checked alone): what it inherits was judged where it
was written. Coverage is told only of a complete search that found nothing, since a violation cuts behaviour off.
"""
