"""Numbers on their way through a program: how long a gradient is where it arrives, and where NaN begins."""

from collections.abc import Iterator, Mapping

from vae_helpers.exercises.engine import Exercise, Mistake
from vae_helpers.exercises.engine.exercise import Answer
from vae_helpers.exercises.engine.probes import NotAttemptedError
from vae_helpers.exercises.engine.relation import Finding, Relation

import torch
from torch import Tensor, nn


def _values(seed: int = 0) -> list[tuple]:
    """A value and its parameters; the last of each is one that the value doesn't know."""
    probes = []
    for k, sizes in enumerate(((3, 4), (2, 5))):
        g = torch.Generator().manual_seed(77 + k + 1000 * seed)
        parameters = [nn.Parameter(torch.randn(*shape, generator=g)) for shape in (sizes, sizes[1:], (2,))]
        value = (parameters[0].square() @ parameters[1]).sum() + 3 * parameters[1].sum()
        probes.append((value, parameters))
    return [*probes, (nn.Parameter(torch.ones(2)).sum(), [nn.Parameter(torch.ones(3))])]


def _gradients(value: Tensor, parameters: list[Tensor]) -> list[Tensor]:
    grads = torch.autograd.grad(value, parameters, allow_unused=True, retain_graph=True)
    return [g for g in grads if g is not None] or [torch.zeros(1)]


def _joined(value: Tensor, parameters: list[Tensor]) -> Tensor:
    return torch.cat([g.flatten() for g in _gradients(value, parameters)])


def _gradient_length(value: Tensor, parameters: list[Tensor]) -> Tensor:
    joined = _joined(value, parameters)
    return joined.square().sum().sqrt()


GRADIENT_LENGTH = Exercise(
    id="gradient-length",
    expects="one number, the length of the gradient at all these parameters together; 0 where none arrives",
    reference=_gradient_length,
    probes=_values,
    words={"joined": "the gradient's entries"},
    mistakes=(
        Mistake(
            lambda v, p: sum(g.norm() for g in _gradients(v, p)),
            "those are the lengths of each parameter's gradient, added up. All entries are one long vector: add the "
            "squares, and take one root.",
        ),
        Mistake(
            lambda v, p: sum(g.square().sum() for g in _gradients(v, p)),
            "that is the squared length: take the root, or a gradient twice as long reads four times as much.",
        ),
        Mistake(
            lambda v, p: sum(g.sum() for g in _gradients(v, p)).abs(),
            "entries of both signs cancel in a sum: a gradient may be long and sum to 0. Square them first.",
        ),
        Mistake(
            lambda v, p: sum(g.abs().sum() for g in _gradients(v, p)),
            "that is the sum of absolute values. The length is the root of the summed squares.",
        ),
        Mistake(
            lambda v, p: _joined(v, p).square().mean().sqrt(),
            "that is a mean over the entries, not a sum: a long gradient of many weights would look short.",
        ),
        Mistake(
            lambda v, p: _gradients(v, p)[0].norm(),
            "only the first parameter counts: a layer has weights *and* biases, and a net has several.",
        ),
        Mistake(
            lambda v, p: max(g.norm() for g in _gradients(v, p)),
            "that is the longest of the parameters' gradients: put all entries together.",
        ),
        Mistake(
            lambda v, p: torch.cat([q.flatten() for q in p]).norm(),
            "that is the length of the parameters themselves, not of the gradient that arrives there.",
        ),
    ),
)

INF, NAN = float("inf"), float("nan")
Named = Mapping[str, Tensor]


def _first_not_finite(named: Named) -> str:
    for name, value in named.items():
        if not torch.isfinite(value).all():
            return name
    return ""


def _tables(seed: int) -> Iterator[tuple[str, str, Named]]:
    """(kind of trouble, what is right, named values)."""
    g = torch.Generator().manual_seed(5 + 1000 * seed)
    fine = {name: torch.randn(4, 3, generator=g) for name in ("μ", "log σ²", "σ²", "z")}

    def spoiled(**places: float) -> Named:
        """The values, one entry of some of them replaced."""
        table = {k: v.clone() for k, v in fine.items()}
        for name, bad in places.items():
            table[{"logvar": "log σ²", "var": "σ²", "z": "z"}[name]][1, 2] = bad
        return table

    yield "nothing", "", fine
    yield "nan", "σ²", spoiled(var=NAN)
    yield "inf", "σ²", spoiled(var=INF)
    yield "-inf", "log σ²", spoiled(logvar=-INF)
    yield "order", "log σ²", spoiled(logvar=INF, var=INF, z=NAN)
    yield "large", "", spoiled(var=3e38) | {"z": torch.full((4, 3), 3e38)}
    yield "scalar", "loss", {"z": fine["z"], "loss": torch.tensor(NAN)}


SAYS = {
    "nothing": "where all values are finite",
    "nan": "where σ² alone holds one NaN",
    "inf": "where σ² alone holds one infinity, from which the next difference makes a NaN",
    "-inf": "where log σ² alone holds one −inf",
    "order": "where log σ² is the first of three: the later ones only inherit it",
    "large": "where all are finite, some of them 3e38: large is not infinite, whatever their sum",
    "scalar": "where the loss, a single number, is NaN",
}


def _of_names(answer: Answer, seed: int) -> list[Finding]:
    """What is wrong with my_first_not_finite(named) on tables whose trouble is known."""
    said = {kind: (answer(dict(table)), right) for kind, right, table in _tables(seed)}
    if all(got is None or got is Ellipsis for got, _ in said.values()):
        raise NotAttemptedError
    if said["nothing"][0] is None and all(got == (right or None) for got, right in said.values()):
        says = 'for all finite you return nothing, None; an empty string "" is asked for, that a print can show'
        return [Finding(Relation("type", "nothing"), says)]
    wrong = {kind: pair for kind, pair in said.items() if not isinstance(pair[0], str) or pair[0] != pair[1]}
    if not wrong:
        return []
    kind = "every entry" if {"nan", "inf"} <= set(wrong) and "scalar" not in wrong else next(iter(wrong))
    kind = "last" if said["order"][0] == "z" and not {"nan", "inf"} & set(wrong) else kind
    got, right = said["nan"] if kind == "every entry" else said["order"] if kind == "last" else wrong[kind]
    more = {
        "every entry": "One bad entry among twelve is enough: a value counts as soon as *not all* entries are finite",
        "last": "The last one is named: return at the first that you meet",
    }
    more |= {"inf": "An infinity is not finite either", "-inf": "An infinity is not finite either"}
    more |= {"nan": "A NaN is not finite either"} if "inf" not in wrong else {}
    where = SAYS.get(kind, SAYS["nan"] if kind == "every entry" else SAYS["order"])
    says = f"{where}, {right!r} is right, and you said {got!r}"
    return [Finding(Relation("name", kind), f"{says}. {more[kind]}" if kind in more else says)]


FIRST_NOT_FINITE = Exercise(
    id="first-not-finite",
    expects="a string, the name of the first value that isn't finite everywhere; empty where all are",
    reference=_first_not_finite,
    findings=_of_names,
)

EXERCISES = (GRADIENT_LENGTH, FIRST_NOT_FINITE)
