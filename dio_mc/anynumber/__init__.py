"""Proofs for any number of threads, by view abstraction.

`asked` says any number of what is meant, `places` whose the cells of a program are, `alone` cuts its code down to what
one thread does by itself, `steps` runs that, `views` collects what any two threads can be like together, `demands`
judges properties on them, and `closure` checks once more that what was collected is closed. `counting` and
`uniform` see to it that a program is the same for every number, `conditions` says what is not met. `proof` puts it
together, `certificate` keeps it. The argument is in docs/any-number.md.
"""
