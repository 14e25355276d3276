"""Traces: runs of a program by name, recorded and replayed on the reference interpreter, stored as JSON."""
