"""Findings: what makes a pass weaker than it looks."""

from __future__ import annotations

from typing import Final

from dio_mc.catalogue.page import Page

PAGES: Final[dict[str, Page]] = {
    "DIO301": Page(
        "several shared variables in one step",
        "One statement is one step, but a CPU does not read or write several shared variables at once. Split the "
        "statement, or wrap it in `with atomic():` where the kernel holds a lock or uses one instruction.",
    ),
    "DIO302": Page(
        "read-modify-write in one step",
        "`self.x += 1` is one step here; on a CPU it is a read and a write unless it is an atomic instruction. Write "
        "two statements, or `with atomic():`.",
    ),
    "DIO310": Page(
        "trivially true",
        "The invariant is true for every value of its variables, so it checks nothing.",
    ),
    "DIO311": Page(
        "never true",
        "The invariant is false for every value of its variables.",
    ),
    "DIO312": Page(
        "premise cannot hold",
        "The premise of an implication is false for every value of its variables.",
    ),
    "DIO313": Page(
        "premise never held",
        "No reachable state made the premise of this implication true: the property held vacuously.",
    ),
    "DIO314": Page(
        "decided by the solver alone",
        "The property uses a z3 expression that cannot be compiled, so every distinct valuation costs a solver call.",
    ),
    "DIO320": Page(
        "statement that never ran",
        "The search was complete and no schedule runs this statement. Nothing that depends on it was checked.",
        "if self.n > 5: self.lost = True        # n never gets there",
    ),
    "DIO321": Page(
        "operation that nothing calls",
        "No thread and no other operation of the class, its bases or its file calls it.",
    ),
    "DIO322": Page(
        "variable that nobody reads",
        "It is never read, or never used at all. A ghost that no property reads checks nothing; other data that "
        "nobody reads is not part of the rule.",
    ),
    "DIO323": Page(
        "wait that never waits",
        "The condition was true in every state in which a thread reached this `wait_until`: without it the model is "
        "the same. Something else already ensures the order, or the case that it was written for is missing.",
    ),
    "DIO324": Page(
        "parameter that nothing uses",
        "Its value makes no difference to the model.",
    ),
    "DIO325": Page(
        "lock that nobody waits for",
        "It was free whenever a thread came to take it, in every reachable state, so it excludes nothing. Something "
        "else keeps these threads apart, or the instance is too small for the case that it is needed for. To see "
        "whether a contended lock protects anything, use `dio-mc mutate --kind lock`.",
    ),
    "DIO326": Page(
        "daemon that ends",
        "Writeback, reclaim and interrupts run forever. A daemon whose code ends does its work only once, and what a "
        "second round would break is not seen: write `while True:` around it. If once is intended, make a `return` "
        "its last statement.",
    ),
    "DIO327": Page(
        "threads that can never move again",
        "Some schedule reaches a state from which these threads never take a step again, whatever the others do. It "
        "is not a deadlock because another thread can always run, such as one that polls. Reported only by searches "
        "that find nothing else, up to 10,000 states.",
    ),
    "DIO328": Page(
        "property of constants",
        "Everything that the invariant reads keeps its initial value, so the invariant has the same value in every "
        "state. Some code should write what it reads, for instance a read that records its result.",
    ),
    "DIO329": Page(
        "nothing happens",
        "No thread can take a step from any initial state: every thread waits from the start, or has nothing to do. "
        "Every property that holds does so only because nothing happens.",
    ),
    "DIO330": Page(
        "window of one step",
        "`inside` is true between the first step of a window or operation and its last. This one begins and ends "
        "within one step, where no other thread can run, so the property asks about a state that does not exist. "
        "Include the step before it in the window, or use a variable instead.",
        'with window("direct"):\n    self.disk = Data.NEW                   # one step',
    ),
    "DIO331": Page(
        "index out of bounds in a property",
        "A property has a value in every state, so an index outside its array reads the last element; in a body it "
        "would be a fault. Test the index first: `self.n < 2 and self.a[self.n]`. Reported for all values that the "
        "variables can have, whether or not a run reaches them.",
        "return self.a[self.n] == 0             # n goes to 3, a has two elements",
    ),
    "DIO332": Page(
        "hidden by another base",
        "Two bases have a thread or a property of this name, and neither derives from the other: Python takes the "
        "first one, and the other does not run or is not checked. Say in the class itself what is meant, or rename "
        "one of the two.",
        "class Mine(NoStaleExposure, Reuse):    # both have no_stale_exposure",
    ),
    "DIO333": Page(
        "relaxed variable under a lock",
        "Every load and store of it is under the same exclusive lock, on every path. Taking and releasing a lock wait "
        "until the store buffer is empty, so no thread can see its stores in another order: without `ordering=` the "
        "model behaves the same and has fewer states. Relax what is read without the lock.",
        'x = Var(bool, ordering="relaxed")      # only between lock() and unlock()',
    ),
}
