"""Why a counterexample is one: the steps that matter, and the window in which no other thread must run."""
