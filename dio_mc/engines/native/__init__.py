"""The native engine: Program -> LLVM IR -> object code, and the compiled search over packed states.

- `packing` assigns bits to cells and control states, from what `analysis.values` knows of them.
- `succ` generates the successor function, `step` each step in it, `loops` the search loop, `table`
  the visited set, `back` the backward pass for counterexamples.
- `module` assembles the module of a program; `machine` compiles it and is the only file that names
  llvmlite.
- `search` runs the search level by level; `engine` is the entry point.

A program that cannot be compiled raises `Unsupported`, with the reason as text.
"""
