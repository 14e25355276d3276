"""Breadth first with the states divided among processes on several machines, through Ray: for memory, not for speed.

Decisions:

- A state belongs to the part that its hash says (Stern and Dill, "Parallelizing the Murphi verifier", 1997). Each part
  is an actor with the compiled search of `native`: its table has the states of the part, and successors that belong
  elsewhere go into boxes (`native.boxes`), which Ray carries to the others.
- Levels are barriers, so the answer is that of one machine: a level has the same states wherever they are, and a
  counterexample is found by the same walk backwards over levels. Representatives and persistent sets are functions of a
  state alone, so both reductions work as they do on one machine. What lies within ``--max-states`` is defined by the
  order of discovery, which no part knows: such a search is made on one machine.
- Every part writes each level to a file when it is found: sorted, coded and compressed as on disk (`disk`), under a
  byte for each state. These files serve the walk backwards, and the death of a part: a new actor reads them, and the
  level is done again by all. What the others have found of it is found again, which changes nothing.
- Where the files of a dead part cannot be read (its machine is gone, and the folder was its own), all parts begin
  again from the initial states, up to the same level.
- Ray is spoken with by a process of its own (`speaking`). It prints to stdout from a thread, installs a handler of
  SIGTERM and starts threads; none of that belongs into a process that owes an answer.
- What travels is bytes, not arrays of numpy: Ray carries both without a copy in Python, and numpy would be one more
  library for nothing.
"""
