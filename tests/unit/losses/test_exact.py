"""Bounds on a grid and of the linear VAE, against torch.distributions and against the sampled loss."""

from vae_helpers import losses
from vae_helpers.losses import gaussian_nll, kl_full, linear_vae_loss, linear_vae_loss_exact, linear_vae_loss_of_moments
from vae_helpers.models import LinearVAE

import pytest
import torch
from torch.distributions import (
    LowRankMultivariateNormal,
    Normal,
    kl_divergence,
)

torch.manual_seed(0)
X = torch.rand(5, 1, 28, 28, dtype=torch.float64)
GRID = torch.linspace(-12, 12, 4001, dtype=torch.float64)
MEANS, SPREADS = torch.tensor([[0.0], [1.5], [-2.0]]), torch.tensor([[0.7], [1.3], [0.4]])
Q, P = Normal(MEANS.double(), SPREADS.double()), Normal(torch.tensor(0.5, dtype=torch.float64), 1.1)


def test_kl_on_a_grid_equals_torch_distributions_in_both_directions():
    log_q, log_p = Q.log_prob(GRID), P.log_prob(GRID)
    assert torch.allclose(losses.kl_on_grid(log_q, log_p, GRID), kl_divergence(Q, P)[:, 0], atol=1e-8)
    assert torch.allclose(losses.kl_on_grid(log_p, log_q, GRID), kl_divergence(P, Q)[:, 0], atol=1e-8)


def test_elbo_and_evidence_on_a_grid_equal_those_of_a_linear_gaussian_model():
    x, w, sigma_x = 0.8, 1.5, 0.6  # z ~ N(0, 1), x ~ N(w z, sigma_x²)
    log_joint = Normal(0.0, 1.0).log_prob(GRID) + Normal(w * GRID, sigma_x).log_prob(torch.tensor(x))
    evidence = Normal(0.0, (w**2 + sigma_x**2) ** 0.5).log_prob(torch.tensor(x, dtype=torch.float64))
    precision = 1 + w**2 / sigma_x**2
    posterior = Normal(torch.tensor(x * w / sigma_x**2 / precision, dtype=torch.float64), precision**-0.5)
    assert torch.allclose(losses.log_evidence_on_grid(log_joint, GRID), evidence, atol=1e-6)
    elbo = losses.elbo_on_grid(Q.log_prob(GRID), log_joint, GRID)
    assert torch.allclose(elbo, evidence - kl_divergence(Q, posterior)[:, 0], atol=1e-6)


def test_the_evidence_on_a_grid_survives_densities_that_underflow():
    log_joint = Normal(0.0, 1.0).log_prob(GRID) - 5000
    assert losses.log_evidence_on_grid(log_joint, GRID).item() == pytest.approx(-5000, abs=1e-6)


def test_a_grid_that_does_not_fit_or_a_density_of_zero_is_refused():
    log_q = P.log_prob(GRID)
    with pytest.raises(ValueError, match="grid must be an increasing row"):
        losses.log_evidence_on_grid(log_q, GRID.flip(0))
    with pytest.raises(ValueError, match="grid must have shape \\(4000,\\), to go with log_q"):
        losses.kl_on_grid(log_q[:-1], log_q[:-1], GRID)
    with pytest.raises(ValueError, match="log_q must be finite"):
        losses.elbo_on_grid(torch.where(GRID > 0, log_q, -torch.inf), log_q, GRID)


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
