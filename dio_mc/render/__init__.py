"""Traces as text and as graphics, derived from the trace alone."""
