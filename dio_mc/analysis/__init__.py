"""What a program can do, found before any search: values of cells, symmetry, which steps are independent."""
