"""Probabilistic PCA against scikit-learn's and against the Gaussian that it is."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch.distributions import LowRankMultivariateNormal, MultivariateNormal, Normal, kl_divergence

from vae_helpers.ppca import (
    linear_gaussian_elbo,
    log_evidence,
    mean_and_covariance,
    posterior,
    ppca,
    training_log_likelihood,
)

torch.manual_seed(0)
X = (torch.rand(3000, 1, 28, 28) * torch.rand(3000, 1, 28, 1)).mul(255).byte()
MEAN, COVARIANCE = mean_and_covariance(X)


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
    with pytest.raises(ValueError, match="latent_dim below 784"):
        ppca(MEAN, COVARIANCE, 784)
    with pytest.raises(ValueError, match=r"covariance must be \(784, 784\)"):
        ppca(MEAN, COVARIANCE[:5], 3)


SOME = X[:6].flatten(1).double() / 255
MODEL = ppca(MEAN, COVARIANCE, 3)


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
    with pytest.raises(TypeError, match="x must be a float64 tensor"):
        function(MODEL, SOME.float())
    with pytest.raises(ValueError, match=r"x must have shape \(n, 784\)"):
        function(MODEL, SOME[:, :100])


def test_data_alike_in_all_directions_leave_axes_of_length_zero():
    fitted = ppca(torch.zeros(4), 0.1 * torch.eye(4), latent_dim=1)
    assert torch.allclose(fitted.W, torch.zeros(4, 1, dtype=torch.float64), atol=1e-8)


def test_a_model_without_noise_has_no_likelihood():
    with pytest.raises(ValueError, match="model has no noise left"):
        training_log_likelihood(ppca(torch.zeros(4), torch.diag(torch.tensor([2.0, 0, 0, 0])), latent_dim=1))
