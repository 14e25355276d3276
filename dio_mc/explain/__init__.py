"""Why a counterexample is one: the steps that matter, the window in which no other thread must run; stored traces."""
