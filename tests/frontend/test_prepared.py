"""What is prepared for one class and used for another is what that would get by itself."""

from collections.abc import Callable
from typing import Any

import pytest

from dio_mc import Model, Mutex, Param, PerThread, Range, Var, invariant, operation, spawn, thread
from dio_mc.errors import ModelError
from dio_mc.frontend import prepared
from dio_mc.frontend.build import build
from dio_mc.frontend.shelf import Shelf


class Base(Model, abstract=True):
    room = 1
    bound = Param(3)
    number = Var(Range(0, bound))
    seen = PerThread(bool, ghost=True)
    gate = Mutex()

    @operation()
    def work(self):
        self.number = 0

    @operation()
    def other(self):
        self.number = self.room

    @invariant
    def small(self):
        return self.number < 3

    @thread(daemon=True)
    def daemon(self):
        self.number = 2


def plain(self):
    self.number = 1


def begins(self):
    spawn(self.work)


def begins_other(self):
    spawn(self.other)


def locks(self):
    self.gate.lock()
    self.gate.unlock()


def made(*functions: Callable[..., Any], base: type[Model] = Base, **members: Any) -> type[Model]:
    threads = {str(number): thread(function) for number, function in enumerate(functions)}
    return type("Made", (base,), {**threads, **members})


@pytest.fixture
def prepared_for(monkeypatch: pytest.MonkeyPatch) -> list[type]:
    """The classes that were prepared by themselves."""
    found: list[type] = []
    prepare = prepared.prepare

    def noted(model: type, *rest: Any) -> prepared.Prepared:
        found.append(model)
        return prepare(model, *rest)

    monkeypatch.setattr(prepared, "prepare", noted)
    return found


def same(shelf: Shelf, model: type[Model], **options: Any) -> None:
    kept, direct = build(model, **options, like=shelf).program, build(model, **options).program
    assert repr(kept) == repr(direct).replace(f"digest='{direct.digest}'", "digest=''")
    assert kept.root.python_class is model


def test_classes_that_differ_in_the_functions_of_threads(prepared_for: list[type]) -> None:
    shelf = Shelf()
    first, second = made(plain, begins), made(begins, plain)
    for model in (first, second, made(begins, begins), first):
        build(model, like=shelf)
    assert len(prepared_for) == 3  # both threads of the third spawn
    for model in (first, second):
        same(shelf, model)


def test_threads_that_spawn_other_operations() -> None:
    shelf = Shelf()
    for functions in ((plain, begins), (plain, begins_other), (plain, plain), (plain, begins)):
        same(shelf, made(*functions))


def test_a_thread_that_is_called_as_a_method_is() -> None:
    """What `locks` may spawn is looked for by name, so it depends on the thread that is called `lock`."""
    shelf = Shelf()
    for lock, user in ((begins, locks), (plain, locks), (plain, begins)):
        same(shelf, type("Made", (Base,), {"lock": thread(lock), "user": thread(user)}))


def test_other_parameters_and_numbers() -> None:
    shelf = Shelf()
    for options in ({}, {"params": {"bound": 5}}, {"numbers": {"0": 2}}, {"numbers": {"1": 2}}, {}):
        same(shelf, made(plain, plain), **options)


def test_other_values_and_threads() -> None:
    shelf = Shelf()
    same(shelf, made(plain, begins_other))
    same(shelf, made(plain, begins_other, room=2))
    same(shelf, made(plain, begins_other, plain))
    same(shelf, type("Made", (Base,), {"0": thread(plain), "1": thread(daemon=True)(begins_other)}))


@pytest.mark.parametrize("added", [{"daemon": thread(plain)}, {"further": Var(bool)}, {"small": 3}])
def test_what_overrides_or_adds_more_is_prepared_by_itself(added: dict[str, Any]) -> None:
    shelf = Shelf()
    for members in ({}, added, added, {}):
        outcomes = []
        for like in (shelf, None):
            try:
                outcomes.append(repr(build(made(plain, **members), like=like).program.templates))
            except ModelError as error:
                outcomes.append(repr(error.diagnostics))
        assert outcomes[0] == outcomes[1]


def test_a_class_above_that_changes() -> None:
    class Changes(Base, abstract=True):
        pass

    shelf = Shelf()
    same(shelf, made(plain, base=Changes))
    Changes.further = Var(bool)  # type: ignore[attr-defined]
    same(shelf, made(plain, base=Changes))


def test_the_oldest_is_forgotten() -> None:
    shelf = Shelf()
    for room in range(prepared.MOST + 3):
        build(made(plain, room=room), like=shelf)
    assert len(shelf.ready.kept) == prepared.MOST
