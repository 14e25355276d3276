"""A page per diagnostic code: what ``dio-mc help DIO104`` prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """What a code means and what to do. `example` is a line or two that give it, may be empty."""

    title: str
    text: str
    example: str = ""


PAGES: dict[str, Page] = {
    "DIO100": Page("syntax error", "The file is not valid Python. Nothing was run."),
    "DIO101": Page(
        "importing the model raised",
        "A model file is imported, so its top level runs. The exception is the file's own, at the line shown.",
    ),
    "DIO102": Page(
        "unsupported construct",
        "Bodies are compiled, not run, and only the statements and expressions of docs/language.md have a meaning. "
        "Write it with if, while, for, assignments, and the words of the language.",
        "try: self.x = 1\nexcept ValueError: ...",
    ),
    "DIO103": Page(
        "wrong type",
        "A value cannot be used like this: a condition that is not a bool, numbers compared with enum members, an "
        "index that is not a number. Every value has one finite type.",
        "if self.page[0]: ...        # compare it: self.page[0] != Page.ABSENT",
    ),
    "DIO104": Page(
        "unknown name",
        "No variable, parameter, method, enum member, window or Python name of this spelling is visible here. The hint "
        "names the nearest one.",
        "self.pgae[0]",
    ),
    "DIO105": Page(
        "unbounded value",
        "Every state must be finite. `int` has no bounds, and a local that grows with every round of a loop has none "
        "either: annotate its first assignment with a Range. Leaving that range is then a fault of the model.",
        "i = 0\nwhile self.more: i += 1        # i: Range(0, 7) = 0",
    ),
    "DIO106": Page("recursion", "Operations are inlined where they are called, so none may call itself. Use a loop."),
    "DIO107": Page(
        "no model",
        "The file defines no class that derives from dio_mc.Model (other than abstract ones and imported ones), or the "
        "class has no @thread.",
    ),
    "DIO108": Page(
        "nothing to check",
        "The class has no property and its deadlock check is off. That is an error and never a pass.",
    ),
    "DIO109": Page(
        "wrong declaration",
        "A type, size, initial value, number of instances or slots does not make sense. Types are bool, an Enum, "
        "Range, ThreadId, `T | None`, a frozen dataclass or a union of them.",
        "x = Var(str)",
    ),
    "DIO110": Page(
        "steps inside an expression",
        "An operation takes steps, and other threads may run between them. Its call stands alone, is the whole right "
        "side of an assignment, or follows `return`; so what is atomic stays visible.",
        "self.seen = self.read(0) + 1",
    ),
    "DIO111": Page("wrong arguments", "A call does not fit the parameters of what it calls."),
    "DIO112": Page(
        "history would influence the program",
        "A ghost variable records history for properties. If the program could read it, the model would know more than "
        "the kernel does. Ghosts may be read by ghost statements, asserts and properties.",
    ),
    "DIO113": Page(
        "not allowed in a property, or only there",
        "Properties read shared and ghost variables and ask where threads stand (inside, finished, at_rest). They are "
        "names for expressions and one return. Locals of threads are not visible: record what matters in a ghost.",
    ),
    "DIO114": Page(
        "misplaced word",
        "A word of the language cannot stand here: wait_until and choose are statements of a body, atomic and window "
        "head a block, break and continue need a loop.",
    ),
    "DIO115": Page(
        "local read before it is assigned",
        "On some way through the body the local has no value here. In Python this raises; here it would silently be a "
        "default.",
    ),
    "DIO116": Page(
        "conflicting types",
        "A local is assigned values of different types, such as a number and an enum member. Use two names.",
    ),
    "DIO117": Page(
        "wrong expectation",
        "An expect(...) statement names something that cannot be checked: an abstract class, or a property that the "
        "class does not have. Or it contradicts another one of the same run; two bindings are the same run when they "
        "agree after the defaults have been filled in.",
    ),
    "DIO118": Page(
        "source not available",
        "The source of a function cannot be read, for instance because it was typed at a prompt. Define it in a file.",
    ),
    "DIO119": Page(
        "wrong kernel anchor",
        "An anchor is a file of the kernel, a function of it, and where they are not in every version those that have "
        "it: one (`@2.6.18`), a range (`@5.15-`, `@-4.2`, `@4.10-6.0`), or `@unmerged` for a proposal. `anchors` of a "
        "class names operations that the class inherits.",
        '@operation(kernel="fs/ext4/inode.c:ext4_iomap_begin @5.5-")',
    ),
    "DIO201": Page("no such file", "The path does not exist or cannot be read as UTF-8 text."),
    "DIO202": Page("a directory", "A file is needed here, or the directory holds no model file."),
    "DIO203": Page("unknown parameter", "--param names a parameter that the model class does not declare."),
    "DIO204": Page("parameter value", "--param NAME=VALUE needs a whole number within the declared bounds."),
    "DIO205": Page(
        "unreadable trace", "The file is not a trace of this program, is truncated, or has another version."
    ),
    "DIO206": Page("trace of another model", "The trace was recorded with another model or other parameters."),
    "DIO207": Page(
        "cannot write",
        "A counterexample or report could not be written. The verdict above is complete; the exit code is 2.",
    ),
    "DIO208": Page("no such class", "The file has no model class of that name."),
    "DIO211": Page(
        "unknown setting",
        "A key of the configuration file, or a variable DIO_MC_... of the environment, is not a setting. `dio-mc "
        "config` "
        "lists them. A misspelt limit is an error, since ignoring it would be another check than the one asked for.",
        "[tool.dio-mc]\ntimout = 30        # timeout",
    ),
    "DIO212": Page("wrong value of a setting", "The value does not fit the setting; the message says what would."),
    "DIO213": Page(
        "unreadable configuration",
        "dio-mc.toml or pyproject.toml is no TOML, or both hold settings: keep one of them.",
    ),
    "DIO214": Page(
        "no such revision",
        "--changed-since needs a git repository, and a revision that has a common commit with the work tree. In CI the "
        "history must have been fetched that far.",
    ),
    "DIO215": Page("wrong sweep", "--sweep is NAME=LOW..HIGH or NAME=VALUE,VALUE with whole numbers, at most 1000."),
    "DIO216": Page(
        "nothing to mutate",
        "Every class given violates something as it stands, or says nothing itself that the chosen kinds of mutants "
        "change. Inherited code is mutated with --inherited.",
    ),
    "DIO217": Page(
        "no baseline",
        "The file of --baseline is not a matrix that `dio-mc matrix --format json` wrote, or one of another version.",
    ),
    "DIO218": Page(
        "schedule that cannot be followed",
        "A segment of the schedule cannot be read, names a thread that the model does not have, or asks for a step "
        "that is not possible there: the thread waits, has ended, or has several ways to go on.",
    ),
    "DIO219": Page(
        "nothing to compare",
        "Two matrices, or two rules, have nothing in common that could be compared, so that nothing can be said. Name "
        "a rule and operations that both know.",
    ),
    "DIO221": Page("no folder", "A folder of counterexamples is needed; one trace is shown by `dio-mc show`."),
    "DIO222": Page(
        "port taken", "The port of --port is in use or not permitted. Without --port any free one is taken."
    ),
    "DIO231": Page("no name for a model", "A letter, then letters, digits, underscores: it names a file and a class."),
    "DIO232": Page("file exists", "`dio-mc new` overwrites nothing. Choose another name, or move the file."),
    "DIO233": Page(
        "too many states to draw",
        "A graph of some hundred states is unreadable, and Graphviz needs minutes for it. Bind smaller parameters, or "
        "raise --max-states and take GraphML to a program for large graphs.",
    ),
    "DIO241": Page(
        "cannot be exported",
        "A step does more than a guarded command can say: a loop of local statements whose length depends on the "
        "state, or an index with more than 64 values. Write the loop over a range, or bound the index. Or the start is "
        "what cannot be written down: more than 1,000 initial states, or a thread that fails before its first step. "
        "Or a number may not fit: SPIN and TLC compute with 32 bits, Rumur with 64, and a result that wraps around "
        "there would be another program.",
    ),
    "DIO251": Page(
        "no such thread",
        "--any names threads of the model, parameters that count threads or pages, or `all`. The hint lists what there "
        "is. A parameter counts pages if it is the size of an array; one of these can be named.",
    ),
    "DIO252": Page(
        "computed number",
        "The number of these threads is computed from parameters (`instances=2 * readers`). Any number can be meant of "
        "threads that a plain number or one parameter counts.",
    ),
    "DIO253": Page(
        "thread ids told apart",
        "A proof for any number needs threads that differ in name only: ids may be compared for equality, not ordered "
        "or computed with.",
    ),
    "DIO254": Page(
        "thread numbers told apart",
        "A thread that is given its number may index arrays with it that have an element for each of these threads. "
        "Comparing or computing with it, storing it, or handing it to a completion makes the threads different.",
        "if k == 0: self.leader = True",
    ),
    "DIO255": Page(
        "threads that start differently",
        "Threads of a template must begin alike: the same initial row of every array, no id stored in the initial "
        "state, nothing shared changed before the first step.",
    ),
    "DIO256": Page(
        "thread id in the wrong place",
        "Where a thread's id is kept, a proof for any number knows only whether it is that of the running thread. Ids "
        "may stand in common data (a lock's owner), be set to `me` or None, and be compared with `me` or None.",
        "self.next[me] = self.owner",
    ),
    "DIO257": Page(
        "one thread named",
        "A statement or property names one of the threads any number of which is meant, or two at once. Ask all of "
        "them, with any or all; one question at a time.",
        "wait_until(self.finished_by[threads(self.reader)[0]])",
    ),
    "DIO258": Page(
        "data of another thread",
        "A thread may learn of others by any and all over what they keep with PerThread. It may not write it, read it "
        "at a computed place, ask before its first step, or mix it with other data in one question.",
    ),
    "DIO259": Page(
        "property that views cannot judge",
        "Views are of two threads. A property may speak of at most two threads at once (a step invariant of one beside "
        "that which steps), and not of a thread that stands in a relation to all others; nor be one that only z3 can "
        "say.",
    ),
    "DIO260": Page(
        "different for another number",
        "The program was compared for two numbers of threads, and something besides the ranges of any and all differs.",
    ),
    "DIO261": Page(
        "the number is used",
        "How many threads there are may count instances and size arrays, and bound the range of any and all. A bound, "
        "a sum or a length could tell a large number from a small one.",
        "in_flight = Var(Range(0, readers))",
    ),
    "DIO262": Page(
        "pages told apart",
        "A proof for any number of pages knows of a page only whether it is the tracked one. A loop may go through all "
        "pages, from the first to the last, `choose` may pick one, arrays are indexed with it, and it is handed on to "
        "operations. A page may not be named by its number, compared by size, or computed with.",
        "self.dirty[0] = True",
    ),
    "DIO263": Page(
        "step on two pages",
        "What a step reads of a page other than the tracked one is tried with every value. So each step may be on one "
        "page: an atomic loop over pages, or a store to one page of what another holds, is refused. What is asked of "
        "all pages, with any or all, may stand in a step.",
        "with atomic():\n    self.page[i] = self.page[j]",
    ),
    "DIO264": Page(
        "page in data",
        "Shared data holds the number of a page. In a proof for any number of pages they may stand in locals and "
        "arguments only.",
        "self.last = i",
    ),
    "DIO265": Page(
        "array that is not one per page",
        "An array that is indexed by pages has one element per page, and all pages start alike: not another size, not "
        "two pages at once, not one page that is different.",
        "disk = Array(Data, size=2 * pages)",
    ),
    "DIO266": Page(
        "property of two pages",
        "A proof for any number of pages judges a property on one page, whichever it is. A property may say something "
        "of all pages, one at a time; not of one by its number, and not of two at once.",
        "all(self.dirty[i] == self.dirty[j] for i in range(self.pages) for j in range(self.pages))",
    ),
    "DIO271": Page(
        "no certificate",
        "The file is not a proof that `dio-mc check --any ... --certificate FILE` wrote, or not by this version, or it "
        "is damaged.",
    ),
    "DIO272": Page(
        "certificate of another model",
        "A certificate names a class and the digest of its program. This one belongs to another class, or the model "
        "has changed since: prove it again.",
    ),
    "DIO273": Page(
        "several runs for one certificate",
        "--certificate keeps the proof of one class with one binding of its parameters. Choose it with --model and "
        "--param.",
    ),
    "DIO274": Page(
        "certificate that proves nothing",
        "The views of the certificate are not closed: a start, or a step of the reference interpreter, leads out of "
        "them. It was changed after it was written.",
    ),
    "DIO281": Page(
        "a program is missing",
        "Guests need qemu-system-x86_64, a C compiler with the static C library, and the mkfs of the file system. The "
        "hint names the Debian package that has what is missing.",
    ),
    "DIO282": Page(
        "no such kernel",
        "--kernel takes a vmlinuz for x86-64, a release that is installed, a folder into which the packages of a "
        "kernel were unpacked, or the beginning of a release that tools/kernels has fetched.",
        "dio-mc confirm TRACE.json --kernel 6.12",
    ),
    "DIO283": Page(
        "a module is missing",
        "The kernel has a file system or a virtio driver neither built in nor as a module that can be found near the "
        "image. Debian's cloud kernels have ext4, XFS, btrfs and virtio.",
    ),
    "DIO284": Page(
        "the guest is lost",
        "QEMU has ended, or the guest does not come up, does not answer, or reports a bug of its own (then its words "
        "are shown, and they are a finding). Results of other kernels are kept.",
    ),
    "DIO285": Page(
        "cannot be run on a real kernel",
        "The model has no kernel=Kernel(...) in its expect(...), the binding lacks a thread or a property, a workload "
        "does something that is not a plain list of system calls, or there is no recipe for the file system.",
    ),
    "DIO286": Page(
        "no disk for the guest",
        "The image of a guest's disk cannot be written or its file system cannot be made. It lies in TMPDIR and takes "
        "64 MiB (ext3, ext4) or 320 MiB (XFS, btrfs).",
    ),
    "DIO287": Page(
        "the kernel that runs here cannot be observed",
        "observe --host mounts an image of the file system through a loop device, which takes root, and in a container "
        "permission to do so; and it runs all threads at once, so it wants --stress. A guest needs none of that.",
    ),
    "DIO291": Page(
        "nothing to fix",
        "The class holds as it stands, or the property of --property does. Other parameters may violate it: --param.",
    ),
    "DIO292": Page(
        "a violation that no fix is looked for",
        "A fix restricts or reorders what threads do. That a state is never reached (@reachable) is not mended by "
        "that: what the model says has to change, or what it starts with.",
    ),
    "DIO293": Page("unknown property", "--property names a property of the class, `deadlock`, or a kind of fault."),
    "DIO294": Page(
        "several classes to choose from",
        "`dio-mc fix` works on one class. The file has none that is violated, or several: choose with --model.",
    ),
    "DIO295": Page(
        "a fix cannot be written",
        "A fix is a subclass in a file beside the model, which imports it. The model's file has the name of a module "
        "of Python or one that is not a name, or a class or value of the model has no name at the top of its file.",
    ),
    "DIO296": Page(
        "where a fix cannot be written to",
        "--write takes the name of a new Python file in the folder of the model, which it imports.",
    ),
    "DIO301": Page(
        "several shared variables in one step",
        "One statement is one step, but a CPU would not read or write several shared variables in one go. Split the "
        "statement, or wrap it in `with atomic():` where the kernel holds a lock or uses one instruction.",
    ),
    "DIO302": Page(
        "read-modify-write in one step",
        "`self.x += 1` is one step here; on a CPU it is a read and a write unless it is atomic. Say which you mean.",
    ),
    "DIO310": Page("trivially true", "The invariant holds for every value of its variables. It checks nothing."),
    "DIO311": Page("never true", "The invariant is false for every value of its variables."),
    "DIO312": Page("premise cannot hold", "The premise of an implication is false for every value of its variables."),
    "DIO313": Page(
        "premise never held",
        "No reachable state made the premise of this implication true: the property held vacuously.",
    ),
    "DIO314": Page(
        "decided by the solver alone",
        "The property uses something that only z3 can say, so every distinct valuation costs a solver call.",
    ),
    "DIO320": Page(
        "statement that never ran",
        "The search was complete and no schedule runs this statement. What follows from it was not checked either.",
        "if self.n > 5: self.lost = True        # n never gets there",
    ),
    "DIO321": Page(
        "operation that nothing calls",
        "No thread and no other operation of the class, its bases and its file calls it.",
    ),
    "DIO322": Page(
        "variable that nobody reads",
        "It is written at most. A ghost that no property reads checks nothing; other data that nobody reads is no part "
        "of the rule.",
    ),
    "DIO323": Page(
        "wait that never waits",
        "The condition held in every state in which a thread came to this `wait_until`: without it the model is the "
        "same. Something else already keeps the order, or the case that it was written for is missing.",
    ),
    "DIO324": Page("parameter that nothing uses", "Its value makes no difference to the model."),
    "DIO325": Page(
        "lock that nobody waits for",
        "It was free whenever a thread came to take it, in every reachable state: it excludes nothing. Something else "
        "keeps these threads apart, or the instance is too small for the case it is there for. Whether a lock that is "
        "waited for protects anything is what `dio-mc mutate --kind lock` tells.",
    ),
    "DIO326": Page(
        "daemon that ends",
        "Writeback, reclaim and interrupts go on for ever. A daemon whose code ends does its work once, and what a "
        "second round would break is not seen: write `while True:` around it. Where once is meant, a `return` as the "
        "last statement says so.",
    ),
    "DIO327": Page(
        "threads that can never move again",
        "Some schedule comes to a state from which these threads never take a step again, whatever the others do. It "
        "is not a deadlock, since another thread can always run, one that polls for instance; without that one it "
        "would be. Said of searches that find nothing else, of up to 10,000 states.",
    ),
    "DIO328": Page(
        "property of constants",
        "All that the invariant reads keeps its initial value, so that it says the same of every state. Somebody "
        "should write what it asks about: a read that records what it was given, for instance.",
    ),
    "DIO329": Page(
        "nothing happens",
        "The only states are the first ones: every thread waits from the start, or has nothing to do. All that holds "
        "does so for want of steps.",
    ),
    "DIO330": Page(
        "window of one step",
        "`inside` is true between the first step of a window or operation and its last. This one begins and ends "
        "within one step, where no other thread can run, so the property asks about a state that does not exist. Put "
        "the step before it into the window as well, or ask for data that says so.",
        'with window("direct"):\n    self.disk = Data.NEW                   # one step',
    ),
    "DIO331": Page(
        "index outside of its array in a property",
        "A property has a value in every state, so an index outside of its array reads the last element there; in a "
        "body it would be a fault. Ask for the index first: `self.n < 2 and self.a[self.n]`. Said of all values that "
        "the variables can have, whether or not a run gets there.",
        "return self.a[self.n] == 0             # n goes to 3, a has two elements",
    ),
    "DIO900": Page(
        "internal error",
        "A fault of dio-mc, not of the model: an engine's answer did not replay, or something unforeseen. The exit "
        "code is 4, and other models of the same command keep their verdicts. DIO_MC_DEBUG=1 shows where.",
    ),
}
