"""Value analysis: which values cells and expressions may have, and the control states of each thread."""
