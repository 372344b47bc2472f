"""The right answer as a graph of small steps: one of them can be changed, and the rest computed again.

A reference is a plain Python function of assignments and a return. Its syntax tree is read once; each expression is a
step, whose parts are earlier steps.
"""

import ast
import builtins
import inspect
import operator
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
}
COMPARED = {ast.Gt: operator.gt, ast.Lt: operator.lt, ast.GtE: operator.ge, ast.LtE: operator.le, ast.Eq: operator.eq}
UNARY = {ast.USub: operator.neg, ast.Invert: operator.invert}


@dataclass(frozen=True)
class Step:
    """One expression of the reference: what it computes of its parts' values, and how it is written."""

    compute: Callable[..., object]
    parts: tuple[int, ...]
    source: ast.expr
    method: str = ""  # the function's or method's name, where it is a call


Changes = Mapping[int, Callable[[list, tuple], object]]  # of a step: what stands in its place, of values and arguments


class Formula:
    """A function as steps. inputs: the numbers of the steps that are its arguments, by their names."""

    def __init__(self, function: Callable) -> None:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        self.world = {**vars(builtins), **inspect.unwrap(function).__globals__}
        self.steps: list[Step] = []
        self.names: dict[str, int] = {}
        for argument in tree.args.args:
            self.names[argument.arg] = self._add(lambda: None, (), ast.Name(argument.arg))
        self.inputs = dict(self.names)
        for statement in tree.body:
            if isinstance(statement, ast.Assign):
                self.names[statement.targets[0].id] = self._read(statement.value)
            elif isinstance(statement, ast.Return):
                self.root = self._read(statement.value)
        self.local = {i: name for name, i in self.names.items() if name not in self.inputs}
        self.later = [self._that_follow(i) for i in range(len(self.steps))]

    def values(self, arguments: tuple, changes: Changes | None = None, base: list | None = None) -> list:
        """The values of all steps; changes: steps that are something else; base: values without changes, to start."""
        changes = changes or {}
        values = list(base or [*arguments, *[None] * (len(self.steps) - len(arguments))])
        anew = range(len(self.steps)) if base is None else sorted(set().union(*(self.later[i] for i in changes)))
        for i in anew:
            if i in changes:
                values[i] = changes[i](values, arguments)
            elif i >= len(arguments):
                values[i] = self.steps[i].compute(*[values[p] for p in self.steps[i].parts])
        return values

    def _that_follow(self, i: int) -> set[int]:
        """Step i and those that need it."""
        found = {i}
        for k in range(i + 1, len(self.steps)):
            if not found.isdisjoint(self.steps[k].parts):
                found.add(k)
        return found

    def parents(self, i: int) -> list[int]:
        """The steps of which step i is a part."""
        return [k for k, step in enumerate(self.steps) if i in step.parts]

    def _add(self, compute: Callable, parts: tuple[int, ...], source: ast.expr, method: str = "") -> int:
        self.steps.append(Step(compute, parts, source, method))
        return len(self.steps) - 1

    def _read(self, node: ast.expr) -> int:
        reader = getattr(self, f"_read_{type(node).__name__.lower()}", None)
        if reader is None:
            raise ValueError(f"A reference can't hold {ast.unparse(node)}.")
        return reader(node)

    def _read_constant(self, node: ast.Constant) -> int:
        return self._add(lambda: node.value, (), node)

    def _read_name(self, node: ast.Name) -> int:
        if node.id in self.names:
            return self.names[node.id]
        value = self.world[node.id]
        return self._add(lambda: value, (), node)

    def _read_binop(self, node: ast.BinOp) -> int:
        return self._add(BINARY[type(node.op)], (self._read(node.left), self._read(node.right)), node)

    def _read_unaryop(self, node: ast.UnaryOp) -> int:
        return self._add(UNARY[type(node.op)], (self._read(node.operand),), node)

    def _read_compare(self, node: ast.Compare) -> int:
        parts = (self._read(node.left), self._read(node.comparators[0]))
        return self._add(COMPARED[type(node.ops[0])], parts, node)

    def _read_ifexp(self, node: ast.IfExp) -> int:
        parts = tuple(self._read(n) for n in (node.test, node.body, node.orelse))
        return self._add(lambda test, body, orelse: body if test else orelse, parts, node)

    def _read_list(self, node: ast.List | ast.Tuple) -> int:
        return self._add(lambda *items: type_of(node)(items), tuple(self._read(n) for n in node.elts), node)

    _read_tuple = _read_list

    def _read_subscript(self, node: ast.Subscript) -> int:
        if any(isinstance(n, ast.Slice) for n in ast.walk(node.slice)):
            index = eval(ast.unparse(ast.Subscript(ast.Name("s_"), node.slice)), {"s_": np.s_})
            return self._add(lambda value: value[index], (self._read(node.value),), node)
        return self._add(operator.getitem, (self._read(node.value), self._read(node.slice)), node)

    def _read_attribute(self, node: ast.Attribute) -> int:
        if self._is_outside(node):
            value = eval(ast.unparse(node), self.world)
            return self._add(lambda: value, (), node)
        return self._add(operator.attrgetter(node.attr), (self._read(node.value),), node, node.attr)

    def _read_call(self, node: ast.Call) -> int:
        """A call of a method, of a function from outside, or of an argument that is a function."""
        keys = [k.arg for k in node.keywords]
        given = [*node.args, *(k.value for k in node.keywords)]
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        if isinstance(node.func, ast.Attribute) and not self._is_outside(node.func):
            first, call = self._read(node.func.value), lambda own, *a, **k: getattr(own, method)(*a, **k)
        else:
            first, call = self._read(node.func), lambda function, *a, **k: function(*a, **k)
        n = 1 + len(node.args)

        def compute(*values: object) -> object:
            """Call with the parts' values."""
            return call(*values[:n], **dict(zip(keys, values[n:], strict=True)))

        return self._add(compute, (first, *(self._read(g) for g in given)), node, method)

    def _is_outside(self, node: ast.expr) -> bool:
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id not in self.names and node.id in self.world


def type_of(node: ast.List | ast.Tuple) -> type:
    """list or tuple."""
    return list if isinstance(node, ast.List) else tuple


def as_result(value: object) -> Float64[Tensor, "..."]:
    """A value of a formula as a tensor in double precision. Raises ValueError for a complex number."""
    result = torch.as_tensor(value)
    if result.is_complex():
        raise ValueError("A complex number is no result.")
    return result.detach().cpu().double()
