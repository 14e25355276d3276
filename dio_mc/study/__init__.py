"""Questions about a model or a trace that take further runs of it: why a counterexample is one, what a space looks like."""
