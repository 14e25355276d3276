"""A run without resets of dead locals: diagrams show values that are dead by then."""

from ir_builder import DIGIT, cell, local, own, program, put, straight, variable

from dio_mc.semantics.interpreter import Interpreter
from dio_mc.trace.kept import kept_states


def test_dead_locals_have_their_last_values_and_all_else_is_the_same() -> None:
    dead = {"kills": {3: (0,)}, "locals_": [(DIGIT, 0)]}
    body = straight(put(own(0), 7), put(cell(0), local(0)), put(cell(0), 2), **dead)
    interpreter = Interpreter(program([variable("a")], [body]))
    states = interpreter.initial()
    actions = []
    for _ in range(3):
        (step,) = interpreter.successors(states[-1])
        assert step.state is not None
        states.append(step.state)
        actions.append(step.action)
    slot = interpreter.layout.local_base[0]
    kept = kept_states(interpreter, states, actions)
    assert [state[slot] for state in states] == [0, 7, 0, 0]
    assert [state[slot] for state in kept] == [0, 7, 7, 7]
    assert [state[:slot] for state in kept] == [state[:slot] for state in states]
    assert Interpreter(interpreter.program).successors(states[1])[0].state == states[2]  # that one resets, as before
