"""Proofs for any number of threads, by view abstraction.

`asked` makes the instance that is looked at, `places` says whose its cells are, `alone` cuts its code down to what one
thread does by itself, `steps` runs that, `views` collects what any pair of threads can be like, and `certificate` checks
once more that what was collected is closed. `proof` puts it together. The argument is in docs/any-number.md.
"""
