"""Traces: runs of a program by name, made and run again on the reference interpreter, stored as JSON."""
