"""HTML pages: a trace as one self-contained file; a folder of traces, served on the loopback interface."""
