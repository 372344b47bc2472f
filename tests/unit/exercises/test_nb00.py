"""Answers to the exercises of notebook 00: right ones in other styles pass, wrong ones are refused and named."""

from vae_helpers.exercises import check

import pytest
import torch
from torch.distributions import Bernoulli
from torch.nn import functional


def tossed(p):
    return (torch.rand(p.shape) < p).float()


def left_of(x):
    return torch.cat([torch.zeros_like(x[..., :1]), x[..., :-1]], dim=-1)


def right_of(x):
    return torch.cat([x[..., 1:], torch.zeros_like(x[..., :1])], dim=-1)


def above(x):
    return torch.cat([torch.zeros_like(x[..., :1, :]), x[..., :-1, :]], dim=-2)


def counted(x, neighbour, ink=1, often=2):
    return torch.stack([((w * x).sum(0) + ink) / (w.sum(0) + often) for w in (1 - neighbour, neighbour)])


def tables_by_loops(x):
    x = x.double().numpy()
    tables = torch.zeros(2, 1, 28, 28, dtype=torch.float64)
    for column in range(28):
        left = x[..., column - 1] if column else 0 * x[..., 0]
        for c, w in enumerate((1 - left, left)):
            tables[c, ..., column] = torch.as_tensor(((w * x[..., column]).sum(0) + 1) / (w.sum(0) + 2))
    return tables


def cost(p, x):
    return -(x * p.log() + (1 - x) * (1 - p).log())


def mixed(tables, x, left):
    return ((1 - left) * cost(tables[0], x) + left * cost(tables[1], x)).flatten(1).sum(1).mean()


def chain(tables, n, start=0.0, toss=tossed, order=range(28)):
    x, left = torch.zeros(n, 1, 28, 28), torch.full((n, 1, 28), start)
    for column in order:
        left = toss(torch.where(left == 1, tables[1, ..., column], tables[0, ..., column]))
        x[..., column] = left
    return x


def chain_by_index(tables, n):
    x = torch.zeros(n, 1, 28, 28, dtype=torch.float64)
    for column in range(28):
        left = x[..., column - 1].long() if column else torch.zeros(n, 1, 28, dtype=torch.long)
        p = tables[..., column][left, 0, torch.arange(28)]
        x[..., column] = torch.bernoulli(p.double())
    return x


def from_another_draw(tables, n):
    return tossed(torch.where(left_of(tossed(tables[0].expand(n, 1, 28, 28))) == 1, tables[1], tables[0]))


def down_the_rows(tables, n):
    x, up = torch.zeros(n, 1, 28, 28), torch.zeros(n, 1, 28)
    for row in range(28):
        up = tossed(torch.where(up == 1, tables[1, :, row], tables[0, :, row]))
        x[..., row, :] = up
    return x


def faces(means, n):
    return torch.randint(len(means), (n,))


RIGHT = {
    "die-and-class-mean": [
        lambda m, n: tossed(m[faces(m, n)]),
        lambda m, n: Bernoulli(m[torch.multinomial(torch.ones(len(m)), n, replacement=True)]).sample(),
        lambda m, n: torch.stack([torch.bernoulli(m[torch.randint(len(m), ()).item()]) for _ in range(n)]),
        lambda m, n: torch.bernoulli(m.double()[(len(m) * torch.rand(n)).long()]),
    ],
    "chain-tables": [
        lambda x: counted(x, left_of(x)),
        tables_by_loops,
        lambda x: torch.stack(
            [
                (torch.einsum("nchw,nchw->chw", w, x) + 1) / (w.sum(0) + 2)
                for w in (1 - functional.pad(x, (1, 0))[..., :28], functional.pad(x, (1, 0))[..., :28])
            ]
        ),
    ],
    "chain-nats": [
        lambda t, x: mixed(t, x, left_of(x)),
        lambda t, x: mixed(t.double(), x.double(), left_of(x).double()),
        lambda t, x: (
            -sum(
                (w * Bernoulli(p, validate_args=False).log_prob(x)).sum()
                for w, p in zip((1 - left_of(x), left_of(x)), t, strict=True)
            )
            / len(x)
        ),
    ],
    "chain-draw": [
        chain,
        chain_by_index,
        lambda t, n: chain(t, n, toss=torch.bernoulli),
    ],
}
WRONG = {
    "die-and-class-mean": [
        (lambda m, n: tossed(m[torch.randint(len(m), ()).item()].expand(n, 1, 28, 28)), "the die is tossed once"),
        (lambda m, n: tossed(m.mean(0).expand(n, 1, 28, 28)), "the means were averaged"),
        (lambda m, n: tossed(m[torch.arange(n) % len(m)]), "fixed order"),
        (lambda m, n: tossed(m[torch.arange(n) * len(m) // n]), "fixed order"),
        (lambda m, n: m[faces(m, n)], "probabilities, perhaps"),
        (lambda m, n: tossed(m[torch.randint(len(m) - 1, (n,))]), "class 2 never comes"),
        (lambda m, n: tossed(m[torch.randint(1, len(m), (n,))]), "class 0 never comes"),
        (lambda m, n: tossed(m)[faces(m, n)], "one image is drawn for each class"),
        (lambda m, n: (torch.rand(1, 28, 28) < m[faces(m, n)]).float(), "repeated. Draw anew"),
        (lambda m, n: (torch.rand(n, 1, 1, 1) < m[faces(m, n)]).float(), "serves several pixels"),
        (lambda m, n: 1 - tossed(m[faces(m, n)]), "ink and paper are exchanged"),
        (lambda m, n: torch.rand(n, 1, 28, 28) < m[faces(m, n)], "torch.bool"),
        (lambda m, n: tossed((m[faces(m, n)] * 1.2).clamp(max=1)), "ink comes too often"),
        (lambda m, n: (torch.manual_seed(0), tossed(m[faces(m, n)]))[1], "every call draws the same"),
        (
            lambda m, n: tossed(m[faces(m, 28 * 28 * n)].view(n, 784, 784)[..., ::785].reshape(n, 1, 28, 28)),
            "for every pixel",
        ),
        (lambda m, n: faces(m, n), "returns shape"),
        (lambda m, n: tossed(m[torch.randint(10, (n,))]), "no such"),
    ],
    "chain-tables": [
        (lambda x: counted(x, x.roll(1, 3)), "roll wraps round"),
        (lambda x: counted(x, right_of(x)), "*right* neighbour"),
        (lambda x: counted(x, above(x)), "neighbour *above*"),
        (lambda x: counted((x > 0.5).float(), left_of((x > 0.5).float())), "grey is thresholded"),
        (lambda x: counted(x, (left_of(x) > 0.5).float()), "the neighbour is thresholded"),
        (lambda x: counted(x, 1 - left_of(x)), "two tables are exchanged"),
        (lambda x: torch.stack([(w * x).sum(0) for w in (1 - left_of(x), left_of(x))]) / len(x), "how often both"),
        (lambda x: counted(x, left_of(x), 0, 0), "no counts to begin with"),
        (lambda x: counted(x, left_of(x), 1, 1), "2"),
        (lambda x: counted(x, left_of(x), 0, 2), "1 is missing"),
        (lambda x: counted(x, left_of(x))[1], "only the first entry"),
        (lambda x: counted(x, left_of(x)).mean(-1, keepdim=True), "returns shape"),
        (lambda x: torch.stack([(w * x).mean(0) / w.mean(0) for w in (1 - left_of(x), left_of(x))]), "no counts"),
        (lambda x: counted(x, torch.zeros_like(x)), "paper everywhere"),
        (lambda x: counted(x.round(), left_of(x)), "x is rounded"),
    ],
    "chain-nats": [
        (lambda t, x: cost((1 - left_of(x)) * t[0] + left_of(x) * t[1], x).flatten(1).sum(1).mean(), "are mixed"),
        (lambda t, x: mixed(t.flip(0), x, left_of(x)), "two tables are exchanged"),
        (lambda t, x: mixed(t, x, x.roll(1, -1)), "roll wraps round"),
        (lambda t, x: mixed(t, x, right_of(x)), "*right* neighbour"),
        (lambda t, x: mixed(t, x, (left_of(x) > 0.5).float()), "the neighbour is thresholded"),
        (lambda t, x: -mixed(t, x, left_of(x)), "sign"),
        (lambda t, x: mixed(t, x, left_of(x)) / 784, "divided by 784"),
        (lambda t, x: mixed(t, x, left_of(x)) * len(x), "size of the input"),
        (lambda t, x: mixed(t, x, left_of(x)) / 0.6931471805599453, "bits"),
        (lambda t, x: cost(t[0], x).flatten(1).sum(1).mean(), "only the table for paper"),
        (lambda t, x: cost(t.mean(0), x).flatten(1).sum(1).mean(), "averaged into one"),
        (lambda t, x: (cost(t[0], x) + cost(t[1], x)).flatten(1).sum(1).mean(), "paid for twice"),
        (
            lambda t, x: (-left_of(x) * x * t[1].log() - (1 - left_of(x)) * x * t[0].log()).sum() / len(x),
            "",
        ),
        (
            lambda t, x: ((1 - left_of(x)) * cost(t[0], x) + left_of(x) * cost(t[1], x)).flatten(1).sum(1),
            "is not taken",
        ),
        (lambda t, x: mixed(t, x.round(), left_of(x.round())), "x is rounded"),
    ],
    "chain-draw": [
        (lambda t, n: chain(t.flip(0), n), "two tables are exchanged"),
        (lambda t, n: tossed(t[0].expand(n, 1, 28, 28)), "column just drawn is forgotten"),
        (from_another_draw, "drawn at once"),
        (lambda t, n: tossed(t.mean(0).expand(n, 1, 28, 28)), "drawn at once"),
        (lambda t, n: chain(t, n, order=reversed(range(28))), "from right to left"),
        (down_the_rows, "the one above it"),
        (lambda t, n: chain(t, n, start=1.0), "the first column"),
        (lambda t, n: 1 - chain(t, n), "ink and paper are exchanged"),
        (lambda t, n: chain(t, n, toss=lambda p: (torch.rand(p.shape) > p).float()), "ink and paper"),
        (lambda t, n: chain(t, n, toss=lambda p: (torch.rand(n, 1, 1) < p).float()), "whole column"),
        (lambda t, n: chain(t, n, toss=lambda p: (torch.rand(1, 1, 28) < p).float()), "is repeated n times"),
        (lambda t, n: chain(t, 1).expand(n, 1, 28, 28), "is repeated n times"),
        (lambda t, n: chain(t, n, toss=lambda p: (p > 0.5).float()), "is repeated n times"),
        (lambda t, n: t[0].expand(n, 1, 28, 28), "probabilities, perhaps"),
        (lambda t, n: chain(t, n) == 1, "torch.bool"),
        (lambda t, n: (torch.manual_seed(0), chain(t, n))[1], "every call draws the same"),
        (lambda t, n: chain(t, n, toss=lambda p: (torch.randn(p.shape) < p).float()), "are ink, wanted"),
        (lambda t, n: chain(t, n)[:, 0], "returns shape"),
    ],
}


@pytest.mark.parametrize(("name", "i"), [(name, i) for name, answers in RIGHT.items() for i in range(len(answers))])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_right_answer_in_another_style_passes(name, i, seed):
    assert check(name, RIGHT[name][i], seed).passed


@pytest.mark.parametrize(("name", "i"), [(name, i) for name, answers in WRONG.items() for i in range(len(answers))])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_wrong_answer_is_refused_and_named(name, i, seed):
    answer, says = WRONG[name][i]
    verdict = check(name, answer, seed)
    assert verdict.status in ("mistake", "wrong", "error"), verdict
    assert says in verdict.message, verdict
