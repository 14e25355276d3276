"""Traces as text, as graphs; everything is read from the trace alone."""
