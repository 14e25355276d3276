"""Machine code: Program -> LLVM IR -> object code, and the compiled search over packed states.

`packing` lays states out in words, from what `analysis.values` knows of cells and threads; `succ` writes the successor
function, `loops` the search around it; `module` puts a program together, `machine` compiles it (the only file that
names llvmlite), `search` drives the levels, `engine` is the whole. A program that cannot be expressed raises
`Unsupported`, with the reason in words.
"""
