"""Traces as JSON: there and back, and what is said of a file that is none."""

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trace_programs import abba, bad_start, misuse, race, trace_of
from trace_strategies import traces

from dio_mc.errors import DioError
from dio_mc.render.dot import render_dot
from dio_mc.render.text import render_text
from dio_mc.trace.codec import TraceFormatError, decode, encode, read_trace
from dio_mc.trace.trace import Trace

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
FAULT = {"kind": "k", "message": "m", "place": None}
TEXT = encode(trace_of(race(), "never_dirty"))


def refusal(text: str | bytes) -> str:
    with pytest.raises(TraceFormatError) as caught:
        decode(text)
    assert isinstance(caught.value, DioError)
    assert caught.value.exit_code == 2
    assert "\n" not in caught.value.message
    return str(caught.value)


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (race, "never_dirty"),
        (race, "no_undo"),
        (abba, "deadlock"),
        (misuse, "lock_misuse@14"),
        (bad_start, "assertion@7"),
    ],
)
def test_there_and_back(program, name):
    trace = trace_of(program(), name)
    assert decode(encode(trace)) == trace


@RELAXED
@given(traces())
def test_there_and_back_for_any_trace(trace):
    assert decode(encode(trace)) == trace
    assert decode(encode(trace).encode()) == trace


def test_a_loop_has_to_close():
    data = json.loads(TEXT)
    data["loop"] = 1
    assert re.search("the loop does not close: .* is .* before it and .* after it", refusal(json.dumps(data)))
    data["loop"] = 99
    assert refusal(json.dumps(data)).endswith("the loop begins at step 99, which it does not have")
    data["loop"] = 0
    assert refusal(json.dumps(data)).endswith("the loop begins at step 0, which it does not have")


def test_form(golden):
    assert TEXT.isascii()
    assert TEXT.endswith("}\n")
    assert list(json.loads(TEXT))[:3] == ["schema", "kind", "model"]
    assert json.dumps(json.loads(TEXT), indent=2) + "\n" == TEXT
    golden("trace/never_dirty.json", TEXT)


def test_truncated_anywhere():
    data = encode(trace_of(bad_start(), "assertion@7")).encode()
    for length in range(len(data) - 1):
        refusal(data[:length])
    assert decode(data[:-1]) == decode(data), "all but the newline at the end is a whole trace"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "not a dio-mc trace: it is empty"),
        (b"\xff\xfe", "not a dio-mc trace: it is not UTF-8 text"),
        ("hello", "not JSON: Expecting value at line 1, column 1"),
        ('{"schema": "dio', "not JSON: Unterminated string starting at line 1, column 12 (is the file cut off?)"),
        ('{"schema": ', "not JSON: Expecting value at line 1, column 12 (is the file cut off?)"),
        ("[]", "not a dio-mc trace: expected an object, found an array"),
        ("{}", "not a dio-mc trace: it has no \"schema\" (expected 'dio-mc/trace/1')"),
        ('{"schema": 1}', "not a dio-mc trace: it has no \"schema\" (expected 'dio-mc/trace/1')"),
        ('{"schema": "itf"}', "not a dio-mc trace: its schema is 'itf' (expected 'dio-mc/trace/1')"),
        (
            '{"schema": "dio-mc/trace/2"}',
            "written in format 'dio-mc/trace/2', this version of dio-mc reads 'dio-mc/trace/1'",
        ),
        ('{"schema": "dio-mc/trace/1"}', "not a dio-mc trace: $: the field 'kind' is missing"),
        ('{"a": 1, "a": 1}', "not a dio-mc trace: the key 'a' occurs twice in one object"),
        ("[NaN]", "not a dio-mc trace: NaN is no JSON value"),
        ("[" * 200_000, "not a dio-mc trace: it is nested too deeply"),
    ],
)
def test_what_is_said_of_other_files(text, sentence):
    assert refusal(text) == sentence


def test_a_number_of_many_digits():
    assert refusal(f'{{"a": {"9" * 5000}}}').startswith("not a dio-mc trace: ")


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (["steps", 3, "changes", 0, "cell"], 7, "$.steps[3].changes[0].cell: expected text, found a number"),
        (["steps", 0, "number"], "1", "$.steps[0].number: expected a whole number, found '1'"),
        (["steps", 0, "number"], True, "$.steps[0].number: expected a whole number, found a truth value"),
        (["steps", 0, "number"], 1.0, "$.steps[0].number: expected a whole number, found a number"),
        (["steps", 0, "choice"], {}, "$.steps[0].choice: expected an array, found an object"),
        (["steps", 0, "place"], [], "$.steps[0].place: expected an object, found an array"),
        (["steps", 0, "text"], None, "$.steps[0].text: expected text, found null"),
        (["initial", 0, "ghost"], "no", "$.initial[0].ghost: expected true or false, found 'no'"),
        (
            ["initial", 0, "role"],
            "page",
            "$.initial[0].role: expected one of data, lock, local, location, found 'page'",
        ),
        (["kind"], "x" * 99, "$.kind: expected one of violation, witness, found a long text"),
        (["model", "params", 0], ["pages"], "$.model.params[0]: expected 2 elements, found 1"),
        (["model", "extra"], 1, "$.model: unknown field 'extra'"),
        (["steps", 1, "number"], 5, "step 2 has the number 5"),
        (["steps", 1, "thread"], "bob", "step 2 is of thread 'bob', which is not in the list of threads"),
        (["steps", 1, "calls"], [], "step 2 has 2 operations and 0 calls"),
        (
            ["steps", 3, "changes", 0, "before"],
            "CLEAN",
            "step 4 changes page[1] from 'CLEAN', but it is 'ABSENT'",
        ),
        (
            ["steps", 0, "fault"],
            {"kind": "k", "message": "m", "place": None},
            "step 1 ends in a fault and is not the last",
        ),
        (["fault"], {"kind": "k", "message": "m", "place": None}, "a fault of the start is followed by steps"),
        (["threads", 0, "name"], "writer", "two threads have the same name"),
        (["initial", 0, "name"], "acked", "two cells have the same name"),
    ],
)
def test_what_is_said_of_a_wrong_field(path, value, sentence):
    document = json.loads(TEXT)
    place = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    assert refusal(json.dumps(document)) == f"not a dio-mc trace: {sentence}"


def test_every_field_is_needed():
    def fields(value: Any, path: tuple[Any, ...] = ()):
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in items:
            if isinstance(value, dict) and path != ():
                yield (*path, key)
            yield from fields(inner, (*path, key))

    for path in fields(json.loads(TEXT)):
        document = json.loads(TEXT)
        place = document
        for part in path[:-1]:
            place = place[part]
        del place[path[-1]]
        assert f"the field {path[-1]!r} is missing" in refusal(json.dumps(document))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**30) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@RELAXED
@given(st.data())
def test_a_document_with_anything_put_anywhere(data):
    """It is refused in a sentence, or it is a trace that can be shown."""
    document = json.loads(TEXT)
    place, key = {"top": document}, "top"
    for _ in range(data.draw(st.integers(1, 6))):
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner:
            break
        place, key = inner, data.draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
    place[key] = data.draw(JSON)
    try:
        trace = decode(json.dumps(document))
    except TraceFormatError:
        return
    assert isinstance(trace, Trace)
    render_text(trace)
    render_dot(trace)


@RELAXED
@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_bytes_are_refused_in_a_sentence(text):
    refusal(text)


def test_reading_a_file_names_it(tmp_path):
    path = tmp_path / "trace.json"
    with pytest.raises(TraceFormatError, match=r"trace\.json: cannot be read: No such file or directory"):
        read_trace(path)
    path.write_text("{")
    with pytest.raises(TraceFormatError, match=r"trace\.json: not JSON: "):
        read_trace(path)
    path.write_text(TEXT)
    assert encode(read_trace(path)) == TEXT
