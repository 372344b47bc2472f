"""What a result has to do with the right one: factors, constants and other forms, each by its sentence."""

from math import log, pi

from vae_helpers.exercises.engine import Exercise, examine

import pytest
import torch


def right_rows(a, b):
    c = a * b.exp()
    return c.sum(dim=1)


def probes(seed=0):
    g = torch.Generator().manual_seed(31 + seed)
    return [tuple(torch.randn(2, n, 3, generator=g)) for n in (5, 4, 6)]


ROWS = Exercise("rows", "one value per row", right_rows, probes)
FACTORS = {
    -1: "minus what it should be: the sign is turned",
    2: "twice what it should be",
    1 / 2: "half of what it should be",
    -2: "minus twice what it should be",
    -1 / 2: "minus half of what it should be",
    1 / log(2): "in bits, not in nats",
    log(2): "multiplied by log 2",
    1 / log(10): "divided by log 10",
    log(10): "multiplied by log 10",
    784: "784 times what it should be",
    1 / 784: "divided by 784",
    10: "ten times what it should be",
    1 / 10: "a tenth of what it should be",
    1 / 4: "a quarter of what it should be",
    4: "four times what it should be",
    3: "multiplied by 3, a size of the input",
    -1 / 3: "minus what it should be, and divided by 3, a size of the input",
    3 / 2: "divided by n − 1, where n = 3",
    7.3: "7.3 times what it should be",
}
SHIFTS = {
    log(3): "log 3 too large",
    -3 / 2: "½ · 3 too small, where 3 is a size of the input",
    -3: "3 too small",
    3 / 2 * log(2 * pi): "3 · ½ log 2π too large",
    3 * log(2 * pi): "3 · log 2π too large",
    log(2 * pi): "log 2π too large",
    -log(2 * pi) / 2: "½ log 2π too small",
    -0.5: "½ too small",
    5.7: "5.7 too large, whatever the input",
}
FORMS = {
    "the right values are summed once more": lambda r: r.sum(),
    "the right values are averaged once more": lambda r: r.mean(),
    "the average stands for each value": lambda r: r.mean() + 0 * r,
    "only the first entry is returned": lambda r: r[0],
    "the last entry is missing": lambda r: r[:-1],
    "the first entry is missing": lambda r: r[1:],
    "it is in reverse order": lambda r: r.flip(0),
    "it is shifted by one": lambda r: torch.cat([r[-1:], r[:-1]]),
    "it is sorted": lambda r: r.sort().values,
    "it is sorted, the largest first": lambda r: r.sort(descending=True).values,
    "it is summed up along the way": lambda r: r.cumsum(0),
    "it is the exponential of what is asked for": torch.exp,
    "it is the square of what is asked for": lambda r: r * r,
    "it is one over what is asked for": lambda r: 1 / r,
    "it is the absolute value of what is asked for": torch.abs,
    "it is the sigmoid of what is asked for": torch.sigmoid,
    "it is one minus what is asked for": lambda r: 1 - r,
    "negative values are cut off at 0": torch.relu,
}
ANSWERS = [
    *((lambda a, b, f=f: f * right_rows(a, b), says) for f, says in FACTORS.items()),
    *((lambda a, b, c=c: right_rows(a, b) + c, says) for c, says in SHIFTS.items()),
    *((lambda a, b, form=form: form(right_rows(a, b)), says) for says, form in FORMS.items()),
]


@pytest.mark.parametrize(("answer", "says"), ANSWERS, ids=[says for _, says in ANSWERS])
def test_a_factor_a_constant_or_another_form_is_told(answer, says):
    verdict = examine(ROWS, answer)
    assert verdict.status == "mistake" and len(verdict.relations) == 1, verdict
    assert verdict.message.removeprefix("rows: ").removeprefix("the result is ").startswith(says), verdict
