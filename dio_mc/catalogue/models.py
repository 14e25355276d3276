"""Errors of a model: it cannot be built as it is."""

from __future__ import annotations

from typing import Final

from dio_mc.catalogue.page import Page

PAGES: Final[dict[str, Page]] = {
    "DIO100": Page(
        "syntax error",
        "The file is not valid Python. Nothing was run.",
    ),
    "DIO101": Page(
        "importing the model raised",
        "A model file is imported, so its top level runs. The exception was raised by the file itself, at the line "
        "shown.",
    ),
    "DIO102": Page(
        "unsupported construct",
        "Bodies are compiled, not run, and only the statements and expressions of docs/language.md are supported. "
        "Rewrite it with if, while, for, assignments, and the functions of the language.",
        "try: self.x = 1\nexcept ValueError: ...",
    ),
    "DIO103": Page(
        "wrong type",
        "A value is used with the wrong type: a condition that is not a bool, a comparison of a number with an enum "
        "member, an index that is not a number. Every value has one finite type.",
        "if self.page[0]: ...        # compare it: self.page[0] != Page.ABSENT",
    ),
    "DIO104": Page(
        "unknown name",
        "No variable, parameter, method, enum member, window or Python name with this spelling is visible here. The "
        "hint gives the most similar one.",
        "self.pgae[0]",
    ),
    "DIO105": Page(
        "unbounded value",
        "Every state must be finite. `int` has no bounds, and neither has a local that grows in every iteration of a "
        "loop: annotate its first assignment with a Range. Leaving that range is then a fault of the model.",
        "i = 0\nwhile self.more: i += 1        # i: Range(0, 7) = 0",
    ),
    "DIO106": Page(
        "recursion",
        "Operations are inlined where they are called, so an operation must not call itself without a bound. Use a "
        "loop, or declare how many calls of it one thread may have under way: `@operation(depth=2)`. One declaration "
        "is enough for several that call each other; a call beyond the depth is the fault `recursion`.",
    ),
    "DIO107": Page(
        "no model",
        "The file defines no class that derives from dio_mc.Model (other than abstract ones and imported ones), or "
        "the class has no @thread.",
    ),
    "DIO108": Page(
        "nothing to check",
        "The class has no property and its deadlock check is off. This is an error, never a pass.",
    ),
    "DIO109": Page(
        "wrong declaration",
        "A type, a size, an initial value, a number of instances or slots, or a depth is not valid. Types are bool, an "
        "Enum, Range, ThreadId, `T | None`, a frozen dataclass or a union of them.",
        "x = Var(str)",
    ),
    "DIO110": Page(
        "steps inside an expression",
        "An operation takes steps, and other threads may run between them. Its call must be a statement of its own, "
        "the whole right side of an assignment, or the value of a `return`, so that it stays visible what is atomic.",
        "self.seen = self.read(0) + 1",
    ),
    "DIO111": Page(
        "wrong arguments",
        "A call does not match the parameters of the function or operation that it calls.",
    ),
    "DIO112": Page(
        "history would influence the program",
        "A ghost variable records history for properties. If the program could read it, the model would know more "
        "than the kernel does. Only ghost statements, asserts and properties may read ghost variables.",
    ),
    "DIO113": Page(
        "not allowed in a property, or only there",
        "Properties read shared and ghost variables and ask where threads are (inside, finished, at_rest). A "
        "property consists of assignments that name expressions, and one return. Locals of threads are not visible "
        "in it: record what matters in a ghost variable.",
    ),
    "DIO114": Page(
        "misplaced statement",
        "This function or statement of the language is not allowed here: wait_until and choose are statements of a "
        "body, atomic and window are used in `with`, and break and continue need a loop.",
    ),
    "DIO115": Page(
        "local read before it is assigned",
        "On some path through the body the local has no value here. Python would raise an exception; here it would "
        "silently have a default value.",
    ),
    "DIO116": Page(
        "conflicting types",
        "A local is assigned values of different types, such as a number and an enum member. Use two names.",
    ),
    "DIO117": Page(
        "wrong expectation",
        "An expect(...) statement names something that cannot be checked: an abstract class, or a property that the "
        "class does not have. Or two statements about the same run contradict each other; two bindings are the same "
        "run if they are equal after defaults have been filled in.",
    ),
    "DIO118": Page(
        "source not available",
        "The source of a function cannot be read, for instance because it was typed at a prompt. Define it in a file.",
    ),
    "DIO119": Page(
        "wrong kernel anchor",
        "A kernel anchor is a source file of the kernel and a function in it. If not every version has the function, "
        "the versions follow: one (`@2.6.18`), a range (`@5.15-`, `@-4.2`, `@4.10-6.0`), or `@unmerged` for a "
        "proposal. The `anchors` of a class may name operations that it inherits.",
        '@operation(kernel="fs/ext4/inode.c:ext4_iomap_begin @5.5-")',
    ),
}
