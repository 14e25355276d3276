"""Traces of every shape for hypothesis: any names, any values, any number of threads."""

from dataclasses import replace

from hypothesis import strategies as st

from dio_mc.trace.cause import Escape, Wait, Why, Window
from dio_mc.trace.trace import (
    SCHEMA,
    Alternative,
    Cell,
    Change,
    Failing,
    ModelName,
    Place,
    ThreadName,
    Trace,
    TraceFault,
    TraceStep,
    Waiting,
)

PLAIN = st.from_regex(r"[a-z_][a-z0-9_]{0,11}(\[[0-9]\])?", fullmatch=True)
ROUGH = st.one_of(
    PLAIN,
    st.text(max_size=12),
    st.sampled_from(
        ['"', "\\", "a\nb", '"];}', "<b>&amp;</b>", "\\l\\N", "\r\t\x00", "\ud800", "page \u2192 disk", "", "; "]
    ),
)


def places(names: st.SearchStrategy[str]) -> st.SearchStrategy[Place | None]:
    return st.none() | st.builds(Place, names, st.integers(1, 9999))


def choices() -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(st.integers(0, 9), max_size=2).map(tuple)


def faults(names: st.SearchStrategy[str]) -> st.SearchStrategy[TraceFault | None]:
    return st.none() | st.builds(TraceFault, names, names, places(names))


def waits(names: st.SearchStrategy[str], threads: list[str]) -> st.SearchStrategy[tuple[Waiting, ...]]:
    one = st.builds(Waiting, st.sampled_from(threads), names, names, st.booleans(), places(names))
    return st.lists(one, max_size=2).map(tuple)


@st.composite
def statements(draw: st.DrawFn, names: st.SearchStrategy[str], cells: list[Cell]) -> str:
    """Statements, often one that assigns a cell, or several parts."""
    roots = [cell.name.split("[")[0].split(".")[0] for cell in cells] or ["x"]
    one = st.one_of(names, st.builds("self.{} = {}".format, st.sampled_from(roots), names), st.just("self.a.lock()"))
    return "; ".join(draw(st.lists(one, min_size=1, max_size=3)))


@st.composite
def traces(draw: st.DrawFn, names: st.SearchStrategy[str] = ROUGH, most_threads: int = 6, most_steps: int = 8) -> Trace:
    threads = draw(st.lists(names, min_size=1, max_size=most_threads, unique=True))
    cell_names = draw(st.lists(names, max_size=5, unique=True))
    roles = st.sampled_from(["data", "data", "lock", "local", "location"])
    cells = []
    for name in cell_names:
        role = draw(roles)
        thread = draw(st.sampled_from(threads)) if role in ("local", "location") else None
        cells.append(Cell(name, draw(names), role, draw(st.booleans()), draw(st.booleans()), thread))
    values = {cell.name: cell.value for cell in cells}
    count = draw(st.integers(0, most_steps))
    steps = []
    for number in range(1, count + 1):
        fault = draw(faults(names)) if number == count else None
        steps.append(draw(_step(names, number, threads, cells, values, fault)))
    params = draw(st.lists(st.tuples(names, st.integers(-9, 9)), max_size=2))
    made = Trace(
        SCHEMA,
        draw(st.sampled_from(["violation", "witness"])),
        ModelName(draw(names), draw(names), tuple(params), draw(names)),
        draw(names),
        draw(st.sampled_from(["invariant", "step", "reachable", "always_reachable", "progress", "deadlock", "fault"])),
        draw(names),
        draw(places(names)),
        draw(names),
        tuple(ThreadName(name, draw(names), draw(st.booleans())) for name in threads),
        tuple(cells),
        tuple(steps),
        tuple(draw(st.lists(st.builds(Failing, names, names), max_size=2))),
        draw(waits(names, threads)),
        None if steps else draw(faults(names)),
    )
    made = replace(made, loop=draw(st.none() | st.sampled_from(loops))) if (loops := closed_loops(made)) else made
    return replace(made, why=draw(st.none() | whys(made, names))) if steps else made


def closed_loops(trace: Trace) -> list[int]:
    """The steps before which the state equals the last one."""
    states = list(trace.states())
    whole = trace.steps and trace.final_fault is None
    return [n for n in range(1, len(trace.steps) + 1) if states[n - 1] == states[-1]] if whole else []


def whys(trace: Trace, names: st.SearchStrategy[str]) -> st.SearchStrategy[Why]:
    """Causes that refer to steps and cells of the trace."""
    numbers = st.integers(1, len(trace.steps))
    threads = st.sampled_from([thread.name for thread in trace.threads])
    cells = [cell.name for cell in trace.initial]
    waits = (
        st.lists(st.builds(Wait, threads, st.sampled_from(cells), st.none() | numbers), max_size=4)
        if cells
        else st.just([])
    )
    window = st.builds(
        Window, numbers, numbers | st.just(len(trace.steps) + 1), sorted_numbers(numbers), st.integers(1, 9999)
    )
    return st.builds(
        Why,
        sorted_numbers(numbers),
        st.none() | window,
        st.sampled_from(["found", "none", "gave up", "not sought"]),
        st.integers(0, 9999),
        waits.map(tuple),
        st.none() | st.builds(Escape, numbers, threads, names, st.integers(1, 99)),
    )


def sorted_numbers(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[int, ...]]:
    return st.sets(numbers, max_size=5).map(lambda found: tuple(sorted(found)))


@st.composite
def _step(
    draw: st.DrawFn,
    names: st.SearchStrategy[str],
    number: int,
    threads: list[str],
    cells: list[Cell],
    values: dict[str, str],
    fault: TraceFault | None,
) -> TraceStep:
    shared, own = [], []
    for cell in cells if fault is None else []:
        after = draw(names)
        if after != values[cell.name] and draw(st.booleans()):
            change = Change(cell.name, values[cell.name], after, cell.role, cell.ghost)
            (own if cell.thread else shared).append(change)
            values[cell.name] = after
    operations = draw(st.lists(names, max_size=3))
    path = "/".join(["t+1", *(f"{name}+{draw(st.integers(1, 3))}" for name in operations)])
    other = st.builds(Alternative, st.sampled_from(threads), names, choices(), names, st.none() | names)
    return TraceStep(
        number,
        draw(st.sampled_from(threads)),
        draw(st.just(path) | names),
        draw(choices()),
        draw(statements(names, cells)),
        draw(st.none() | st.builds("{}:{}".format, names, names)),
        tuple(operations),
        tuple(draw(names) for _ in operations),
        draw(places(names)),
        tuple(shared),
        tuple(own),
        tuple(draw(st.lists(other, max_size=4))),
        draw(waits(names, threads)),
        fault,
    )
