"""Breadth first with all states on disk, for spaces that memory does not hold.

Decisions, and what others do:

- Duplicates are found at the end of a level, by sorting (delayed duplicate detection: Korf, "Best-first frontier search
  with delayed duplicate detection", 2004; before him Stern and Dill, "Using magnetic disk instead of main memory in the
  Murphi verifier", 1998, with a hash table for the states of a level). TLC looks each state up on disk when it leaves
  the cache of those seen lately, one seek each.
- The table of the search in memory stays in front of it, with what was found since it was last full. Most states that
  are found again were found a level ago, so few candidates are known; and while the table has all states, nothing is
  read to compare. A table that is full forgets all but the candidates. So the speed falls with the memory there is, and
  there is no other search: successors, properties, symmetry, partial order, workers are those of `native`.
- Levels are written once, and never again. What is known is compared with a level in one pass over sorted arrays; of
  these the youngest of about one size are merged (a log-structured merge tree), so there are few, and each state is
  written as often as the logarithm of their number says.
- A filter in memory (Bloom) was left out: with 16 bits for each state one in a thousand candidates still asks the disk,
  and a level has more candidates than the disk has blocks, so every block would be read all the same.
- States are coded as differences in as few bytes as they need, then by Zstandard. Of 11,805,586 states that takes 0.6
  bytes each; zlib made 0.9 of the same codes in six times the time. An array library would sort words, but states may
  have several, and the loops around are machine code anyway.
- Files have no name (`files`). What a crash or a second search could leave or take is not there.

Counterexamples are found by the walk backwards over the levels that the search in memory takes, so they are the same.
"""
