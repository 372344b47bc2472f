"""A change of a reference computes what its sentence says: each beside the same thing written by hand."""

from vae_helpers.exercises.engine.changes import changes_of
from vae_helpers.exercises.engine.formula import Formula, as_result

import pytest
import torch
from torch.nn.functional import softplus

A = torch.tensor([[0.5, 2.0, 3.0], [1.5, 0.25, 4.0]], dtype=torch.float64)
B = torch.tensor([[2.0, 1.0, 0.5], [4.0, 3.0, 0.2]], dtype=torch.float64)
SQUARE = torch.tensor([[1.0, 2.0], [3.0, 5.0]], dtype=torch.float64)


def exponential(a):
    return a.exp()


def logarithm(a):
    return a.log()


def difference(a, b):
    return a - b


def product(a, b):
    return a * b


def fraction(a, b):
    return a / b


def of_three(a, b):
    return 3 * (a - b + 1)


def brackets(a, b):
    return a * (b - 1) / 4


def divided(a, b):
    return a / (2 * b)


def power(a, b):
    return (a - b) ** 2


def root(a, b):
    return (a * b).sqrt()


def summed(a):
    return a.sum(dim=1)


def variance(a):
    return a.var(dim=0, correction=0)


def spread(a):
    return a.std(dim=1, correction=0)


def log_of_sum(a):
    return a.logsumexp(dim=1)


def mean_of_logs(a):
    return a.log().mean(dim=1)


def log_of_mean(a):
    return a.mean(dim=1).log()


def per_row(a):
    return a.sum() / len(a)


def limited(a):
    return a.clamp(min=1)


def chosen(a):
    return a.argmax(dim=1)


def compared(a, b):
    return (a > b).double()


def matrices(a, b):
    return a @ b


def stacked(a, b):
    return torch.stack([a, b])


def three(a, b):
    c = a * b
    d = a + b
    return c - d


TABLE = [
    (exponential, "the root of exp(a) stands for exp(a)", lambda a: (a / 2).exp()),
    (exponential, "exp(a) is squared once more", lambda a: (2 * a).exp()),
    (exponential, "exp(a) is inverted", lambda a: 1 / a.exp()),
    (exponential, "a is squared, where exp belongs", lambda a: a * a),
    (exponential, "softplus of a stands for exp", softplus),
    (exponential, "the exponential is missing: a is used as it is", lambda a: a),
    (logarithm, "the logarithm log(a) is to base 2", torch.log2),
    (logarithm, "the logarithm log(a) is to base 10", torch.log10),
    (difference, "a is missing", lambda a, b: -b),
    (difference, "b is missing", lambda a, b: a),
    (difference, "a has the wrong sign", lambda a, b: -a - b),
    (difference, "b has the wrong sign", lambda a, b: a + b),
    (difference, "a counts twice", lambda a, b: 2 * a - b),
    (difference, "b counts half", lambda a, b: a - b / 2),
    (difference, "it takes b for a − b", lambda a, b: b),
    (difference, "the absolute value of a − b is taken", lambda a, b: abs(a - b)),
    (difference, "a − b is cut off at 0", lambda a, b: torch.maximum(a - b, 0 * a)),
    (difference, "a and b are multiplied", lambda a, b: a * b),
    (product, "the factor a is missing", lambda a, b: b),
    (product, "the factor b is missing", lambda a, b: a),
    (product, "a is divided by b, not multiplied", lambda a, b: a / b),
    (product, "b is divided by a, not multiplied", lambda a, b: b / a),
    (product, "a and b are added, not multiplied", lambda a, b: a + b),
    (fraction, "the division by b is missing", lambda a, b: a),
    (fraction, "a is multiplied by b, not divided", lambda a, b: a * b),
    (fraction, "the fraction a / b is upside down", lambda a, b: b / a),
    (fraction, "the root of a / b is taken", lambda a, b: (a / b).sqrt()),
    (fraction, "a / b is squared", lambda a, b: (a / b).square()),
    (of_three, "the factor 3 is missing, in 3 · (a − b + 1)", lambda a, b: a - b + 1),
    (of_three, "3 reaches a only: the other terms need it too", lambda a, b: 3 * a - b + 1),
    (of_three, "3 reaches b only: the other terms need it too", lambda a, b: a - 3 * b + 1),
    (of_three, "3 does not reach 1", lambda a, b: 3 * (a - b) + 1),
    (of_three, "3 does not reach b", lambda a, b: 3 * (a + 1) - b),
    (of_three, "the sign of 3 · (a − b + 1) is turned", lambda a, b: -3 * (a - b + 1)),
    *(
        (of_three, f"{n} stands where 3 belongs, in 3 · (a − b + 1): one constant should be another",
         lambda a, b, n=n: n * (a - b + 1))
        for n in (0, 1, 1.5, 2, 4, 6, 9)
    ),
    (brackets, "the brackets around b − 1 are missing", lambda a, b: a * b - 1 / 4),
    (divided, "a bracket is missing: b multiplies, where it should divide", lambda a, b: a / 2 * b),
    (divided, "a bracket is missing: 2 multiplies, where it should divide", lambda a, b: a / b * 2),
    (power, "a − b is not squared", lambda a, b: a - b),
    (power, "the absolute value of a − b stands for its square", lambda a, b: abs(a - b)),
    (power, "a − b is doubled, not squared", lambda a, b: 2 * (a - b)),
    (power, "a and b are squared apart: subtract first, then square", lambda a, b: a * a - b * b),
    (root, "a bracket is missing: the root is that of a alone", lambda a, b: a.sqrt() * b),
    (summed, "the sum of a is not taken", lambda a: a),
    (summed, "the mean of a stands for the sum", lambda a: a.mean(1)),
    (summed, "the median of a stands for the sum", lambda a: a.median(1).values),
    (summed, "the sum of a is taken over axis 0", lambda a: a.sum(0)),
    (summed, "the sum of a is taken over everything", lambda a: a.sum()),
    (summed, "the last entry is left out of the sum of a", lambda a: a[:, :-1].sum(1)),
    (summed, "the first entry is left out of the sum of a", lambda a: a[:, 1:].sum(1)),
    (variance, "the mean square of a stands for the variance: the mean is not subtracted", lambda a: (a * a).mean(0)),
    (variance, "the size of the mean of a stands for the variance", lambda a: a.mean(0).abs()),
    (spread, "the mean square of a stands for the standard deviation: the mean is not subtracted",
     lambda a: (a * a).mean(1).sqrt()),
    (log_of_sum, "the largest is taken out and not added again", lambda a: a.logsumexp(1) - a.max(1).values),
    (mean_of_logs, "the logarithm is taken after the mean, not before", lambda a: a.mean(1).log()),
    (log_of_mean, "the logarithm is taken before the mean, not after", lambda a: a.log().mean(1)),
    (per_row, "one more is counted than there are", lambda a: a.sum() / 3),
    (per_row, "one less is counted than there are", lambda a: a.sum()),
    (per_row, "the entries of axis 1 are counted", lambda a: a.sum() / 3),
    (limited, "the limit 1 is missing", lambda a: a),
    (limited, "1 is the upper limit, not the lower", lambda a: torch.minimum(a, 0 * a + 1)),
    (limited, "1 is subtracted from a", lambda a: torch.maximum(a - 1, 0 * a)),
    (chosen, "argmin stands for argmax", lambda a: a.argmin(1)),
    (compared, "a > b is turned round", lambda a, b: (b > a).double()),
    (compared, "a is not compared with b", lambda a, b: a),
    (stacked, "a and b have changed places", lambda a, b: torch.stack([b, a])),
    (stacked, "a is missing", lambda a, b: b[None]),
    (three, "a and b are exchanged", lambda a, b: a * b - a - b),
    (three, "a is squared", lambda a, b: a * a * b - a * a - b),
    (three, "it takes 1 − a · b for a + b", lambda a, b: 2 * a * b - 1),
    (three, "it takes a for a + b, in a · b − (a + b)", lambda a, b: a * b - a),
    (three, "b is halved, in a + b", lambda a, b: a * b - a - b / 2),
    (three, "a is averaged over its last axis too, in a + b", lambda a, b: a * b - a.mean(1)[:, None] - b),
]  # fmt: skip
OF_MATRICES = [
    ("a is transposed, in a · b", lambda a, b: a.T @ b),
    ("b is transposed, in a · b", lambda a, b: a @ b.T),
    ("a · b is taken entry by entry", lambda a, b: a * b),
    ("b stands left of a, not right", lambda a, b: b @ a),
]


def all_results(function, says, arguments):
    """What the changes of a function that have this sentence compute."""
    formula = Formula(function)
    found = [c for c in changes_of(formula, {}) if c.says == says]
    assert found, sorted(c.says for c in changes_of(formula, {}))
    return [as_result(formula.values(arguments, c.at)[formula.root]) for c in found]


@pytest.mark.parametrize(("function", "says", "by_hand"), TABLE)
def test_a_change_computes_what_it_says(function, says, by_hand):
    arguments = (A, B)[: function.__code__.co_argcount]
    right = by_hand(*arguments).double()
    assert any(r.shape == right.shape and torch.allclose(r, right) for r in all_results(function, says, arguments))


@pytest.mark.parametrize(("says", "by_hand"), OF_MATRICES)
def test_a_change_of_a_product_of_matrices_computes_what_it_says(says, by_hand):
    (result,) = all_results(matrices, says, (SQUARE, SQUARE + torch.eye(2).flip(0)))
    assert torch.allclose(result, by_hand(SQUARE, SQUARE + torch.eye(2).flip(0)).double())
