"""Breadth-first search with all states on disk, for state spaces that do not fit in memory.

Decisions, and what others do:

- Duplicates are detected at the end of a level, by sorting (delayed duplicate detection: Korf,
  "Best-first frontier search with delayed duplicate detection", 2004; before that Stern and Dill,
  "Using magnetic disk instead of main memory in the Murphi verifier", 1998, with a hash table for
  the states of a level). TLC looks each state up on disk when it leaves the in-memory cache, which
  costs a seek each.
- The hash table of the search in memory remains in front of the disk, as a cache of the states
  found since it was last full. Most duplicates are of states found a level ago, so few candidates
  turn out to be known. While the table still has all states, nothing is read for comparison. A
  table that is full drops everything but the candidates. So speed degrades gradually with the
  available memory, and the search itself is that of `native`: successors, properties, symmetry,
  partial order and workers.
- Levels are written once. Candidates are compared with the known states in one pass over sorted
  arrays. The youngest arrays of similar size are merged (a log-structured merge tree), so there are
  few arrays, and the number of times a state is rewritten is logarithmic in the number of arrays.
- There is no Bloom filter in memory: with 16 bits per state one in a thousand candidates would
  still need the disk, and a level has more candidates than the disk has blocks, so nearly every
  block would be read all the same.
- States are delta coded in variable-length bytes, then compressed by Zstandard. This takes 0.6
  bytes per state for 11,805,586 states; zlib took 0.9 for the same codes, in six times the time. An
  array library would sort single words, but a state may have several, and the surrounding loops are
  machine code anyway.
- Files are unnamed (`files`), so a crash leaves nothing behind, and two searches cannot interfere.
  A checkpoint gives a name to the file of the levels (`levels_file`).

Counterexamples come from the same backward pass over the levels as in memory, so they are the same.
"""
