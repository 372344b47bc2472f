"""KLs against oracles: torch.distributions, Monte Carlo, autograd."""

import math

from vae_helpers import losses
from vae_helpers.losses import kl_diagonal, kl_full, kl_normal, kl_to_class_mean, kl_to_standard_normal

import pytest
import torch
from torch.distributions import (
    Independent,
    MultivariateNormal,
    Normal,
    kl_divergence,
)

torch.manual_seed(4)
MU, LOGVAR, MU_P, LOGVAR_P = torch.randn(4, 5, 3, dtype=torch.float64)
COV, COV_P = (a @ a.T for a in torch.randn(2, 3, 6, dtype=torch.float64))


def gaussian(mu, logvar):
    return Independent(Normal(mu, (logvar / 2).exp()), 1)


ZERO = torch.zeros_like(MU)
CASES = {
    "normal": (
        lambda m, s, mp, sp: kl_normal(m, s, mp, sp),
        [MU[0], LOGVAR[0].exp(), MU_P[0], LOGVAR_P[0].exp()],
        lambda m, s, mp, sp: (Normal(m, s), Normal(mp, sp)),
    ),
    "full": (
        kl_full,
        [MU[0], COV, MU_P[0], COV_P],
        lambda m, c, mp, cp: (MultivariateNormal(m, c), MultivariateNormal(mp, cp)),
    ),
    "diagonal": (
        kl_diagonal,
        [MU, LOGVAR, MU_P, LOGVAR_P],
        lambda m, v, mp, vp: (gaussian(m, v), gaussian(mp, vp)),
    ),
    "standard": (kl_to_standard_normal, [MU, LOGVAR], lambda m, v: (gaussian(m, v), gaussian(ZERO, ZERO))),
    "class mean": (kl_to_class_mean, [MU, LOGVAR, MU_P], lambda m, v, mp: (gaussian(m, v), gaussian(mp, ZERO))),
}
each = pytest.mark.parametrize(("kl", "arguments", "pair"), CASES.values(), ids=CASES)


def test_kl_equals_torch_distributions():
    q, prior = Normal(MU, (LOGVAR / 2).exp()), Normal(torch.zeros_like(MU), 1)
    assert torch.allclose(losses.kl_to_standard_normal(MU, LOGVAR), kl_divergence(q, prior).sum(1), atol=1e-10)


def test_kl_has_the_gradient_derived_by_hand():
    mu, logvar = MU.clone().requires_grad_(), LOGVAR.clone().requires_grad_()
    losses.kl_to_standard_normal(mu, logvar).sum().backward()
    assert torch.allclose(mu.grad, MU)
    assert torch.allclose(logvar.grad, 0.5 * (LOGVAR.exp() - 1))


def test_kl_is_zero_exactly_at_the_prior():
    assert losses.kl_to_standard_normal(torch.zeros(2, 4), torch.zeros(2, 4)).tolist() == [0, 0]


def test_a_logvar_that_would_broadcast_is_refused():
    with pytest.raises(ValueError, match="kl_to_standard_normal: logvar must have shape \\(5, 3\\), to go with mu"):
        losses.kl_to_standard_normal(MU, LOGVAR[:, :1])


def test_arguments_may_be_named():
    assert losses.kl_to_standard_normal(logvar=LOGVAR, mu=MU).shape == (5,)


@pytest.mark.parametrize(
    ("kl", "count"), [(losses.kl_to_standard_normal, 2), (losses.kl_to_class_mean, 3), (losses.kl_diagonal, 4)]
)
def test_a_kl_wants_rows_of_parameters(kl, count):
    with pytest.raises(ValueError, match="mu must have"):
        kl(*(count * [MU[0]]))


@each
def test_a_kl_equals_torch_distributions(kl, arguments, pair):
    assert torch.allclose(kl(*arguments), kl_divergence(*pair(*arguments)), atol=1e-10)


@each
def test_a_kl_equals_the_average_of_its_definition_over_draws(kl, arguments, pair):
    q, p = pair(*arguments)
    torch.manual_seed(0)
    z = q.sample((200_000,))
    terms = q.log_prob(z) - p.log_prob(z)
    error = terms.std(0) / len(z) ** 0.5
    assert ((terms.mean(0) - kl(*arguments)).abs() < 4 * error).all()


@each
def test_a_kl_has_the_gradient_of_torch_distributions(kl, arguments, pair):
    mine, theirs = ([a.clone().requires_grad_() for a in arguments] for _ in range(2))
    kl(*mine).sum().backward()
    kl_divergence(*pair(*theirs)).sum().backward()
    for a, b in zip(mine, theirs, strict=True):
        one, other = (g if g.ndim < 2 or g.shape[0] != g.shape[1] else g + g.T for g in (a.grad, b.grad))
        assert torch.allclose(one, other, atol=1e-8)


@each
def test_a_kl_is_zero_from_itself_and_positive_otherwise(kl, arguments, pair):
    assert (kl(*arguments) > 0).all()
    if len(arguments) == 4:
        assert torch.allclose(kl(*arguments[:2], *arguments[:2]), torch.zeros((), dtype=torch.float64), atol=1e-12)


def test_the_forms_contain_each_other():
    assert torch.allclose(kl_diagonal(MU, LOGVAR, ZERO, ZERO), kl_to_standard_normal(MU, LOGVAR))
    assert torch.allclose(kl_diagonal(MU, LOGVAR, MU_P, ZERO), kl_to_class_mean(MU, LOGVAR, MU_P))
    assert torch.allclose(kl_to_class_mean(MU, LOGVAR, ZERO), kl_to_standard_normal(MU, LOGVAR))
    by_line = kl_normal(MU, (LOGVAR / 2).exp(), MU_P, (LOGVAR_P / 2).exp()).sum(1)
    assert torch.allclose(kl_diagonal(MU, LOGVAR, MU_P, LOGVAR_P), by_line)
    by_matrix = kl_full(MU[2], LOGVAR[2].exp().diag(), MU_P[2], LOGVAR_P[2].exp().diag())
    assert torch.allclose(kl_diagonal(MU, LOGVAR, MU_P, LOGVAR_P)[2], by_matrix)


def test_a_kl_does_not_depend_on_the_units_of_z():
    scale, shift = torch.randn(3, 3, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    moved = (scale @ MU[0] + shift, scale @ COV @ scale.T, scale @ MU_P[0] + shift, scale @ COV_P @ scale.T)
    assert torch.allclose(kl_full(*moved), kl_full(MU[0], COV, MU_P[0], COV_P))


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match="kl_to_class_mean: mu_y must have shape \\(5, 3\\), to go with mu"):
        kl_to_class_mean(MU, LOGVAR, MU_P[:1])
    with pytest.raises(ValueError, match="kl_diagonal: logvar_p must have shape"):
        kl_diagonal(MU, LOGVAR, MU_P, LOGVAR_P[:, :1])
    with pytest.raises(ValueError, match=r"kl_full: cov_p must have shape \(3, 3\), to go with mu_q, got \(3,\)"):
        kl_full(MU[0], COV, MU_P[0], COV_P.diagonal())


def test_a_matrix_that_is_no_covariance_is_refused():
    with pytest.raises(ValueError, match="kl_full: cov_q must be symmetric and positive definite"):
        kl_full(MU[0], COV - 50 * torch.eye(3), MU_P[0], COV_P)
    with pytest.raises(ValueError, match="kl_full: cov_p must be symmetric"):
        kl_full(MU[0], COV, MU_P[0], COV_P + torch.eye(3).roll(1, 0))


def test_whole_numbers_are_refused():
    with pytest.raises(TypeError, match="must be a tensor of floats"):
        kl_to_class_mean(MU, LOGVAR, torch.ones(5, 3, dtype=torch.int64))


def test_half_precision_is_computed_in_float32():
    assert kl_diagonal(*(t.to(torch.bfloat16) for t in (MU, LOGVAR, MU_P, LOGVAR_P))).dtype == torch.float32


def test_the_known_values_on_the_line():
    one, half = torch.tensor(1.0), torch.tensor(0.5)
    assert kl_normal(one, one, 0 * one, one).item() == pytest.approx(0.5)
    assert kl_normal(0 * one, half, 0 * one, one).item() == pytest.approx(math.log(2) - 3 / 8)
