"""Bounds and KLs of notebook 04 against oracles: torch.distributions, Monte Carlo, autograd, the Gaussian marginal."""

import math

import pytest
import torch
from torch.distributions import Independent, LowRankMultivariateNormal, MultivariateNormal, Normal, kl_divergence

from vae_helpers import losses
from vae_helpers.losses import (
    gaussian_nll,
    kl_diagonal,
    kl_full,
    kl_normal,
    kl_to_class_mean,
    kl_to_standard_normal,
    linear_vae_loss,
    linear_vae_loss_exact,
    linear_vae_loss_of_moments,
)
from vae_helpers.models import LinearVAE

torch.manual_seed(4)
MU, LOGVAR, MU_P, LOGVAR_P = torch.randn(4, 5, 3, dtype=torch.float64)
COV, COV_P = (a @ a.T for a in torch.randn(2, 3, 6, dtype=torch.float64))
X, X_HAT = torch.rand(2, 5, 1, 28, 28, dtype=torch.float64)


def gaussian(mu, logvar):
    return Independent(Normal(mu, (logvar / 2).exp()), 1)


ZERO, ONE = torch.zeros_like(MU), torch.ones_like(MU)
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


@pytest.mark.parametrize("logvar_x", [-3.0, 0.0, 1.5])
def test_gaussian_nll_equals_torch_distributions_and_its_gradients(logvar_x):
    mine, theirs = (torch.tensor(logvar_x, dtype=torch.float64, requires_grad=True) for _ in range(2))
    nll, oracle = gaussian_nll(X_HAT, X, mine), -Independent(Normal(X_HAT, (theirs / 2).exp()), 3).log_prob(X)
    assert nll.shape == (5,) and torch.allclose(nll, oracle)
    nll.sum().backward()
    oracle.sum().backward()
    assert torch.allclose(mine.grad, theirs.grad)


def linear_vae(d=3):
    torch.manual_seed(1)
    model = LinearVAE(d).double()
    with torch.no_grad():
        model.logvar.copy_(torch.linspace(-2, 0.5, d))
        model.logvar_x.fill_(-1.0)
        model.decoder.bias.copy_(torch.rand(784))
    return model


def test_the_sampled_linear_loss_averages_to_the_exact_one():
    model, one_image = linear_vae(), X[:1].expand(20_000, 1, 28, 28)
    with torch.no_grad():
        mu, logvar = model.encode(one_image)
        nll = gaussian_nll(model.decode(losses.reparameterize(mu, logvar)), one_image, model.logvar_x)
        exact = linear_vae_loss_exact(model, X[:1])
        sampled = linear_vae_loss(model, one_image)
    error = (nll.std() / len(nll) ** 0.5).item()
    assert abs(nll.mean().item() - exact.reconstruction.item()) < 4 * error
    assert abs(sampled.reconstruction.item() - exact.reconstruction.item()) < 5 * error
    assert sampled.kl.item() == pytest.approx(exact.kl.item())


def test_the_exact_linear_loss_is_minus_log_p_plus_the_kl_from_the_true_posterior():
    model = linear_vae()
    with torch.no_grad():
        W, sigma2 = model.decoder.weight, model.logvar_x.exp()
        log_p = LowRankMultivariateNormal(model.decoder.bias, W, sigma2.expand(784)).log_prob(X.flatten(1))
        covariance = torch.linalg.inv(torch.eye(3) + W.T @ W / sigma2)
        posterior_mean = (X.flatten(1) - model.decoder.bias) @ W @ covariance / sigma2
        mu, logvar = model.encode(X)
        gaps = [kl_full(m, v.exp().diag(), p, covariance) for m, v, p in zip(mu, logvar, posterior_mean, strict=True)]
        assert torch.allclose(-linear_vae_loss_exact(model, X).total, (log_p - torch.stack(gaps)).mean())


def test_the_loss_of_moments_is_the_mean_of_the_exact_loss_over_images_and_so_is_its_gradient():
    model, flat = linear_vae(), X.flatten(1)
    mean, covariance = flat.mean(0), torch.cov(flat.T, correction=0)
    one, other = linear_vae_loss_exact(model, X), linear_vae_loss_of_moments(model, mean, covariance)
    assert torch.allclose(one.reconstruction, other.reconstruction) and torch.allclose(one.kl, other.kl)
    weights = list(model.parameters())
    by_images, at_once = (torch.autograd.grad(loss.total, weights) for loss in (one, other))
    assert all(torch.allclose(a, b, atol=1e-8) for a, b in zip(by_images, at_once, strict=True))


def test_linear_losses_are_per_image_whatever_the_batch():
    model = linear_vae()
    once, many = linear_vae_loss_exact(model, X[:1]), linear_vae_loss_exact(model, X[:1].expand(7, 1, 28, 28))
    assert once.total.item() == pytest.approx(many.total.item())


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match="mu and logvar and mu_y of kl_to_class_mean must have one shape"):
        kl_to_class_mean(MU, LOGVAR, MU_P[:1])
    with pytest.raises(ValueError, match="kl_diagonal must have one shape"):
        kl_diagonal(MU, LOGVAR, MU_P, LOGVAR_P[:, :1])
    with pytest.raises(ValueError, match="x_hat and x of squared_error must have one shape"):
        gaussian_nll(X_HAT, X[:1], torch.tensor(0.0))
    with pytest.raises(ValueError, match=r"cov_p of kl_full must have shape \(3, 3\), got \(3,\)"):
        kl_full(MU[0], COV, MU_P[0], COV_P.diagonal())


def test_a_matrix_that_is_no_covariance_is_refused():
    with pytest.raises(ValueError, match="cov_q of kl_full must be symmetric and positive definite"):
        kl_full(MU[0], COV - 50 * torch.eye(3), MU_P[0], COV_P)
    with pytest.raises(ValueError, match="cov_p of kl_full must be symmetric"):
        kl_full(MU[0], COV, MU_P[0], COV_P + torch.eye(3).roll(1, 0))


def test_whole_numbers_are_refused():
    with pytest.raises(TypeError, match="must be floats"):
        kl_to_class_mean(MU, LOGVAR, torch.ones(5, 3, dtype=torch.int64))


def test_half_precision_is_computed_in_float32():
    assert kl_diagonal(*(t.to(torch.bfloat16) for t in (MU, LOGVAR, MU_P, LOGVAR_P))).dtype == torch.float32


def test_the_known_values_on_the_line():
    one, half = torch.tensor(1.0), torch.tensor(0.5)
    assert kl_normal(one, one, 0 * one, one).item() == pytest.approx(0.5)
    assert kl_normal(0 * one, half, 0 * one, one).item() == pytest.approx(math.log(2) - 3 / 8)
