"""The verdicts of `study` against the property families and against every order of the calls: ``python -m tests.judges``.

`comparing` judges each end of a product three times; `campaign` goes through all pairs or triples of system calls under
all rules, in an order drawn from a seed, and can be stopped and go on.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))
