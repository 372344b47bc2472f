"""A VAE of T layers: schedule and posterior against the chain, KLs and bounds against quadrature."""

from math import sqrt

from vae_helpers.losses import (
    alpha_and_sigma,
    continuous_bound,
    discrete_bound,
    end_terms,
    eps_from_x,
    kl_normal,
    log_snr,
    noised,
    score_from_x,
    step_kl,
    step_posterior,
    step_variance,
    stratified_times,
    v_from_x,
    weighted_denoising,
    x_from_eps,
    x_from_score,
    x_from_v,
)

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal, kl_divergence

WEIGHTS, CENTRES, WIDTHS = torch.tensor([0.7, 0.3]), torch.tensor([-1.0, 1.5]), torch.tensor([0.5, 0.2])
S, T = torch.tensor([0.1, 0.3, 0.8]).double(), torch.tensor([0.2, 0.35, 1.0]).double()


def two_humps(t=None):
    """The density of z_t, (n,) times: a mixture of two Gaussians on the line; without t that of x."""
    if t is None:
        return MixtureSameFamily(Categorical(WEIGHTS), Normal(CENTRES, WIDTHS))
    alpha, sigma = (part[:, None] for part in alpha_and_sigma(t))
    widths = (alpha * WIDTHS).square() + sigma.square()
    return MixtureSameFamily(Categorical(WEIGHTS.expand(len(t), -1)), Normal(alpha * CENTRES, widths.sqrt()))


def exact(z, t):
    """E[x|z_t] of the two humps, rows of any number of independent dimensions."""
    alpha, sigma = (part.view(-1, 1, 1) for part in alpha_and_sigma(t))
    variances = (alpha * WIDTHS).square() + sigma.square()
    shift = z[..., None] - alpha * CENTRES
    shares = (WEIGHTS.log() - 0.5 * (shift.square() / variances + variances.log())).softmax(-1)
    return (shares * (CENTRES + alpha * WIDTHS.square() / variances * shift)).sum(-1)


def for_a_standard_normal(z, t):
    """E[x|z_t] where x ~ N(0, I): α_t z_t."""
    return alpha_and_sigma(t)[0][:, None] * z


def all_pairs(density, n_x=120, n_eps=30):
    """Points (x, ε) on a grid and their weights: a mean over both is a sum, without a draw."""
    grid, eps = torch.linspace(-5, 5, n_x).double(), torch.linspace(-5, 5, n_eps).double()
    weights = density.log_prob(grid).exp()[:, None] * Normal(0, 1).log_prob(eps).exp()
    x, e = torch.meshgrid(grid, eps, indexing="ij")
    return x.reshape(-1, 1), e.reshape(-1, 1), (weights / weights.sum()).flatten()


def exact_gap(denoise, density, steps, variance):
    """How far the bound of ``steps`` steps lies above −log p on average, by quadrature."""
    x, eps, weights = all_pairs(density)
    per_point = density.log_prob(x[:, 0])
    first = torch.zeros(len(x)).double()
    spread = alpha_and_sigma(first)[1]
    per_point = per_point - Normal(denoise(noised(x, first, eps), first)[:, 0], spread).log_prob(x[:, 0])
    alpha, sigma = alpha_and_sigma(first + 1)
    per_point = per_point + kl_normal(alpha * x[:, 0], sigma, 0 * first, 0 * first + 1)
    for i in range(steps):
        s, t = first + i / steps, first + (i + 1) / steps
        per_point = per_point + step_kl(x, denoise(noised(x, t, eps), t), s, t, variance)
    return (weights @ per_point).item()


def test_the_schedule_is_a_straight_line_between_its_ends_and_keeps_the_variance():
    t = torch.linspace(0, 1, 11).double()
    alpha, sigma = alpha_and_sigma(t)
    assert torch.allclose(alpha.square() + sigma.square(), torch.ones(11).double())
    assert torch.allclose((alpha / sigma).square().log(), log_snr(t))
    assert log_snr(t)[[0, -1]].tolist() == [8, -8]
    assert torch.allclose(log_snr(t).diff(), torch.full((10,), -1.6).double())


@pytest.mark.parametrize("t", [0.4, 0, 1])
def test_the_schedule_takes_a_plain_number_as_well(t):
    assert torch.equal(log_snr(t), log_snr(torch.tensor(float(t))))
    assert torch.equal(torch.stack(alpha_and_sigma(t)), torch.stack(alpha_and_sigma(torch.tensor(float(t)))))


def test_a_thousand_small_steps_are_one_jump():
    """Mean and variance of the chain z_t = √(1 − β) z_s + √β ε, followed step by step."""
    times = torch.linspace(0, 1, 1001).double()
    alpha, sigma = alpha_and_sigma(times)
    beta = step_variance(times[:-1], times[1:])
    mean, variance = alpha[0], sigma[0].square()
    for b in beta:
        mean, variance = (1 - b).sqrt() * mean, (1 - b) * variance + b
    assert torch.allclose(torch.stack([mean, variance]), torch.stack([alpha[-1], sigma[-1].square()]))


def test_noise_is_added_to_each_row_at_its_own_time_whatever_the_rows_shape():
    x, eps = torch.randn(2, 3, 1, 28, 28)
    t = torch.tensor([0.0, 0.5, 1.0])
    alpha, sigma = alpha_and_sigma(t)
    for k in range(3):
        assert torch.allclose(noised(x, t, eps)[k], alpha[k] * x[k] + sigma[k] * eps[k])


@pytest.mark.parametrize("k", range(3))
def test_the_posterior_of_a_step_is_bayes_on_a_grid(k):
    s, t, x, z_t = S[k], T[k], 0.7, torch.tensor(-0.4).double()
    (alpha_s, sigma_s), (alpha_t, _) = alpha_and_sigma(s), alpha_and_sigma(t)
    beta = step_variance(s[None], t[None])[0]
    grid = torch.linspace(-8, 8, 200_001).double()
    log_joint = Normal(alpha_s * x, sigma_s).log_prob(grid)
    log_joint += Normal(alpha_t / alpha_s * grid, beta.sqrt()).log_prob(z_t)
    weights = log_joint.softmax(0)
    mean = weights @ grid
    found = step_posterior(z_t.view(1, 1), torch.tensor([[x]]).double(), s[None], t[None])
    assert torch.allclose(found[0][0, 0], mean)
    assert torch.allclose(found[1][0], weights @ (grid - mean).square(), rtol=1e-4)


@pytest.mark.parametrize("variance", ["posterior", "beta"])
def test_the_kl_of_a_step_is_that_of_both_gaussians(variance):
    x, x_hat, z_t = torch.randn(3, 3, 4, generator=torch.Generator().manual_seed(0)).double()
    mean, spread = step_posterior(z_t, x, S, T)
    guess, _ = step_posterior(z_t, x_hat, S, T)
    width = step_variance(S, T) if variance == "beta" else spread
    both = Normal(mean, spread.sqrt()[:, None]), Normal(guess, width.sqrt()[:, None])
    assert torch.allclose(step_kl(x, x_hat, S, T, variance), kl_divergence(*both).sum(1))


def test_the_kl_of_a_step_is_its_integral():
    x, x_hat, z_t = torch.tensor([[[0.6]], [[0.2]], [[-0.1]]]).double()
    s, t = S[1:2], T[1:2]
    grid = torch.linspace(-6, 6, 100_001).double()
    q, p = (Normal(m[0, 0], v.sqrt()) for m, v in (step_posterior(z_t, of, s, t) for of in (x, x_hat)))
    log_q = q.log_prob(grid)
    integral = torch.trapezoid(log_q.exp() * (log_q - p.log_prob(grid)), grid)
    assert step_kl(x, x_hat, s, t).item() == pytest.approx(integral.item(), rel=1e-6)


def test_the_ends_of_the_chain_are_their_densities_means():
    x = torch.tensor([[0.4, -1.0]]).double().expand(2000, -1)
    torch.manual_seed(0)
    reconstruction, kl = end_terms(exact, x)
    zero = torch.zeros(1).double()
    alpha, sigma = alpha_and_sigma(zero + 1)
    q = Normal(alpha * x[0], sigma.expand(2))
    assert kl[0].item() == pytest.approx(kl_divergence(q, Normal(0.0, 1.0)).sum().item(), rel=1e-6)
    torch.manual_seed(0)
    eps, sigma_0 = torch.randn_like(x), alpha_and_sigma(zero)[1]
    x_hat = exact(noised(x, zero.expand(len(x)), eps), zero.expand(len(x)))
    assert torch.allclose(reconstruction, -Normal(x_hat, sigma_0).log_prob(x).sum(1))


def test_with_the_exact_denoiser_the_bound_lies_above_and_its_gap_falls_like_one_over_t():
    for variance in ("posterior", "beta"):
        gaps = [exact_gap(exact, two_humps(), steps, variance) for steps in (4, 16, 64, 256)]
        assert all(gap > 0 for gap in gaps)
        assert gaps == sorted(gaps, reverse=True)
        assert 3 < gaps[2] / gaps[3] < 5


def test_on_a_standard_normal_the_gap_is_28_over_t_and_with_beta_nothing():
    normal = Normal(torch.tensor(0.0).double(), 1.0)
    for steps in (1, 4, 64):
        assert exact_gap(for_a_standard_normal, normal, steps, "beta") == pytest.approx(0, abs=1e-3)
    assert 512 * exact_gap(for_a_standard_normal, normal, 512, "posterior") == pytest.approx(28, abs=0.5)


def test_the_discrete_bound_draws_what_quadrature_integrates():
    torch.manual_seed(0)
    x = two_humps().sample((5000, 1))
    drawn = discrete_bound(exact, x, 8) + two_humps().log_prob(x[:, 0])
    error = drawn.std().item() / sqrt(len(x))
    assert drawn.mean().item() == pytest.approx(exact_gap(exact, two_humps(), 8, "posterior"), abs=4 * error)
    assert error < 0.4


@pytest.mark.parametrize("denoise", [exact, for_a_standard_normal])
def test_the_bound_of_infinitely_many_steps_is_minus_log_p(denoise):
    """Twenty dimensions: the exact score of N(0, I) gives its −log, that of the mixture its own."""
    torch.manual_seed(1)
    of_each = two_humps() if denoise is exact else Normal(0.0, 1.0)
    x = of_each.sample((4000, 20))
    gap = continuous_bound(denoise, x, draws=10) + of_each.log_prob(x).sum(1)
    error = gap.std().item() / sqrt(len(x))
    assert abs(gap.mean().item()) < 3 * error
    assert error < 0.3


def test_stated_error_is_that_of_repeated_bounds():
    torch.manual_seed(2)
    x = torch.randn(300, 5)
    bounds = torch.stack([continuous_bound(for_a_standard_normal, x, draws=4) for _ in range(60)])
    stated = (bounds + Normal(0.0, 1.0).log_prob(x).sum(1)).std(1).mean() / sqrt(300)
    assert 0.5 * stated < bounds.mean(1).std() < 1.1 * stated


def test_the_weighted_loss_counts_squares_of_noise():
    x, eps = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(3)).double()
    t = torch.linspace(0.1, 0.9, 5).double()
    loss = weighted_denoising(lambda z, t: 0.5 * z, x, t, eps)
    z_t = noised(x, t, eps)
    assert torch.allclose(loss, 8 * (eps - eps_from_x(z_t, 0.5 * z_t, t)).square().sum(1))


def test_a_network_can_be_trained_by_it():
    scale = torch.ones((), requires_grad=True)
    t = stratified_times(64)
    weighted_denoising(lambda z, t: scale * z, torch.randn(64, 3), t, torch.randn(64, 3)).mean().backward()
    assert scale.grad.abs() > 0


def test_stratified_times_have_one_in_each_stratum_in_random_order():
    t = stratified_times(1000)
    assert torch.equal((1000 * t).floor().sort().values, torch.arange(1000.0))
    assert not torch.equal(t.sort().values, t)


def test_four_forms_of_one_guess():
    z_t, x_hat = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(4)).double()
    t = torch.linspace(0, 1, 5).double()
    eps, score, v = (f(z_t, x_hat, t) for f in (eps_from_x, score_from_x, v_from_x))
    sigma = alpha_and_sigma(t)[1][:, None]
    assert torch.allclose(noised(x_hat, t, eps), z_t)
    assert torch.allclose(score, -eps / sigma)
    for back, of in ((x_from_eps, eps), (x_from_score, score), (x_from_v, v)):
        assert torch.allclose(back(z_t, of, t), x_hat)


def test_the_exact_denoisers_score_is_the_gradient_of_log_p():
    t = torch.linspace(0.05, 0.95, 7)
    z = torch.linspace(-2, 2, 7).requires_grad_()
    by_autograd = torch.autograd.grad(two_humps(t).log_prob(z).sum(), z)[0]
    assert torch.allclose(score_from_x(z[:, None], exact(z[:, None], t), t)[:, 0], by_autograd, rtol=1e-3, atol=1e-4)


def test_half_a_nat_of_unequal_variances():
    """½ (r − 1 − log r) per dimension where the guess is perfect and p's variance is β."""
    x = torch.randn(3, 4).double()
    r = alpha_and_sigma(S)[1].square() / alpha_and_sigma(T)[1].square()
    assert torch.allclose(step_kl(x, x, S, T, "beta"), 4 * 0.5 * (r - 1 - r.log()))
