"""Probabilistic PCA against scikit-learn's and against the Gaussian that it is; the count of units against training."""

from vae_helpers.losses import (
    linear_gaussian_elbo,
    linear_vae_loss_of_moments,
    log_evidence,
    mean_and_covariance,
    posterior,
    ppca,
    training_log_likelihood,
    units_at_optimum,
)
from vae_helpers.models import LinearVAE

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch.distributions import LowRankMultivariateNormal, MultivariateNormal, Normal, kl_divergence

torch.manual_seed(0)
X = (torch.rand(3000, 1, 28, 28) * torch.rand(3000, 1, 28, 1)).mul(255).byte()
MEAN, COVARIANCE = mean_and_covariance(X)
SOME = X[:6].flatten(1).double() / 255
MODEL = ppca(MEAN, COVARIANCE, 3)


def test_moments_equal_numpys():
    flat = X.flatten(1).double().numpy() / 255
    assert np.allclose(MEAN.numpy(), flat.mean(0), atol=1e-7)
    assert np.allclose(COVARIANCE.numpy(), np.cov(flat.T, bias=True), atol=1e-7)


@pytest.mark.parametrize("d", [1, 5])
def test_the_fit_equals_scikit_learns(d):
    model, oracle = ppca(MEAN, COVARIANCE, d), PCA(d, svd_solver="full").fit(X.flatten(1).double().numpy() / 255)
    n = len(X)
    assert model.sigma2 == pytest.approx(oracle.noise_variance_ * (n - 1) / n, rel=1e-5)
    cov = model.W @ model.W.T + model.sigma2 * torch.eye(784)
    assert np.allclose(cov.numpy(), oracle.get_covariance() * (n - 1) / n, atol=1e-7)
    assert training_log_likelihood(model) == pytest.approx(oracle.score(X.flatten(1).double().numpy() / 255), rel=1e-4)


def test_the_training_log_likelihood_is_the_mean_of_the_gaussians_log_density():
    model = ppca(MEAN, COVARIANCE, 4)
    noise = torch.full((784,), model.sigma2, dtype=torch.float64)
    oracle = LowRankMultivariateNormal(model.mean, model.W, noise).log_prob(X.flatten(1).double() / 255)
    assert training_log_likelihood(model) == pytest.approx(oracle.mean().item(), abs=1e-4)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="x must have shape"):
        mean_and_covariance(torch.rand(5, 784))
    with pytest.raises(ValueError, match="latent_dim must be at least 1"):
        ppca(MEAN, COVARIANCE, 0)
    with pytest.raises(ValueError, match="latent_dim must be below 784"):
        ppca(MEAN, COVARIANCE, 784)
    with pytest.raises(ValueError, match=r"covariance must have shape \(784, 784\)"):
        ppca(MEAN, COVARIANCE[:5], 3)


def test_the_log_evidence_equals_scikit_learns():
    oracle = PCA(3, svd_solver="full").fit(X.flatten(1).double().numpy() / 255)
    assert np.allclose(log_evidence(MODEL, SOME).numpy(), oracle.score_samples(SOME.numpy()), rtol=2e-3)


def test_joint_divided_by_posterior_is_the_marginal_wherever_z_is():
    for z in (torch.zeros(3, dtype=torch.float64), torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)):
        likelihood = Normal(MODEL.W @ z + MODEL.mean, MODEL.sigma2**0.5).log_prob(SOME).sum(1)
        prior = Normal(0.0, 1.0).log_prob(z).sum()
        marginal = likelihood + prior - posterior(MODEL, SOME).log_prob(z)
        assert torch.allclose(marginal, log_evidence(MODEL, SOME), rtol=1e-9)


def test_the_bound_touches_exactly_at_the_posterior():
    elbo = linear_gaussian_elbo(MODEL, SOME, posterior(MODEL, SOME))
    assert torch.allclose(elbo, log_evidence(MODEL, SOME), rtol=1e-9)


def test_the_gap_of_any_other_gaussian_is_its_kl_to_the_posterior():
    exact = posterior(MODEL, SOME)
    q = MultivariateNormal(exact.mean + 0.3, 1.7 * exact.covariance_matrix + 0.01 * torch.eye(3))
    gap = log_evidence(MODEL, SOME) - linear_gaussian_elbo(MODEL, SOME, q)
    assert torch.allclose(gap, kl_divergence(q, exact), rtol=1e-8)


@pytest.mark.parametrize("function", [log_evidence, posterior], ids=lambda f: f.__name__)
def test_images_that_are_no_rows_of_float64_are_refused(function):
    with pytest.raises(TypeError, match="x must be a tensor of float64"):
        function(MODEL, SOME.float())
    with pytest.raises(ValueError, match=r"x must have shape \(n, 784\)"):
        function(MODEL, SOME[:, :100])


def test_data_alike_in_all_directions_leave_axes_of_length_zero():
    fitted = ppca(torch.zeros(4), 0.1 * torch.eye(4), latent_dim=1)
    assert torch.allclose(fitted.W, torch.zeros(4, 1, dtype=torch.float64), atol=1e-8)


def test_a_model_without_noise_has_no_likelihood():
    with pytest.raises(ValueError, match="model has no noise left"):
        training_log_likelihood(ppca(torch.zeros(4), torch.diag(torch.tensor([2.0, 0, 0, 0])), latent_dim=1))


@pytest.mark.parametrize(
    ("sigma2", "d", "beta", "count"), [(0.5, 7, 1, 3), (0.5, 2, 1, 2), (0.5, 7, 2, 2), (6, 7, 1, 0), (1.5, 7, 0.5, 2)]
)
def test_units_at_the_optimum_are_the_eigenvalues_above_beta_sigma2_as_far_as_d_goes(sigma2, d, beta, count):
    assert units_at_optimum(torch.tensor([0.6, 5.0, 1.2, 0.1]), sigma2, d, beta) == count


@pytest.mark.slow
def test_the_count_agrees_with_a_linear_vae_trained_from_random_weights():
    g = torch.Generator().manual_seed(0)
    axes = torch.linalg.qr(torch.randn(784, 784, generator=g)).Q
    eigenvalues = torch.cat([torch.tensor([6.0, 3.0, 1.5, 0.7, 0.35]), torch.full((779,), 0.05)])
    covariance, sigma2, beta = (axes * eigenvalues) @ axes.T, 0.5, 2.0
    torch.manual_seed(0)
    model = LinearVAE(6)
    model.logvar_x.requires_grad_(False).fill_(torch.tensor(sigma2).log())
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=2e-2, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-2, total_steps=600, cycle_momentum=False)
    for _ in range(600):
        optimizer.zero_grad()
        loss = linear_vae_loss_of_moments(model, torch.zeros(784), covariance)
        (loss.reconstruction + beta * loss.kl).backward()
        optimizer.step()
        schedule.step()
    V = model.encoder.weight.detach()
    moving = ((V @ covariance) * V).sum(1)
    # at the optimum the mean of unit i moves with the image by 1 − βσ²/λ_i, times β-dependent scale: > 0 or not
    assert int((moving > 0.01).sum()) == units_at_optimum(eigenvalues, sigma2, 6, beta) == 3


def test_senseless_variances_and_sizes_are_refused():
    with pytest.raises(ValueError, match="sigma2 must be positive"):
        units_at_optimum(torch.ones(3), 0.0, 2)
    with pytest.raises(ValueError, match="latent_dim must be at least 1"):
        units_at_optimum(torch.ones(3), 1.0, 0)
