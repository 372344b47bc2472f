"""Probabilistic PCA against scikit-learn's and against the Gaussian that it is."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch.distributions import LowRankMultivariateNormal

from vae_helpers.ppca import mean_and_covariance, ppca, training_log_likelihood

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
