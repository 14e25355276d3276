"""Why a proof for any number of threads or pages is refused."""

from __future__ import annotations

from typing import Final

from dio_mc.catalogue.page import Page

PAGES: Final[dict[str, Page]] = {
    "DIO251": Page(
        "no such thread",
        "--any takes threads of the model, parameters that count threads or pages, or `all`. The hint lists what the "
        "model has. A parameter counts pages if it is the size of an array; only one of these can be named.",
    ),
    "DIO252": Page(
        "computed number",
        "The number of these threads is computed from parameters (`instances=2 * readers`). --any needs threads "
        "whose number is a literal or a single parameter.",
    ),
    "DIO253": Page(
        "thread ids compared by order",
        "A proof for any number needs threads that differ only in their ids. Ids may be compared for equality, but "
        "not ordered or used in arithmetic.",
    ),
    "DIO254": Page(
        "thread numbers used",
        "A thread that receives its instance number may use it to index arrays with one element per instance. "
        "Comparing it, computing with it, storing it, or passing it to a completion makes the threads different.",
        "if k == 0: self.leader = True",
    ),
    "DIO255": Page(
        "threads that start differently",
        "All instances of a template must start alike: with the same initial row in every array, no thread id in the "
        "initial state, and no change of shared data before the first step.",
    ),
    "DIO256": Page(
        "thread id in the wrong place",
        "A proof for any number only tracks whether a stored thread id is that of the running thread. Ids may be "
        "stored in global variables (such as a lock's owner), assigned from `me` or None, and compared with `me` or "
        "None.",
        "self.next[me] = self.owner",
    ),
    "DIO257": Page(
        "one thread named",
        "A statement or property names one particular thread of those that --any generalises, or two at once. "
        "Quantify over all of them with any or all, one quantifier at a time.",
        "wait_until(self.finished_by[threads(self.reader)[0]])",
    ),
    "DIO258": Page(
        "data of another thread",
        "A thread may read the PerThread data of others only through any and all. It may not write it, read it at a "
        "computed index, read it before its first step, or combine it with other data in one quantifier.",
    ),
    "DIO259": Page(
        "property that views cannot judge",
        "The proof looks at two threads at a time. A property may relate at most two threads (a step invariant: the "
        "stepping thread and one other), may not state that one thread is related to all others, and must not need "
        "z3 to be evaluated.",
    ),
    "DIO260": Page(
        "different for another number",
        "The program was compared for two numbers of threads, and more than the ranges of any and all differs.",
    ),
    "DIO261": Page(
        "the number is used",
        "The number of threads may be used as an instance count, as an array size, and as the range of any and all. "
        "A bound, a sum or a length could distinguish a large number from a small one.",
        "in_flight = Var(Range(0, readers))",
    ),
    "DIO262": Page(
        "page numbers used",
        "A proof for any number of pages only tracks whether a page is the one under observation. A loop may go "
        "through all pages from the first to the last, `choose` may pick one, arrays may be indexed with it, and it "
        "may be passed to operations. A page may not be a literal number, compared by size, or used in arithmetic.",
        "self.dirty[0] = True",
    ),
    "DIO263": Page(
        "step on two pages",
        "Data of pages other than the tracked one is treated as arbitrary. So each step may touch one page only: an "
        "atomic loop over pages, or storing into one page what another contains, is refused. Quantifiers any and all "
        "over all pages are allowed in a step.",
        "with atomic():\n    self.page[i] = self.page[j]",
    ),
    "DIO264": Page(
        "page number in shared data",
        "Shared data contains a page number. In a proof for any number of pages, page numbers are allowed only in "
        "locals and arguments.",
        "self.last = i",
    ),
    "DIO265": Page(
        "array that is not one per page",
        "An array indexed by pages must have one element per page, and all pages must start alike: no other size, no "
        "second page index, and no page with a different initial value.",
        "disk = Array(Data, size=2 * pages)",
    ),
    "DIO266": Page(
        "property of two pages",
        "A proof for any number of pages decides a property for one page, whichever it is. A property may quantify "
        "over all pages, one at a time; it may not name a page by its number or relate two pages.",
        "all(self.dirty[i] == self.dirty[j] for i in range(self.pages) for j in range(self.pages))",
    ),
    "DIO271": Page(
        "not a certificate",
        "The file is not a proof written by `dio-mc check --any ... --certificate FILE` of this version, or it is "
        "damaged.",
    ),
    "DIO272": Page(
        "certificate of another model",
        "A certificate contains a class name and the digest of its program. This one belongs to another class, or "
        "the model has changed since: run the proof again.",
    ),
    "DIO273": Page(
        "several runs for one certificate",
        "--certificate stores the proof of one class with one binding of its parameters. Choose them with --model "
        "and --param.",
    ),
    "DIO274": Page(
        "certificate that proves nothing",
        "The views in the certificate are not closed: an initial state, or a step of the reference interpreter, "
        "leads out of them. The file was changed after it was written.",
    ),
}
