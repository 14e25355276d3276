"""What a program can do, found before any search: values of cells, control states of threads, footprints of steps."""
