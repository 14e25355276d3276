"""Machine code: Program -> LLVM IR -> object code, and the compiled search over packed states.

`facts` finds which values cells hold and which control states a thread has; `packing` lays states out in words;
`succ` writes the successor function, `loops` the search around it; `machine` compiles (the only file that names
llvmlite); `search` drives levels. A program that this cannot say raises `Unsupported`, with the reason in words.
"""
