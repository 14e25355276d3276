"""Breadth-first search with the states divided among processes on several machines, through Ray. It
gives access to more memory; it is not faster.

Decisions:

- The hash of a state determines the part to which it belongs (Stern and Dill, "Parallelizing the
  Murphi verifier", 1997). Each part is an actor with the compiled search of `native`: its table has
  the states of the part, and successors that belong to other parts go into boxes (`native.boxes`),
  which Ray transfers.
- Levels are barriers, so the result is that of one machine: a level has the same states wherever
  they are, and counterexamples come from the same backward pass over levels. Representatives and
  persistent sets are functions of the state alone, so both reductions work as on one machine. The
  states within ``--max-states`` depend on the order of discovery, which no part knows, so such a
  search runs on one machine.
- Every part writes each complete level to a file: sorted, coded and compressed as on disk (`disk`),
  in less than a byte per state. These files serve the backward pass and the recovery of a part that
  dies: a new actor reads them, and all parts repeat the current level. What the others had already
  found of it is found again, which changes nothing.
- If the files of a dead part cannot be read (its machine is gone, and the folder was local), all
  parts start again from the initial states, up to the same level.
- A separate process talks to Ray (`speaking`). Ray prints to stdout from a thread, installs a
  SIGTERM handler and starts threads, none of which is acceptable in the process that reports the
  result.
- Messages contain bytes rather than numpy arrays: Ray transfers both without a copy in Python, and
  numpy would be one more dependency without a benefit.
"""
