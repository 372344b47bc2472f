"""A step of a reference as a reader would write it: ``logvar.exp()`` is σ², ``x.square()`` is (x)²."""

import ast

from vae_helpers.exercises.engine.formula import Formula

SYMBOLS = {"mu": "μ", "logvar": "log σ²", "sigma": "σ", "eps": "ε", "x_hat": "x̂", "beta": "β", "pi": "π", "omega": "ω"}
SIGNS = {ast.Add: " + ", ast.Sub: " − ", ast.Mult: " · ", ast.Div: " / ", ast.Pow: "^", ast.MatMult: " · "}
COMPARED = {ast.Gt: ">", ast.Lt: "<", ast.GtE: "≥", ast.LtE: "≤", ast.Eq: "="}


def symbol(name: str) -> str:
    """mu_p → μ_p."""
    if name in SYMBOLS:
        return SYMBOLS[name]
    stem, _, index = name.rpartition("_")
    return f"{SYMBOLS[stem]}_{index}" if stem in SYMBOLS else name


class Pretty:
    """Names of steps in words or symbols. words: phrases for the local names of a reference."""

    def __init__(self, formula: Formula, words: dict[str, str]) -> None:
        self.formula, self.words = formula, words
        self.written = {name: formula.steps[i].source for name, i in formula.names.items() if i in formula.local}

    def of(self, i: int) -> str:
        """A step, by its number."""
        name = self.formula.local.get(i)
        if name in self.words:
            return self.words[name]
        return self.text(self.formula.steps[i].source)

    def text(self, node: ast.expr) -> str:
        """An expression; of a local name, what it stands for."""
        if isinstance(node, ast.Name):
            if node.id in self.written:
                return self.words.get(node.id) or self.text(self.written[node.id])
            return symbol(node.id)
        if isinstance(node, ast.Constant):
            return {0.5: "½"}.get(node.value, str(node.value))
        if isinstance(node, ast.UnaryOp):
            return f"−{self.inner(node.operand)}"
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, ast.Compare):
            return f"{self.text(node.left)} {COMPARED[type(node.ops[0])]} {self.text(node.comparators[0])}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return self._method(node)
        if isinstance(node, ast.Call):
            return f"{self.text(node.func)}({', '.join(self.text(a) for a in node.args)})"
        if isinstance(node, ast.Subscript):
            return f"{self.text(node.value)}[{ast.unparse(node.slice)}]"
        return ast.unparse(node)

    def inner(self, node: ast.expr) -> str:
        """In brackets where it needs them."""
        text = self.text(node)
        while isinstance(node, ast.Name) and node.id in self.written and node.id not in self.words:
            node = self.written[node.id]
        return f"({text})" if isinstance(node, (ast.BinOp, ast.UnaryOp)) and " " in text else text

    def _binary(self, node: ast.BinOp) -> str:
        left, right = node.left, node.right
        if isinstance(node.op, ast.Pow) and getattr(right, "value", None) == 2:
            return f"{self.inner(left)}²"
        if isinstance(node.op, (ast.Add, ast.Sub)):
            right_text = self.inner(right) if isinstance(node.op, ast.Sub) else self.text(right)
            return f"{self.text(left)}{SIGNS[type(node.op)]}{right_text}"
        return f"{self.inner(left)}{SIGNS[type(node.op)]}{self.inner(right)}"

    def _method(self, node: ast.Call) -> str:
        own, method = node.func.value, node.func.attr
        text = self.inner(own)
        if method == "exp" and isinstance(own, ast.Name) and own.id.startswith("logvar"):
            return f"σ{symbol(own.id).removeprefix('log σ²')}²"
        if method == "square":
            return f"{text}²"
        if method in ("sum", "mean"):
            return f"the {method} of {self.text(own)}"
        if method in ("exp", "log", "sqrt", "sigmoid", "abs"):
            return f"{method}({self.text(own)})"
        if method in ("flatten", "float", "double", "view", "repeat"):
            return self.text(own)
        of_a_module = isinstance(own, ast.Name) and own.id in ("torch", "F")
        return f"{method}({', '.join(map(self.text, node.args))})" if of_a_module else f"{method}({self.text(own)})"
