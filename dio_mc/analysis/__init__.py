"""Static analysis of a program before any search: values of cells, symmetry, independence of steps."""
