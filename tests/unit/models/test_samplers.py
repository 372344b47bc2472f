"""Samplers against exact Gaussians: where denoiser or velocity are known, so are the samples' moments."""

from vae_helpers.losses import alpha_and_sigma
from vae_helpers.models import ancestral_path, deterministic_path, flow_path

import pytest
import torch

MEAN = torch.tensor([1.0, -0.5])
COVARIANCE = torch.tensor([[0.5, 0.3], [0.3, 0.4]])
EYE = torch.eye(2)
N = 20_000


def denoise(z, t):
    """E[x|z_t] of N(MEAN, COVARIANCE); all times of a batch alike."""
    alpha, sigma = (float(part[0]) for part in alpha_and_sigma(t))
    gain = alpha * COVARIANCE @ torch.linalg.inv(alpha**2 * COVARIANCE + sigma**2 * EYE)
    return MEAN + (z - alpha * MEAN) @ gain.T


def velocity(z, t):
    """E[ε − x|z_t] on the path z_t = (1 − t) x + t ε."""
    t = float(t[0])
    inverse = torch.linalg.inv((1 - t) ** 2 * COVARIANCE + t**2 * EYE)
    away = (z - (1 - t) * MEAN) @ inverse
    return t * away - MEAN - (1 - t) * away @ COVARIANCE


def standard(z, t):
    """E[x|z_t] of N(0, I)."""
    return alpha_and_sigma(t)[0][:, None] * z


def noise(n=N, seed=0):
    """Points whose mean and covariance are those of N(0, I) exactly."""
    eps = torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))
    eps = eps - eps.mean(0)
    return eps @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(eps.T))).T


def check_moments(samples, mean=MEAN, covariance=COVARIANCE, off=0.02):
    assert torch.allclose(samples.mean(0), mean, atol=off)
    assert torch.allclose(torch.cov(samples.T), covariance, atol=off)


@pytest.fixture(scope="module")
def path():
    return ancestral_path(denoise, noise(), 200, generator=torch.Generator().manual_seed(1))


def test_ancestral_samples_have_mean_and_covariance(path):
    assert path.shape == (202, N, 2)
    check_moments(path[-1])


def test_layers_have_the_marginals_of_the_forward_process(path):
    for k in (50, 100, 150):
        alpha, sigma = alpha_and_sigma(torch.tensor(1 - k / 200))
        check_moments(path[k], alpha * MEAN, alpha**2 * COVARIANCE + sigma**2 * EYE)


def test_with_betas_variance_they_have_them_too():
    check_moments(ancestral_path(denoise, noise(), 200, "beta", torch.Generator().manual_seed(1))[-1])


def test_with_beta_a_standard_normal_needs_one_step_only():
    path = ancestral_path(standard, noise(), 1, "beta", torch.Generator().manual_seed(1))
    check_moments(path[1], torch.zeros(2), EYE)


def test_with_the_posteriors_variance_few_steps_are_too_narrow():
    few, many = (ancestral_path(standard, noise(), n, "posterior", None)[-1].var(0).mean() for n in (4, 64))
    assert few < 0.35 and 0.85 < many < 0.95


def test_without_fresh_noise_they_have_mean_and_covariance_too():
    check_moments(deterministic_path(denoise, noise(), 300)[-1], off=0.01)


def test_without_fresh_noise_the_same_noise_gives_the_same_sample():
    assert torch.equal(deterministic_path(denoise, noise(5), 9), deterministic_path(denoise, noise(5), 9))


@pytest.mark.parametrize(("method", "steps", "off"), [("euler", 200, 0.01), ("heun", 40, 0.001)])
def test_a_velocity_leads_noise_to_data(method, steps, off):
    path = flow_path(velocity, noise(), steps, method)
    assert path.shape == (steps + 1, N, 2)
    check_moments(path[-1], off=off)


def test_heun_errs_less_than_euler_at_equal_looks():
    def error(method, steps):
        return (flow_path(velocity, noise(2000), steps, method)[-1] - goal).square().mean()

    goal = flow_path(velocity, noise(2000), 200, "heun")[-1]
    assert error("heun", 8) < 0.5 * error("euler", 16)


def test_one_euler_step_gives_the_mean():
    assert torch.allclose(flow_path(velocity, noise(7), 1)[-1], MEAN.expand(7, 2), atol=1e-5)


def test_the_path_starts_at_the_noise_and_times_fall_from_one_to_zero():
    seen = []

    def spy(z, t):
        seen.append((t[0].item(), len(t)))
        return 0 * z

    start = torch.randn(3, 1, 28, 28)
    paths = [ancestral_path(spy, start, 2), deterministic_path(spy, start, 2), flow_path(spy, start, 2)]
    assert all(torch.equal(path[0], start) for path in paths)
    assert seen == [(1.0, 3), (0.5, 3), (0.0, 3)] * 2 + [(1.0, 3), (0.5, 3)]


def test_own_random_numbers_leave_the_global_ones_alone():
    before = torch.random.get_rng_state()
    ancestral_path(denoise, noise(5), 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(before, torch.random.get_rng_state())
