"""Proofs for any number of threads, by view abstraction, and of pages, by one that is tracked.

`asked` says any number of what is meant, `places` whose the cells of a program are, `alone` cuts its code down to what
one thread does by itself, `steps` runs that, `views` collects what any two threads can be like together, `demands`
judges properties on them, and `closure` checks once more that what was collected is closed. `counting` and
`uniform` see to it that a program is the same for every number, `conditions` says what is not met. `proof` puts it
together, `certificate` keeps it.

`pages` finds what names a page, `one_step` sees to it that every step is on one, `tracked` and `one_page` write code
and properties as one page sees them, `nobody` adds threads that do nothing. The argument is in docs/any-number.md.
"""
