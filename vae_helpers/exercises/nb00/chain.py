"""A chain of pixels: tables of how likely ink is beside paper and beside ink, and the nats they give."""

from vae_helpers.exercises.engine import Exercise, Mistake

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Images = Float[Tensor, " n 1 28 28"]
Tables = Float[Tensor, " 2 1 28 28"]


def _images(n: int, seed: int) -> Images:
    return torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(31_337 + n + 1000 * seed))


def _tables(x: Images) -> Tables:
    left = functional.pad(x, (1, 0))[..., :-1]
    sides = torch.stack([1 - left, left])
    ink = (sides * x).sum(dim=1)
    often = sides.sum(dim=1)
    return (ink + 1) / (often + 2)


def _counted(x: Images, neighbour: Images) -> Tables:
    """The tables for any other neighbour."""
    weights = [1 - neighbour, neighbour]
    return torch.stack([((w * x).sum(0) + 1) / (w.sum(0) + 2) for w in weights])


def _left(x: Images) -> Images:
    return functional.pad(x, (1, 0))[..., :-1]


def _without_start(x: Images) -> Tables:
    return torch.stack([(w * x).sum(0) / w.sum(0) for w in (1 - _left(x), _left(x))])


CHAIN_TABLES = Exercise(
    id="chain-tables",
    expects="a float tensor (2, 1, 28, 28): the share of ink where the left neighbour is paper, and where it is ink",
    reference=_tables,
    probes=lambda seed=0: [(_images(5, seed),), (_images(7, seed),)],
    words={"left": "the left neighbour", "sides": "the weights", "ink": "the ink", "often": "the count"},
    mistakes=(
        Mistake(
            lambda x: _counted(x, x.roll(1, -1)),
            "roll wraps round: the first column looks at the last one, at the far side of the picture. "
            "Left of the first column lies paper, 0.",
        ),
        Mistake(
            lambda x: _counted(x, functional.pad(x, (0, 1))[..., 1:]),
            "that is the *right* neighbour: an image drawn from left to right has no ink there yet to look at. "
            "Shift the other way.",
        ),
        Mistake(
            lambda x: _counted(x, functional.pad(x, (0, 0, 1, 0))[..., :-1, :]),
            "that is the neighbour *above*: rows are the last axis but one. Shift along the last axis.",
        ),
        Mistake(
            lambda x: _counted(x.round(), _left(x.round())),
            "grey is thresholded: a pixel of 0.4 never counts as ink, although it is ink in four draws out of ten. "
            "Let it count for 0.4.",
        ),
        Mistake(
            lambda x: _counted(x, _left(x.round())),
            "the neighbour is thresholded: where it is 0.4, the pixel counts for paper alone, and not 0.6 to 0.4. "
            "Use grey as a weight.",
        ),
        Mistake(
            lambda x: _counted(x, _left(x)).flip(0),
            "the two tables are exchanged: the first is for paper at the left, the second for ink. "
            "Strokes would stop at every pixel.",
        ),
        Mistake(
            lambda x: torch.stack([((w * x).sum(0) + 1) / (len(x) + 2) for w in (1 - _left(x), _left(x))]),
            "divided by the number of images: that says how often both happen together. "
            "Divide by how often the neighbour is so.",
        ),
        Mistake(
            lambda x: torch.stack([(w * x).mean(0) for w in (1 - _left(x), _left(x))]),
            "that is a mean over all images: it says how often both happen together. "
            "Divide the sum by how often the neighbour is so.",
        ),
        Mistake(
            lambda x: _counted(x, torch.zeros_like(x)),
            "the neighbour is paper everywhere: the shifted copy is still empty. Fill its columns, from the second on, "
            "with those of x.",
        ),
        Mistake(
            _without_start,
            "no counts to begin with: where the neighbour never was ink, 0 is divided by 0, and a share of 0 "
            "would cost infinity later. Add 1 to the ink and 2 to the count.",
        ),
    ),
)


def _chain_nats(tables: Tables, x: Images) -> Float[Tensor, ""]:
    p = tables[:, None]
    left = functional.pad(x, (1, 0))[..., :-1]
    sides = torch.stack([1 - left, left])
    cost = -(x * p.log() + (1 - x) * (1 - p).log())
    per_pixel = (sides * cost).sum(dim=0)
    return per_pixel.flatten(1).sum(dim=1).mean()


def _nats_probes(seed: int = 0) -> list[tuple]:
    tables = 0.05 + 0.9 * torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(4242 + 1000 * seed))
    return [(tables, 0.96 * _images(5, seed).round() + 0.02), (tables, _images(3, seed))]  # nearly black, grey


def _of_one(p: Float[Tensor, " *n 1 28 28"], x: Images) -> Float[Tensor, " n"]:
    return functional.binary_cross_entropy(p.expand_as(x), x, reduction="none").flatten(1).sum(1)


def _of_two(tables: Tables, x: Images, left: Images) -> Float[Tensor, ""]:
    paper, ink = (functional.binary_cross_entropy(t.expand_as(x), x, reduction="none") for t in tables)
    return ((1 - left) * paper + left * ink).flatten(1).sum(1).mean()


CHAIN_NATS = Exercise(
    id="chain-nats",
    expects="one number: the expected cost in nats, summed over pixels, averaged over images",
    reference=_chain_nats,
    probes=_nats_probes,
    words={
        "p": "the table",
        "left": "the left neighbour",
        "sides": "the weights",
        "cost": "the cost",
        "per_pixel": "the cost per pixel",
    },
    mistakes=(
        Mistake(
            lambda t, x: _of_one((1 - _left(x)) * t[0] + _left(x) * t[1], x).mean(),
            "the probabilities are mixed, then the logarithm is taken. Beside grey two costs are possible: "
            "take each one's logarithm first, then mix the costs.",
        ),
        Mistake(
            lambda t, x: _of_two(t.flip(0), x, _left(x)),
            "the two tables are exchanged: tables[0] is for paper at the left. Every stroke costs far too much.",
        ),
        Mistake(
            lambda t, x: _of_two(t, x, x.roll(1, -1)),
            "roll wraps round: the first column looks at the last one. Left of the first column lies paper, 0.",
        ),
        Mistake(
            lambda t, x: _of_two(t, x, functional.pad(x, (0, 1))[..., 1:]),
            "that is the *right* neighbour, which the chain has not drawn yet. Shift the other way.",
        ),
        Mistake(
            lambda t, x: _of_two(t, x, x),
            "each pixel chooses its own table: it is asked about itself. What counts is its left neighbour's ink.",
        ),
        Mistake(
            lambda t, x: _of_two(t, x, _left(x).round()),
            "the neighbour is thresholded: beside a pixel of 0.4 both tables have a say, 0.6 to 0.4.",
        ),
        Mistake(
            lambda t, x: _of_one(t[0], x).mean(),
            "only the table for paper is used: the left neighbour has no say, and the chain is none.",
        ),
        Mistake(
            lambda t, x: (_of_one(t[0], x) + _of_one(t[1], x)).mean() / 2,
            "both tables have an equal say everywhere: the left neighbour decides, not a coin. Weight the costs by it.",
        ),
        Mistake(
            lambda t, x: _of_one(t.mean(0), x).mean(),
            "the two tables are averaged into one: the left neighbour has no say, and the chain is none.",
        ),
        Mistake(
            lambda t, x: (_of_one(t[0], x) + _of_one(t[1], x)).mean(),
            "the costs of both tables are added without weights: each pixel is paid for twice. "
            "Weight them by 1 − left and left.",
        ),
    ),
)
