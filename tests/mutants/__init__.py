"""The checker broken on purpose, one place at a time, and who notices: ``python -m tests.mutants``.

`texts` lists the breakages; `running` makes a copy with one of them and runs what should notice; README.md is the table
that it writes. A breakage is known by what it takes away, so its text moves with the code: a test fails where one is
not found exactly once.
"""
