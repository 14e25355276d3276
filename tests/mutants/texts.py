"""The breakages. Each is a text of one file of dio_mc that stands there once, and what is put in its place."""

from __future__ import annotations

from dataclasses import dataclass

FULL, REFERENCE, QUICK = "full", "reference", "quick"
"""Campaigns of random programs: explored in full by the reference engine, with its reductions too, in machine code too."""


@dataclass(frozen=True)
class Mutant:
    """A breakage. `by`: what notices, a campaign or files of tests."""

    name: str
    file: str
    old: str
    new: str
    by: str | tuple[str, ...] = FULL

    @property
    def area(self) -> str:
        """The room that it is in."""
        return "/".join(self.file.split("/")[:-1])


FRONTEND = (
    Mutant(
        "windows are never open",
        "frontend/steps.py",
        "Mode.TAIL, opened | pending, frozenset()",
        "Mode.TAIL, opened, frozenset()",
    ),
    Mutant(
        "windows are never left",
        "frontend/steps.py",
        "opened, pending = opened - {found.leave}, pending - {found.leave}",
        "opened, pending = opened, pending",
    ),
    Mutant(
        "history at an entry runs before it",
        "frontend/steps.py",
        "return node.weight is Weight.GHOST and mode is Mode.ENTRY",
        "return False",
    ),
    Mutant(
        "break leaves no window",
        "frontend/loops.py",
        "for region in reversed(frame.windows[loop.windows :]):",
        "for region in reversed(frame.windows[len(frame.windows) :]):",
    ),
    Mutant(
        "return leaves no window",
        "frontend/statements.py",
        "    for region in reversed(frame.windows):",
        "    for region in frame.windows[:0]:",
    ),
    Mutant(
        "continue is break", "frontend/loops.py", "loop.exit if isinstance(node, ast.Break) else loop.head", "loop.exit"
    ),
    Mutant("atomic blocks are not", "frontend/blocks.py", "    frame.inner = True\n", "    frame.inner = False\n"),
    Mutant(
        "atomic operations are not",
        "frontend/inlining.py",
        "inner.inner = inner.inner or atomic",
        "inner.inner = inner.inner",
    ),
    Mutant(
        "what is read is dead",
        "frontend/liveness.py",
        "        live |= _reads(_expressions(op))\n",
        "        live |= frozenset()\n",
    ),
    Mutant(
        "what a branch reads is dead",
        "frontend/liveness.py",
        "        live |= _reads([block.terminator.condition])\n",
        "        live |= frozenset()\n",
    ),
    Mutant(
        "an index is not read",
        "frontend/liveness.py",
        "return [*values, *(i for t in targets if isinstance(t, StoreTo) for i in t.indices)]",
        "return list(values)",
    ),
    Mutant(
        "arguments that are asked for are dead",
        "frontend/liveness.py",
        "found |= watched.get(block.location, frozenset())",
        "found |= frozenset()",
    ),
    Mutant(
        "the interval of a difference is too small",
        "frontend/arithmetic.py",
        "return RangeType(min(corners), max(corners))",
        "return RangeType(min(corners[0], corners[-1]), max(corners[0], corners[-1]))",
    ),
    Mutant(
        "a remainder's interval is one short",
        "frontend/arithmetic.py",
        "return RangeType(0, b.low - 1)",
        "return RangeType(0, max(b.low - 2, 0))",
    ),
    Mutant("a lock may be held at the end", "frontend/templates.py", "    _held_at_exit(frame, tree)\n", ""),
    Mutant(
        "arguments of inside are not asked",
        "frontend/propositions.py",
        "            parts.append(_same(thread, known[name], name, value, texts, after, node, scope))\n",
        "            _same(thread, known[name], name, value, texts, after, node, scope)\n",
    ),
    Mutant(
        "daemons count at rest",
        "frontend/propositions.py",
        "if not _control(scope).templates[t.template].daemon",
        "if True",
    ),
    Mutant(
        "asserts are no steps",
        "frontend/words.py",
        "weight = Weight.STEP if found.shared_reads else",
        "weight = Weight.LOCAL if found.shared_reads else",
    ),
    Mutant("sleeping under a spinlock is fine", "frontend/words.py", "    _check_not_spinning(call, frame)\n", ""),
    Mutant(
        "super is the method itself",
        "frontend/inlining.py",
        "attributes.super_attribute(receiver, frame.scope.owner, call.func, frame.scope)",
        "expressions.reference(ast.Attribute(ast.Name('self', ast.Load()), call.func.attr, ast.Load()), frame.scope)",
        ("tests/frontend/test_cutting.py",),
    ),
)
LOCKS = (
    Mutant(
        "a mutex that was handed over is free",
        "lang/locks.py",
        "wait_until(self.owner is None and not self.handed)",
        "wait_until(self.owner is None)",
    ),
    Mutant(
        "an unlocked mutex is kept",
        "lang/locks.py",
        '        self.owner = None\n\n    @atomic()\n    def hand_over(self) -> None:\n        """',
        '        self.owner = me\n\n    @atomic()\n    def hand_over(self) -> None:\n        """',
    ),
    Mutant(
        "a waiting writer keeps nobody out",
        "lang/locks.py",
        "or self.handed_writer or any(self.waiting)",
        "or self.handed_writer",
    ),
    Mutant(
        "a reader is no reader twice",
        "lang/locks.py",
        "wait_until(not self.read_blocked() and not self.reading[me])",
        "wait_until(not self.read_blocked())",
    ),
    Mutant(
        "a downgraded writer reads nothing",
        "lang/locks.py",
        "        self.writer = None\n        self.reading[me] = True\n",
        "        self.writer = None\n",
    ),
    Mutant(
        "the end of a range is in it",
        "lang/locks.py",
        "wait_until(all(not self.is_locked(i) or not low <= i < high for i in range(self.size)))",
        "wait_until(all(not self.is_locked(i) or not low <= i <= high for i in range(self.size)))",
    ),
    Mutant(
        "a counter is drained at one", "lang/locks.py", "wait_until(self.count == 0)", "wait_until(self.count <= 1)"
    ),
    Mutant(
        "direct users do not wait for buffered ones",
        "lang/two_class.py",
        "return any(self.buffered) or self.handed_buffered > 0 or self.direct[me]",
        "return self.handed_buffered > 0 or self.direct[me]",
    ),
    Mutant(
        "whoever prepares to wait is awake",
        "lang/waiting.py",
        "        self.queued[me] = True\n        self.asleep[me] = True\n",
        "        self.queued[me] = True\n",
    ),
    Mutant(
        "a reader of a sequence counter sees older writers",
        "lang/waiting.py",
        "        wait_until(self.writing is None)\n        self.changed[me] = False\n",
        "        wait_until(self.writing is None)\n",
    ),
    Mutant(
        "a grace period waits for readers that have left",
        "lang/waiting.py",
        "                self.awaited[t][me] = False\n",
        "                pass\n",
    ),
    Mutant(
        "the last reference is dropped unseen",
        "lang/counters.py",
        '        require(self.count > 1, "decremented to zero by dec: nobody frees the object")\n',
        "",
    ),
    Mutant(
        "any number is the expected one",
        "lang/counters.py",
        "        if before == old:\n",
        "        if before >= 0:\n",
    ),
)
INTERPRETER = (
    Mutant(
        "division rounds towards zero",
        "semantics/evaluation.py",
        '"//": operator.floordiv,',
        '"//": lambda a, b: int(a / b),',
    ),
    Mutant(
        "a remainder has the sign of the left",
        "semantics/evaluation.py",
        '"%": operator.mod,',
        '"%": lambda a, b: a - b * int(a / b),',
    ),
    Mutant("at most is less than", "semantics/evaluation.py", '"<=": operator.le,', '"<=": operator.lt,'),
    Mutant(
        "an index outside reads the first element",
        "semantics/evaluation.py",
        "value = extent - 1",
        "value = 0",
        ("tests/semantics",),
    ),
    Mutant(
        "columns come first",
        "semantics/evaluation.py",
        "offset = offset * extent + value\n",
        "offset = offset + extent * value\n",
    ),
    Mutant(
        "an implication without its premise fails",
        "semantics/evaluation.py",
        "if given(cells) else 1",
        "if given(cells) else 0",
        ("tests/semantics",),
    ),
    Mutant(
        "after is before",
        "semantics/evaluation.py",
        "    shift = scope.layout.size if expr.after else 0\n    if isinstance(address, int):",
        "    shift = 0\n    if isinstance(address, int):",
        ("tests/semantics",),
    ),
    Mutant(
        "closed options are taken", "semantics/machine.py", "if when is not None and not when(run.cells):", "if False:"
    ),
    Mutant("who spawns is idle", "semantics/machine.py", "== 0 and thread not in busy:", "== 0:", ("tests/semantics",)),
    Mutant(
        "a spawned thread keeps old locals",
        "semantics/machine.py",
        "        for cell, default in code.clear:\n            run.cells[cell] = default\n",
        "",
        ("tests/semantics",),
    ),
    Mutant(
        "an index is read after the first write",
        "semantics/code.py",
        "        addresses = [place.address(cells) for place in places]\n        for place, cell, value in zip(places, addresses, computed, strict=True):\n            place.write(cells, cell, value)\n",
        "        for place, value in zip(places, computed, strict=True):\n            place.write(cells, place.address(cells), value)\n",
    ),
    Mutant(
        "the last initial value is left out",
        "semantics/interpreter.py",
        "range(low, high + 1) if variable.any_init",
        "range(low, high) if variable.any_init",
    ),
    Mutant(
        "every instance has number 0",
        "semantics/interpreter.py",
        "values.append((thread.number,) if numbered",
        "values.append((0,) if numbered",
    ),
    Mutant(
        "prefixes do not run",
        "semantics/interpreter.py",
        "            if self.program.template_of(thread).spawned:\n                continue\n            further",
        "            if thread or self.program.template_of(thread).spawned:\n                continue\n            further",
    ),
)
REMEMBERING = (
    Mutant(
        "what a step has written itself is asked for",
        "semantics/remembering.py",
        "if isinstance(cell, int) and cell not in self.written:",
        "if isinstance(cell, int):",
        ("tests/semantics/test_remembering.py",),
    ),
    Mutant(
        "what is read last is not asked for",
        "semantics/remembering.py",
        "tuple(watched.read), leaf)",
        "tuple(watched.read)[:-1], leaf)",
        ("tests/semantics/test_remembering.py",),
    ),
    Mutant(
        "what an alternative reads is not noted",
        "semantics/remembering.py",
        "found.read, found.written = self.read, dict(self.written)",
        "found.read, found.written = {}, dict(self.written)",
        ("tests/semantics/test_remembering.py",),
    ),
    Mutant(
        "alternatives write to the same cells",
        "semantics/remembering.py",
        "found.read, found.written = self.read, dict(self.written)",
        "found.read, found.written = self.read, self.written",
        ("tests/semantics/test_remembering.py",),
    ),
    Mutant(
        "what is written as it was is not written",
        "semantics/remembering.py",
        "        self.written[cell] = value\n",
        "        if self[cell] != value:\n            self.written[cell] = value\n",
        ("tests/semantics/test_remembering.py",),
    ),
    Mutant(
        "ways that part are not split",
        "semantics/remembering.py",
        "                node.split(same)\n",
        "                pass\n",
        ("tests/semantics/test_remembering.py",),
    ),
)
SHELF = (
    Mutant(
        "a folder is listed for each of its files",
        "frontend/importing.py",
        "    if root == _last_root:\n        return\n",
        "",
        ("tests/frontend/test_many_files.py",),
    ),
    Mutant(
        "what others give is what one gives",
        "frontend/shelf.py",
        "if key in self.alike.templates or any(spawned[o].parameters != types for o, types in given.items()):",
        "if key in self.alike.templates:",
        ("tests/frontend/test_shelf.py",),
    ),
    Mutant(
        "constants of a class are not looked at",
        "frontend/shelf.py",
        "model.__bases__, plain, tuple",
        "model.__bases__, tuple",
        ("tests/frontend/test_shelf.py",),
    ),
    Mutant(
        "threads are as many as elsewhere",
        "frontend/shelf.py",
        "tuple(context.variables), context.threads,",
        "tuple(context.variables),",
        ("tests/frontend/test_shelf.py",),
    ),
    Mutant(
        "properties about places are the same everywhere",
        "frontend/shelf.py",
        "(isinstance(p, AtLocation) and p.locations != {0})",
        "False",
        ("tests/frontend/test_shelf.py",),
    ),
    Mutant(
        "ids of threads keep their names",
        "ir/renaming.py",
        "            case OptionType(ThreadIdType()):\n                return OptionType(self.ids)\n",
        "",
        ("tests/frontend/test_shelf.py",),
    ),
    Mutant(
        "places keep the names of threads",
        "ir/renaming.py",
        "if template not in self.threads or rest == location.name:",
        "if True:",
        ("tests/frontend/test_shelf.py",),
    ),
)
SEARCH = (
    Mutant(
        "a daemon that waits is a deadlock",
        "engines/reference/watch.py",
        "state[pc] != 0 and not self._daemon[thread]",
        "state[pc] != 0",
    ),
    Mutant(
        "deadlock is always checked",
        "engines/reference/watch.py",
        "if not steps and self._program.check_deadlock and self._unfinished(state):",
        "if not steps and self._unfinished(state):",
    ),
    Mutant(
        "only the first end is kept",
        "engines/reference/watch.py",
        "        if self.goal.length == length:\n",
        "        if self.goal.length == length and not self.goal.ends:\n",
    ),
    Mutant(
        "a step that changes nothing is not judged",
        "engines/reference/watch.py",
        "elif step.state is not None and self._on_edges:",
        "elif step.state not in (None, state) and self._on_edges:",
    ),
    Mutant(
        "a fault is a step nearer",
        "engines/reference/watch.py",
        "self._note_fault(step.fault, End(state, step.action, step.fault), depth + 1)",
        "self._note_fault(step.fault, End(state, step.action, step.fault), depth)",
    ),
    Mutant(
        "a witness is a violation",
        "engines/reference/watch.py",
        'return Decision.HOLDS if kind == "reachable" else Decision.VIOLATED',
        "return Decision.VIOLATED",
    ),
    Mutant(
        "only steps that are taken are watched",
        "engines/reference/search.py",
        "        self._watcher.expanded(state, steps, depth)\n",
        "        steps = steps if self._selection is None else self._selection.of(state, steps)\n        self._watcher.expanded(state, steps, depth)\n",
        ("tests/analysis", "tests/engines/reference"),
    ),
    Mutant(
        "the last state is not expanded",
        "engines/reference/search.py",
        "for state in self.levels[depth]:",
        "for state in self.levels[depth][:-1] or self.levels[depth]:",
    ),
    Mutant("weak fairness is strong", "engines/reference/fairness.py", 'and_ if fairness == "weak" else or_', "or_"),
    Mutant("strong fairness is weak", "engines/reference/fairness.py", 'and_ if fairness == "weak" else or_', "and_"),
    Mutant(
        "nobody is owed a turn",
        "engines/reference/fairness.py",
        "kept_out = _enabled(graph, component, fairness) & ~moving",
        "kept_out = 0",
    ),
    Mutant(
        "what is left is not looked at again",
        "engines/reference/fairness.py",
        'elif fairness == "strong":',
        "elif False:",
    ),
    Mutant(
        "a loop may owe a turn",
        "engines/reference/fairness.py",
        "return bool(begun) and not owed and tuple(here) == self._entry",
        "return bool(begun) and tuple(here) == self._entry",
    ),
    Mutant(
        "who cannot run is owed a turn",
        "engines/reference/fairness.py",
        "return owed & there & ~(1 << thread), 0",
        "return owed & ~(1 << thread), 0",
    ),
    Mutant(
        "components run together",
        "engines/reference/components.py",
        "            elif after in self._stacked:\n",
        "            else:\n",
    ),
    Mutant(
        "a run that ends makes progress",
        "engines/reference/liveness.py",
        "    staying.update(state for state in region if not graph.steps[state])\n",
        "",
    ),
    Mutant(
        "only goals lead to goals",
        "engines/reference/components.py",
        "                if state not in found:\n                    found.add(state)\n                    waiting.append(state)\n        return found",
        "                if state not in found:\n                    found.add(state)\n        return found",
    ),
)
CANONICAL = (
    Mutant(
        "the first step is a switch",
        "engines/reference/canonical.py",
        "switched = last not in (-1, thread)\n",
        "switched = last != thread\n",
    ),
    Mutant(
        "switches to come are not counted",
        "engines/reference/canonical.py",
        "return self.switches + (not self.threads >> thread & 1)",
        "return self.switches",
    ),
    Mutant(
        "every start is the best",
        "engines/reference/canonical.py",
        "if first.begins(one[1]) == left)",
        "if first.begins(one[1]) is not None)",
    ),
    Mutant(
        "every thread goes on as well",
        "engines/reference/canonical.py",
        "return Rest(least, sum(1 << thread for thread, switches in best.items() if switches == least))",
        "return Rest(least, -1)",
    ),
    Mutant(
        "the first way on is the best",
        "engines/reference/canonical.py",
        "best[thread] = min(best.get(thread, switches), switches)",
        "best.setdefault(thread, switches)",
    ),
    Mutant(
        "any way on will do",
        "engines/reference/canonical.py",
        "if to_come is not None and switched + to_come == left:",
        "if to_come is not None:",
    ),
    Mutant(
        "the last edge comes first",
        "engines/reference/canonical.py",
        "key=lambda edge: edge.action\n",
        "key=lambda edge: -edge.action.thread\n",
        ("tests/engines/reference/test_canonical.py",),
    ),
    Mutant(
        "a representative's thread keeps its name",
        "engines/reference/canonical.py",
        "threads[thread] if threads is not None else thread",
        "thread",
        REFERENCE,
    ),
    Mutant(
        "a thread keeps its representative's name",
        "engines/reference/canonical.py",
        "there = thread if threads is None else threads[thread]",
        "there = thread",
        REFERENCE,
    ),
)
PATHS = ("tests/engines/native/test_paths.py", "tests/engines/test_not_canonical.py")
COMPILED_CANONICAL = (
    Mutant(
        "compiled switches to come are not counted",
        "engines/native/back.py",
        'asm.do(f"ret i64 {asm.sub(asm.add(switches, 1), same)}")',
        'asm.do(f"ret i64 {asm.sub(asm.add(switches, 1), 1)}")',
        QUICK,
    ),
    Mutant(
        "every compiled thread goes on as well",
        "engines/native/back.py",
        'least = asm.compare("eq", switches, asm.load(best))',
        'least = asm.compare("sge", switches, 0)',
        QUICK,
    ),
    Mutant(
        "a compiled best way keeps the threads of the one before",
        "engines/native/back.py",
        '            asm.store(0, asm.op(f"getelementptr i64, ptr {threads}, i64 {number}"))\n',
        "            pass\n",
        PATHS,
    ),
    Mutant(
        "a compiled thread keeps its name in a representative",
        "engines/native/back.py",
        "[ {there}, %{reduced} ]",
        "[ {thread}, %{reduced} ]",
        PATHS,
    ),
    Mutant(
        "the bits of all threads are in one word",
        "engines/native/back.py",
        "i64 {asm.shift_right(thread, 6)}",
        "i64 0",
        PATHS,
    ),
    Mutant(
        "threads beyond a word make no edge",
        "engines/native/counterexample.py",
        "part[masks + (action.thread >> 6)]",
        "part[masks]",
        PATHS,
    ),
    Mutant(
        "the first thread begins",
        "engines/native/records.py",
        "return first if first is None else min(first, *(self._left(state, thread) for thread in threads))",
        "return first",
        PATHS,
    ),
    Mutant(
        "some shortest path is called canonical",
        "engines/shaping.py",
        "canonical=not reached.narrow",
        "canonical=True",
        PATHS,
    ),
)
KEPT = (
    Mutant(
        "the second search stops a level before deadlocks",
        "engines/choose.py",
        'len(v.schedule) + (v.property == "deadlock") for v in new',
        "len(v.schedule) for v in new",
        ("tests/analysis/partial_order/test_partial_order_search.py",),
    ),
    Mutant(
        "what another search found may be lost",
        "engines/kept.py",
        "        if lost:\n",
        "        if not there:\n",
        ("tests/analysis/partial_order/test_partial_order_search.py",),
    ),
    Mutant(
        "only the deciding search's violations are told",
        "engines/kept.py",
        "        self.note(found)\n        if found.stopped is None:",
        "        self._best.clear()\n        self.note(found)\n        if found.stopped is None:",
        ("tests/analysis/partial_order/test_partial_order_search.py",),
    ),
    Mutant(
        "what is asked about takes a step to enter",
        "frontend/steps.py",
        "(mode is Mode.LEAD or not found.enter.window)",
        "mode is Mode.LEAD",
    ),
)
SYMMETRY = (
    Mutant(
        "statements are not proved",
        "analysis/symmetry/automorphism.py",
        "            if exchange.op(template, op) != form:\n",
        "            if False:\n",
        REFERENCE,
    ),
    Mutant(
        "conditions and properties are not proved",
        "analysis/symmetry/automorphism.py",
        "            if exchange.expr(body, condition, None) != form:\n",
        "            if False:\n",
        REFERENCE,
    ),
    Mutant(
        "initial values are not proved",
        "analysis/symmetry/automorphism.py",
        "            if _initial(exchange, number, variable) != variable.init:\n",
        "            if False:\n",
        ("tests/analysis/symmetry",),
    ),
    Mutant(
        "seen defaults are not proved",
        "analysis/symmetry/automorphism.py",
        "            if exchange.value(one.slot, one.value) != one.value:\n",
        "            if False:\n",
        ("tests/analysis/symmetry",),
    ),
    Mutant(
        "places of threads are not exchanged",
        "analysis/symmetry/exchange.py",
        'return "at", self._threads.get(thread, thread), tuple(sorted(locations)), after',
        'return "at", thread, tuple(sorted(locations)), after',
        ("tests/fuzz/test_programs.py::test_threads_that_are_asked_about_by_place_are_still_alike",),
    ),
    Mutant(
        "numbers of constants are not exchanged",
        "analysis/symmetry/exchange.py",
        'return "const", self.value(slot, value)',
        'return "const", value',
        ("tests/analysis/symmetry",),
    ),
    Mutant(
        "a fault's line does not tell threads apart",
        "analysis/symmetry/exchange.py",
        'return "check", kind, self.expr(template, condition, None)',
        'return "check", kind',
        REFERENCE,
    ),
    Mutant(
        "locations are no part of a key",
        "analysis/symmetry/representatives.py",
        "            values.append(state[self._layout.pc[thread]])\n",
        "",
        REFERENCE,
    ),
    Mutant(
        "names are no part of a key",
        "analysis/symmetry/representatives.py",
        "        values += [meant.index(state[cell]) + 1 if state[cell] in meant else 0 for cell, meant in key.names]\n",
        "",
        REFERENCE,
    ),
    Mutant(
        "spawned instances are exchanged",
        "analysis/symmetry/proof.py",
        "            if template.spawned:\n                return Break",
        "            if False:\n                return Break",
        ("tests/analysis/symmetry/test_symmetry.py",),
    ),
)
ORDER = (
    Mutant(
        "writes are not seen",
        "analysis/partial_order/visibility.py",
        "if step.writes & self.cells or any(",
        "if any(",
        REFERENCE,
    ),
    Mutant(
        "control is not seen",
        "analysis/partial_order/visibility.py",
        "return any(view(config) != view(after) for view in self._views[thread] for after in step.after)",
        "return False",
        REFERENCE,
    ),
    Mutant(
        "no cycle condition",
        "analysis/partial_order/persistent.py",
        "held = seen | find_anchors(footprints, seen, _busy(touched))",
        "held = seen",
        REFERENCE,
    ),
    Mutant(
        "no visibility condition",
        "analysis/partial_order/persistent.py",
        "held = seen | find_anchors(footprints, seen, _busy(touched))",
        "held = find_anchors(footprints, seen, _busy(touched))",
        REFERENCE,
    ),
    Mutant(
        "who reads is left out",
        "analysis/partial_order/persistent.py",
        "return bool(self.writes & other.future or self.reads & other.future_writes)",
        "return bool(self.writes & other.future_writes)",
        REFERENCE,
    ),
    Mutant(
        "who is read from is left out",
        "analysis/partial_order/persistent.py",
        "return bool(self.writes & other.future or self.reads & other.future_writes)",
        "return bool(self.writes & other.future)",
        REFERENCE,
    ),
    Mutant(
        "held steps are taken alone",
        "analysis/partial_order/persistent.py",
        "        if there[member].held and counts[member]:\n",
        "        if False:\n",
        REFERENCE,
    ),
    Mutant(
        "one meeting is enough",
        "analysis/partial_order/persistent.py",
        "        chosen.update(meeting)\n        waiting += meeting\n",
        "        chosen.update(meeting)\n",
        REFERENCE,
    ),
    Mutant(
        "steps have properties like states",
        "analysis/partial_order/persistent.py",
        '        if kind == "step":\n',
        "        if False:\n",
        REFERENCE,
    ),
    Mutant(
        "futures are the next step",
        "analysis/partial_order/footprints.py",
        "parts += [futures[thread][after] for after in found.after if after[0]]",
        "parts += []",
        REFERENCE,
    ),
    Mutant(
        "spawned threads touch nothing",
        "analysis/partial_order/footprints.py",
        "parts += [lives[one] for one in instances(program, found.spawns)] if found.spawns else []",
        "parts += []",
        ("tests/analysis/partial_order/test_footprints.py",),
    ),
    Mutant(
        "spawning is no anchor",
        "analysis/partial_order/proviso.py",
        "        if template.spawned:\n",
        "        if False:\n",
        ("tests/analysis/partial_order/test_persistent.py",),
    ),
    Mutant(
        "a condition reads nothing",
        "analysis/partial_order/footprints.py",
        "step.reads | bits(bits_of[test] for test in step.tests)",
        "step.reads",
        ("tests/analysis/partial_order/test_footprints.py",),
    ),
    Mutant(
        "a test is never decided",
        "analysis/partial_order/footprints.py",
        "step.slots | bits(one.cell for one in step.written) | bits(decided)",
        "step.slots | bits(one.cell for one in step.written)",
        ("tests/analysis/partial_order/test_footprints.py",),
    ),
)
NATIVE = (
    Mutant(
        "compiled division rounds towards zero",
        "engines/native/formulas.py",
        "return asm.sub(quotient, asm.widen(wrong))",
        "return quotient",
        QUICK,
    ),
    Mutant(
        "a compiled remainder has the sign of the left",
        "engines/native/formulas.py",
        "return asm.add(rest, asm.select(wrong, second, 0))",
        "return rest",
        QUICK,
    ),
    Mutant(
        "a compiled index outside reads the first",
        "engines/native/formulas.py",
        "value = asm.select(fits, value, extent - 1)",
        "value = asm.select(fits, value, 0)",
        QUICK,
    ),
    Mutant(
        "a compiled condition evaluates everything",
        "engines/native/formulas.py",
        "if isinstance(found, str) and not self._faultless(operand):",
        "if False:",
        QUICK,
    ),
    Mutant(
        "a compiled daemon deadlocks",
        "engines/native/succ.py",
        "                if not self.program.template_of(thread).daemon:\n",
        "                if True:\n",
        QUICK,
    ),
    Mutant(
        "a compiled fault is a deadlock",
        "engines/native/succ.py",
        '            self._mark("%flags", flag)\n            self.asm.store(1, self._any)\n',
        '            self._mark("%flags", flag)\n',
        QUICK,
    ),
    Mutant(
        "compiled options see each other's writes",
        "engines/native/succ.py",
        "        slots = [*self.slots, self._spins, *self._unknown(cursor)]\n",
        "        slots = [self._spins, *self._unknown(cursor)]\n",
        QUICK,
    ),
    Mutant(
        "compiled locals never die",
        "engines/native/succ.py",
        "        for dead in place.kills:\n            known[dead] =",
        "        for dead in place.kills[:0]:\n            known[dead] =",
        QUICK,
    ),
    Mutant(
        "a compiled store is not checked from above",
        "engines/native/succ.py",
        'formula.require(self.asm.both(above, below), "range", span)',
        'formula.require(above, "range", span)',
        QUICK,
    ),
    Mutant(
        "compiled stores follow one another",
        "engines/native/succ.py",
        "        offsets = [formula.offset(t.variable, t.indices, t.span) if isinstance(t, StoreTo) else 0 for t in op.targets]\n        possible = [self.evaluator.values(v, formula.scope.values, cursor.thread) for v in op.values]\n        for target, offset, value, values_ in zip(op.targets, offsets, values, possible, strict=True):\n",
        "        possible = [self.evaluator.values(v, formula.scope.values, cursor.thread) for v in op.values]\n        for target, value, values_ in zip(op.targets, values, possible, strict=True):\n            offset = formula.offset(target.variable, target.indices, target.span) if isinstance(target, StoreTo) else 0\n",
        QUICK,
    ),
    Mutant(
        "compiled sets meet who writes alone",
        "engines/native/selection.py",
        'read = asm.bits("and", said[one][0], said[other][3])',
        "read: Ref = 0",
        QUICK,
    ),
    Mutant(
        "compiled sets are not closed",
        "engines/native/selection.py",
        "                if one != middle:\n",
        "                if False:\n",
        QUICK,
    ),
    Mutant(
        "compiled sets take what is held",
        "engines/native/selection.py",
        'allowed = asm.both(moving[seed], asm.compare("eq", asm.bits("and", closed[seed], never), 0))',
        "allowed = moving[seed]",
        QUICK,
    ),
    Mutant(
        "states are told apart by one word",
        "engines/native/probing.py",
        "        for number in range(1, self._code.words):\n            word = asm.load",
        "        for number in range(1, 1):\n            word = asm.load",
        QUICK,
    ),
    Mutant(
        "a claimed place is written by two",
        "engines/native/probing.py",
        '        asm.branch(asm.op(f"extractvalue {{ i64, i1 }} {pair}, 1"), "claimed", "again")\n',
        '        asm.branch(asm.op(f"extractvalue {{ i64, i1 }} {pair}, 1"), "claimed", "claimed")\n',
        ("tests/engines/native/test_workers.py",),
    ),
    Mutant(
        "a place that is being written is free",
        "engines/native/probing.py",
        '        taken = "taken" if shared and self._code.words > 1 else "next"\n',
        '        taken = "next"\n',
        ("tests/engines/native/test_workers.py",),
    ),
    Mutant(
        "a shared field is not a remainder",
        "engines/native/fields.py",
        'return found if field.last else asm.op(f"urem i64 {found}, {field.radix}")',
        "return found",
        QUICK,
    ),
    Mutant(
        "a field is a bit too narrow",
        "engines/native/packing.py",
        "return (prod(wish.radix for wish in group) - 1).bit_length()",
        "return max((prod(wish.radix for wish in group) - 1).bit_length() - 1, 1)",
        QUICK,
    ),
)
CHECKPOINTS = (
    Mutant(
        "a checksum is not compared",
        "engines/checkpoints/frame.py",
        "        if self.digest != self._map[size - _DIGEST :]:\n",
        "        if False:\n",
        ("tests/engines/checkpoints/test_native_checkpoints.py::test_damaged_files_are_refused",),
    ),
    Mutant(
        "a head is not compared",
        "engines/checkpoints/store.py",
        "            if head.get(key) != self._identity.get(key):\n",
        "            if False:\n",
        ("tests/engines/checkpoints/test_native_checkpoints.py::test_a_search_of_another_kind_is_refused",),
    ),
    Mutant(
        "a frame of another checkpoint is taken",
        "engines/checkpoints/store.py",
        '            if frame.about.get("after") != last:\n',
        "            if False:\n",
        ("tests/engines/checkpoints/test_native_checkpoints.py::test_a_file_that_is_gone_or_another_is_refused",),
    ),
    Mutant(
        "two processes write to one folder",
        "engines/checkpoints/place.py",
        "                if fcntl is not None:\n",
        "                if False:\n",
        ("tests/engines/checkpoints/test_native_checkpoints.py::test_two_processes_do_not_share_a_folder",),
    ),
    Mutant(
        "a checkpoint in the way is overwritten",
        "engines/checkpoints/store.py",
        "            if self.asked.folder is not None:\n                raise in_the_way(place)\n",
        "            pass\n",
        ("tests/engines/checkpoints/test_native_checkpoints.py::test_a_checkpoint_in_the_way_is_left_alone",),
    ),
    Mutant(
        "a full disk ends the search",
        "engines/checkpoints/store.py",
        "            self._store.give_up(error)\n            return False\n",
        "            raise\n",
        ("tests/engines/checkpoints/test_native_checkpoints.py::test_a_disk_that_is_full_ends_checkpoints_alone",),
    ),
    Mutant(
        "transitions are counted from the resumption",
        "engines/native/saving.py",
        '            found.workers[0].set(transitions=int(about["transitions"]))\n',
        "            pass\n",
        ("tests/engines/checkpoints/test_native_checkpoints.py::test_stopped_amid_a_level_and_again",),
    ),
    Mutant(
        "coverage begins at the resumption",
        "engines/native/saving.py",
        '        ctypes.memmove(found.workers[0].get("seen"), marks, len(marks))\n',
        "        pass\n",
        ("tests/engines/checkpoints/test_native_checkpoints.py::test_stopped_amid_a_level_and_again",),
    ),
    Mutant(
        "what was seen first is seen again",
        "engines/native/saving.py",
        "                valuations.recall(decode(words), decode(after) if valuations.stepwise else None)\n",
        "                pass\n",
        ("tests/engines/checkpoints/test_native_checkpoints.py::test_stopped_amid_a_level_and_again",),
    ),
    Mutant(
        "levels are forgotten before they are written",
        "engines/native/saving.py",
        "        return min(depth + 1, self.levels) if self.is_on else depth + 1\n",
        "        return depth + 1\n",
        ("tests/engines/checkpoints/test_native_checkpoints.py::test_no_level_is_forgotten_before_it_is_written",),
    ),
    Mutant(
        "what is forgotten is not taken from the table",
        "engines/native/saving.py",
        "        gathered = found.kept if found.kept > self.levels else 0\n",
        "        gathered = 0\n",
        ("tests/engines/checkpoints/test_native_checkpoints.py::test_the_first_minute_is_taken_from_the_table",),
    ),
    Mutant(
        "what was noticed amid a level is written",
        "engines/native/saving.py",
        "        return Mark(depth, len(self._news), about)\n",
        "        return Mark(depth, len(self._news) - 1, about)\n",
        ("tests/engines/checkpoints/test_native_checkpoints.py::test_stopped_amid_a_level_and_again",),
    ),
    Mutant(
        "faults are no part of a checkpoint",
        "engines/reference/saving.py",
        "            if any(step.state is None for step in steps):\n                words.append(AGAIN)\n            else:\n",
        "            steps = [step for step in steps if step.state is not None]\n            if True:\n",
        ("tests/engines/checkpoints/test_reference_checkpoints.py::test_ended_again_and_again",),
    ),
    Mutant(
        "steps that are read are not compared with the search",
        "engines/reference/saving.py",
        "        if state != known:\n",
        "        if False:\n",
        ("tests/engines/checkpoints/test_reference_checkpoints.py::test_steps_of_another_search_are_refused",),
    ),
)
JUDGE = (
    Mutant(
        "a property's index outside reads the first element",
        "symbolic/compiled.py",
        "else elements[-1]",
        "else elements[0]",
    ),
    Mutant(
        "a premise that is false fails",
        "symbolic/compiled.py",
        'return f"(not {args[0]} or {args[1]})"',
        'return f"({args[0]} and {args[1]})"',
    ),
    Mutant(
        "what is read of a step is read before it",
        "engines/reference/watch.py",
        "[one.cell + size if one.after else one.cell for one in seen if one.cell is not None]",
        "[one.cell for one in seen if one.cell is not None]",
    ),
    Mutant(
        "one valuation decides for all",
        "engines/reference/watch.py",
        "            self._decided[valuation] = decision\n",
        "            self._decided[valuation] = decisions[0]\n",
    ),
    Mutant(
        "unknown is fine",
        "engines/reference/watch.py",
        "            self.unknown |= decision is Decision.UNKNOWN\n",
        "",
        ("tests/engines/reference/test_properties.py",),
    ),
    Mutant(
        "the two translations are not compared",
        "symbolic/crosscheck.py",
        "if known_truth(z3.substitute(subject.formula, *pairs)) is not bool(subject.compiled(valuation)):",
        "if False:",
        ("tests/symbolic",),
    ),
)
TOLD = (
    Mutant(
        "a request that was refused is under way",
        "kernel/register.py",
        "            if number(self.calls[me].of[REQUEST].writes) == v\n",
        "            if number(self.calls[me].of[REQUEST].writes) == v + 6\n",
        ("tests/kernel/test_register.py::test_all_histories_of_three_requests",),
    ),
    Mutant(
        "a diagram does not know a thread's own stores",
        "render/values.py",
        "(stores := own_stores(state, where.thread))",
        "(stores := own_stores({}, where.thread))",
        ("tests/render_formats/test_names_in_texts.py",),
    ),
    Mutant(
        "a conditional has no premise",
        "symbolic/disjunctions.py",
        "            if orelse == TRUE or then == TRUE:\n",
        "            if False:\n",
        ("tests/symbolic/test_disjunctions.py",),
    ),
)
MUTANTS = (
    *FRONTEND,
    *LOCKS,
    *INTERPRETER,
    *REMEMBERING,
    *SHELF,
    *SEARCH,
    *CANONICAL,
    *COMPILED_CANONICAL,
    *KEPT,
    *SYMMETRY,
    *ORDER,
    *NATIVE,
    *CHECKPOINTS,
    *JUDGE,
    *TOLD,
)

OPEN = frozenset[str]()
"""Those that nobody has been seen to notice yet: not run, or not to the end of a campaign."""
