"""Many models: the runs that a command takes, in one process or in several, and their growth."""
