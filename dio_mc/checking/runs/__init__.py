"""Many models: which runs a command takes, in this process or in several, and how they grow."""
