"""A program whose threads, and itself, are called something else; what it does is the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar, assert_never

from dio_mc.ir.expr import Arith, AtLocation, Const, Expr, Ite, Load, Local, LocalOf, Me
from dio_mc.ir.ops import Assign, Await, Block, Branch, Check, Choose, Halt, LocalTo, Op, Option, Spawn, StoreTo
from dio_mc.ir.program import Atom, Location, Program, Property, Template
from dio_mc.ir.rebuild import rebuilt
from dio_mc.ir.types import OptionType, ScalarType, ThreadIdType

Typed = TypeVar("Typed", bound=Const | Local | Load | Me | Ite | Arith | LocalOf | LocalTo | StoreTo)


def renamed(program: Program, name: str, threads: Mapping[str, str]) -> Program:
    """The program under another `name`, without a digest. A thread of the name of its template, which has one instance,
    is called as `threads` says; what is not there keeps its name."""
    swap = _Swap(threads, ThreadIdType(tuple(threads.get(t.name, t.name) for t in program.threads)))
    return replace(
        program,
        name=name,
        variables=tuple(replace(v, type=swap.type(v.type)) for v in program.variables),
        templates=tuple(map(swap.template, program.templates)),
        threads=tuple(replace(t, name=threads.get(t.name, t.name)) for t in program.threads),
        properties=tuple(map(swap.property, program.properties)),
        digest="",
    )


def with_name(template: Template, name: str) -> Template:
    """The template of a thread that is called otherwise and does the same."""
    end, *others = template.locations
    moved = (replace(one, name=f"{name}{one.name.removeprefix(template.name)}") for one in others)
    return replace(template, name=name, locations=(end, *moved))


@dataclass(slots=True)
class _Swap:
    """Puts the new names in; an expression that several share is shared afterwards."""

    threads: Mapping[str, str]
    ids: ThreadIdType
    done: dict[int, tuple[Expr, Expr]] = field(default_factory=dict)

    def type(self, type_: ScalarType) -> ScalarType:
        match type_:
            case ThreadIdType():
                return self.ids
            case OptionType(ThreadIdType()):
                return OptionType(self.ids)
            case _:
                return type_

    def template(self, template: Template) -> Template:
        return replace(
            template,
            name=self.threads.get(template.name, template.name),
            locals=tuple(replace(local, type=self.type(local.type)) for local in template.locals),
            blocks=tuple(map(self.block, template.blocks)),
            locations=tuple(self.location(location, template.name) for location in template.locations),
        )

    def location(self, location: Location, template: str) -> Location:
        """Its name begins with that of the thread."""
        rest = location.name.removeprefix(template)
        if template not in self.threads or rest == location.name:
            return location
        return replace(location, name=f"{self.threads[template]}{rest}")

    def block(self, block: Block) -> Block:
        terminator = block.terminator
        if isinstance(terminator, Branch):
            terminator = replace(terminator, condition=self.expr(terminator.condition))
        return replace(block, ops=tuple(map(self.op, block.ops)), terminator=terminator)

    def op(self, op: Op) -> Op:
        match op:
            case Assign(targets, values):
                return replace(op, targets=tuple(map(self.target, targets)), values=tuple(map(self.expr, values)))
            case Await(condition) | Check(condition):
                return replace(op, condition=self.expr(condition))
            case Choose(target, options):
                return replace(op, target=self.target(target), options=tuple(map(self.option, options)))
            case Spawn(_, arguments):
                return replace(op, arguments=tuple(map(self.expr, arguments)))
            case Halt():
                return op
            case _:
                assert_never(op)

    def option(self, option: Option) -> Option:
        return Option(self.expr(option.value), None if option.when is None else self.expr(option.when))

    def target(self, target: LocalTo | StoreTo) -> LocalTo | StoreTo:
        if isinstance(target, StoreTo):
            return self.typed(replace(target, indices=tuple(map(self.expr, target.indices))))
        return self.typed(target)

    def property(self, property_: Property) -> Property:
        atoms = tuple(Atom(atom.text, self.expr(atom.meaning)) for atom in property_.atoms)
        return replace(property_, expr=None if property_.expr is None else self.expr(property_.expr), atoms=atoms)

    def expr(self, expr: Expr) -> Expr:
        found = self.done.get(id(expr))
        if found is not None:
            return found[1]
        match expr:
            case Const() | Local() | Me() | LocalOf():
                made: Expr = self.typed(expr)
            case AtLocation():
                made = expr
            case _:
                made = rebuilt(expr, self.expr)
                if isinstance(made, Load | Ite | Arith):
                    made = self.typed(made)
        self.done[id(expr)] = expr, made
        return made

    def typed(self, one: Typed) -> Typed:
        type_ = self.type(one.type)
        return one if type_ is one.type else replace(one, type=type_)
