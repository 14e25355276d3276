"""Random programs against an independent evaluator, and every engine against every other: ``python -m tests.fuzz``.

`program` writes a model as source text from a seed (three generators: `rich`, `plain`, and `claims` for properties).
`compare` explores it with tests/oracle and with every configuration of the checker and says where answers differ;
`shrink` makes what differs small; `__main__` goes on for as long as it is told.
"""

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parent.parent / "oracle"), str(Path(__file__).parent.parent)]
