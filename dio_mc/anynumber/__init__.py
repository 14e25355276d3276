"""Proofs for any number of threads, by view abstraction, and for any number of pages, by tracking one page.

`asked` determines which threads and pages the user wants any number of. `places` assigns each cell of a state to a
thread or to the common cells. `alone` rewrites the program so that a thread depends on the others only through boolean
variables; `steps` runs single steps of the result. `views` computes a set of views, `demands` evaluates properties on
views, and `closure` checks independently that the set is an inductive invariant. `counting` and `uniform` ensure that
the program does not depend on the number of threads, and `conditions` reports what violates this. `proof` runs all of
these, and `certificate` stores the result.

For pages, `pages` finds the arrays and locals that refer to pages, `one_step` ensures that every step accesses a single
page, `tracked` and `one_page` rewrite code and properties for one tracked page, and `nobody` adds threads that do
nothing. The argument for soundness is in docs/any-number.md.
"""
