"""Properties that losses and corruptions have for *any* input, tried on inputs that hypothesis thinks up.

Derandomized: the same inputs in every run, so that a failure is a failure for everybody.
"""

from math import log

from vae_helpers import data, evaluation, losses, models
from vae_helpers.losses import Loss
from vae_helpers.models import LinearVAE

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.distributions import Bernoulli, Independent, MultivariateNormal, Normal, kl_divergence

settings.register_profile(
    "still", derandomize=True, deadline=None, max_examples=25, suppress_health_check=list(HealthCheck), database=None
)
settings.load_profile("still")

SEEDS = st.integers(0, 10_000)
SIZES = st.tuples(st.integers(1, 7), st.integers(1, 5), SEEDS)  # batch, d, seed
IMAGES = st.tuples(st.integers(1, 5), SEEDS)
PROPORTIONS = st.floats(0, 1)
PIXELS = (1, 28, 28)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def draws(seed, *shape, n=1, spread=1.5):
    """n tensors of Gaussian numbers, float64."""
    g = seeded(seed)
    tensors = [spread * torch.randn(*shape, generator=g, dtype=torch.float64) for _ in range(n)]
    return tensors if n > 1 else tensors[0]


def images(n, seed):
    return torch.rand(n, *PIXELS, generator=seeded(seed), dtype=torch.float64)


def normal(mu, logvar):
    return Normal(mu, (0.5 * logvar).exp())


class Copy(torch.nn.Module):
    """Its code is the image, and its answer the code."""

    def encode(self, x):
        return x

    decode = encode


def close(a, b):
    return torch.allclose(a, b, rtol=1e-8, atol=1e-8)


# The KL between Gaussians


@given(SIZES)
def test_a_kl_is_that_of_torch_distributions(sizes):
    n, d, seed = sizes
    mu, logvar, mu_p, logvar_p = draws(seed, n, d, n=4)
    q, p, one = normal(mu, logvar), normal(mu_p, logvar_p), torch.zeros_like(mu)
    assert close(losses.kl_diagonal(mu, logvar, mu_p, logvar_p), kl_divergence(q, p).sum(1))
    assert close(losses.kl_to_standard_normal(mu, logvar), kl_divergence(q, normal(one, one)).sum(1))
    assert close(losses.kl_to_class_mean(mu, logvar, mu_p), kl_divergence(q, normal(mu_p, one)).sum(1))
    assert close(losses.kl_normal(mu, q.stddev, mu_p, p.stddev), kl_divergence(q, p))
    assert close(evaluation.kl_per_dimension(mu, logvar), kl_divergence(q, normal(one, one)).mean(0))


@given(SIZES)
def test_a_kl_is_never_negative_and_zero_only_between_equals(sizes):
    n, d, seed = sizes
    mu, logvar, mu_p, logvar_p = draws(seed, n, d, n=4)
    assert (losses.kl_diagonal(mu, logvar, mu_p, logvar_p) > 0).all()
    assert (losses.kl_to_standard_normal(mu, logvar) > 0).all()
    assert close(losses.kl_diagonal(mu, logvar, mu, logvar), torch.zeros(n).double())
    assert losses.kl_to_standard_normal(0 * mu, 0 * logvar).abs().max() == 0


@given(SIZES, st.sampled_from([-0.1, 0.1]))
def test_any_step_away_from_the_prior_costs(sizes, step):
    n, d, seed = sizes
    at = int(draws(seed, 1).abs() * 100) % (n * d)
    moved = torch.zeros(n * d).double().index_fill(0, torch.tensor(at), step).view(n, d)
    for mu, logvar in ((moved, 0 * moved), (0 * moved, moved)):
        kl = losses.kl_to_standard_normal(mu, logvar)
        assert (kl > 0).sum() == 1 and kl[at // d] > 0


@given(SIZES)
def test_the_general_kls_hold_the_special_ones(sizes):
    n, d, seed = sizes
    mu, logvar, mu_p, logvar_p = draws(seed, n, d, n=4)
    zero = torch.zeros_like(mu)
    assert close(losses.kl_to_class_mean(mu, logvar, zero), losses.kl_to_standard_normal(mu, logvar))
    assert close(losses.kl_diagonal(mu, logvar, mu_p, zero), losses.kl_to_class_mean(mu, logvar, mu_p))
    full = losses.kl_full(mu[0], logvar[0].exp().diag(), mu_p[0], logvar_p[0].exp().diag())
    assert close(full, losses.kl_diagonal(mu, logvar, mu_p, logvar_p)[0])


@given(SIZES)
def test_a_full_kl_is_that_of_torch_distributions_and_survives_a_rotation(sizes):
    _, d, seed = sizes
    mu_q, mu_p = draws(seed, d, n=2)
    factors = draws(seed + 1, d, d, n=3)
    cov_q, cov_p = (0.1 * torch.eye(d).double() + f @ f.T for f in factors[:2])
    kl = losses.kl_full(mu_q, cov_q, mu_p, cov_p)
    assert torch.allclose(
        kl, kl_divergence(MultivariateNormal(mu_q, cov_q), MultivariateNormal(mu_p, cov_p)), rtol=1e-6
    )
    turn = torch.linalg.qr(factors[2]).Q
    turned = losses.kl_full(turn @ mu_q, turn @ cov_q @ turn.T, turn @ mu_p, turn @ cov_p @ turn.T)
    assert torch.allclose(kl, turned, rtol=1e-6)


@given(SIZES)
def test_the_order_of_images_and_dimensions_does_not_matter(sizes):
    n, d, seed = sizes
    mu, logvar = draws(seed, n, d, n=2)
    rows, columns = torch.randperm(n, generator=seeded(seed)), torch.randperm(d, generator=seeded(seed))
    kl = losses.kl_to_standard_normal(mu, logvar)
    assert close(losses.kl_to_standard_normal(mu[rows], logvar[rows]), kl[rows])
    assert close(losses.kl_to_standard_normal(mu[:, columns], logvar[:, columns]), kl)
    assert close(evaluation.kl_per_dimension(mu[rows], logvar[rows]), evaluation.kl_per_dimension(mu, logvar))
    by_dimension = evaluation.kl_per_dimension(mu, logvar)
    assert close(evaluation.kl_per_dimension(mu[:, columns], logvar[:, columns]), by_dimension[columns])


@given(SIZES)
def test_a_kl_adds_up_over_dimensions(sizes):
    n, d, seed = sizes
    mu, logvar = draws(seed, n, 2 * d, n=2)
    parts = (
        losses.kl_to_standard_normal(mu[:, :d], logvar[:, :d]),
        losses.kl_to_standard_normal(mu[:, d:], logvar[:, d:]),
    )
    assert close(losses.kl_to_standard_normal(mu, logvar), sum(parts))


# Reconstructions


@given(IMAGES)
def test_reconstructions_are_those_of_torch_distributions(sizes):
    n, seed = sizes
    x, x_logits, logvar_x = images(n, seed), draws(seed, n, *PIXELS), draws(seed, ())
    bernoulli = Independent(Bernoulli(logits=x_logits), 3)
    assert close(losses.bernoulli_nll(x_logits, x.round()), -bernoulli.log_prob(x.round()))
    gaussian = Independent(Normal(x_logits, (0.5 * logvar_x).exp()), 3)
    assert close(losses.gaussian_nll(x_logits, x, logvar_x), -gaussian.log_prob(x))
    at_one_half = Independent(Normal(x_logits, 0.5**0.5), 3).log_prob(x)
    assert close(losses.squared_error(x_logits, x) + 392 * log(torch.pi), -at_one_half)


@given(IMAGES)
def test_cross_entropy_has_its_floor_at_the_image_itself(sizes):
    n, seed = sizes
    x = images(n, seed).clamp(1e-4, 1 - 1e-4)
    floor = losses.bernoulli_nll(x.logit(), x)
    entropy = -(x * x.log() + (1 - x) * (1 - x).log()).flatten(1).sum(1)
    assert close(floor, entropy)
    assert (losses.bernoulli_nll(x.logit() + draws(seed, n, *PIXELS), x) > floor).all()


@given(IMAGES)
def test_cross_entropy_calls_ink_paper_and_paper_ink_alike(sizes):
    n, seed = sizes
    x, x_logits = images(n, seed), draws(seed, n, *PIXELS)
    assert close(losses.bernoulli_nll(x_logits, x), losses.bernoulli_nll(-x_logits, 1 - x))


@pytest.mark.parametrize("nll", [losses.bernoulli_nll, losses.squared_error], ids=lambda f: f.__name__)
@given(sizes=IMAGES)
def test_a_loss_is_a_sum_over_pixels(nll, sizes):
    n, seed = sizes
    x, answer = images(n, seed), draws(seed, n, *PIXELS)
    twice = nll(torch.cat([answer, answer], 3), torch.cat([x, x], 3))
    assert close(twice, 2 * nll(answer, x))
    rows = torch.randperm(n, generator=seeded(seed))
    assert close(nll(answer[rows], x[rows]), nll(answer, x)[rows])
    pixels = torch.randperm(784, generator=seeded(seed))
    mixed = [t.flatten(1)[:, pixels].view_as(t) for t in (answer, x)]
    assert close(nll(*mixed), nll(answer, x))


@given(IMAGES)
def test_a_squared_error_is_symmetric_and_grows_with_the_square(sizes):
    n, seed = sizes
    a, b = images(n, seed), images(n, seed + 1)
    assert close(losses.squared_error(a, b), losses.squared_error(b, a))
    assert close(losses.squared_error(b + 3 * (a - b), b), 9 * losses.squared_error(a, b))
    assert losses.squared_error(a, a).abs().max() == 0


@given(IMAGES)
def test_a_gaussian_of_any_one_width_is_its_own_special_case_per_pixel(sizes):
    n, seed = sizes
    x, outputs = images(n, seed), draws(seed, n, *PIXELS)
    logvar_x = torch.tensor(-2.0).double()
    planes = torch.cat([outputs, torch.full_like(outputs, -2.0)], 1)
    expected = losses.gaussian_nll(outputs.sigmoid(), x, logvar_x)
    assert close(models.GaussianPerPixel().nll(planes, x), expected)


@given(st.floats(0, 500), st.floats(0, 50), st.floats(0, 10), st.floats(0, 10))
def test_a_loss_grows_with_beta_by_its_kl(reconstruction, kl, low, high):
    low, high = sorted((low, high))
    few, many = Loss(reconstruction, kl, low).total, Loss(reconstruction, kl, high).total
    assert few <= many
    assert many - few == pytest.approx((high - low) * kl, abs=1e-9 * (1 + reconstruction + kl * high))
    assert Loss(reconstruction, kl, 0).total == reconstruction
    assert Loss(reconstruction, kl).total == reconstruction + kl


@given(SIZES)
def test_a_draw_moves_with_its_mean_and_stretches_with_its_width(sizes):
    n, d, seed = sizes
    mu, logvar, shift = draws(seed, n, d, n=3)

    def draw(m, v):
        torch.manual_seed(seed)
        return losses.reparameterize(m, v)

    z = draw(mu, logvar)
    assert close(draw(mu + shift, logvar), z + shift)
    assert close(draw(mu, logvar + 2 * log(3)) - mu, 3 * (z - mu))
    assert close(draw(mu, torch.full_like(mu, -1000.0)), mu)


# On a grid


@given(st.tuples(st.integers(1, 4), st.integers(2, 60), SEEDS))
def test_on_a_grid_evidence_less_kl_is_the_elbo_for_every_row(sizes):
    rows, n, seed = sizes
    grid = torch.linspace(-3, 5, n, dtype=torch.float64)
    log_joint, log_q = draws(seed, rows, n, n=2)
    log_q = log_q - losses.log_evidence_on_grid(log_q, grid)[:, None]
    evidence = losses.log_evidence_on_grid(log_joint, grid)
    assert evidence.shape == (rows,)
    kl = losses.kl_on_grid(log_q, log_joint - evidence[:, None], grid)
    assert close(losses.elbo_on_grid(log_q, log_joint, grid), evidence - kl)
    assert (kl > -1e-9).all()
    assert close(losses.log_evidence_on_grid(log_joint - 900, grid), evidence - 900)


# Corruption

CORRUPTIONS = {
    "masking": data.masking,
    "salt_and_pepper": data.salt_and_pepper,
    "gaussian": data.gaussian,
    "clipped": lambda x, amount, generator=None: data.gaussian(x, amount, generator, clip=True),
}
every = pytest.mark.parametrize("corrupt", CORRUPTIONS.values(), ids=CORRUPTIONS)


@every
@given(sizes=IMAGES, amount=PROPORTIONS, dtype=st.sampled_from([torch.float32, torch.float64]))
def test_a_corruption_keeps_shape_dtype_and_the_clean_image(corrupt, sizes, amount, dtype):
    x = images(*sizes).to(dtype)
    before = x.clone()
    x_noisy = corrupt(x, amount, seeded(1))
    assert x_noisy.shape == x.shape and x_noisy.dtype == x.dtype
    assert torch.equal(x, before)
    if corrupt is not data.gaussian:
        assert x_noisy.min() >= 0 and x_noisy.max() <= 1
    assert torch.equal(x_noisy, corrupt(x, amount, seeded(1)))


@every
@given(sizes=IMAGES)
def test_an_amount_of_zero_changes_nothing(corrupt, sizes):
    x = images(*sizes)
    assert torch.equal(corrupt(x, 0, seeded(0)), x)
    assert torch.equal(corrupt(x, 0.0), x)


@given(IMAGES, PROPORTIONS)
def test_masking_hits_the_same_number_of_pixels_in_every_image_and_spares_the_rest(sizes, proportion):
    x = images(*sizes).clamp(min=0.01)
    x_noisy, chosen = (f(x, proportion, seeded(5)) for f in (data.masking, data.choose_pixels))
    assert (chosen.flatten(1).sum(1) == round(784 * proportion)).all()
    assert torch.equal(x_noisy == 0, chosen)
    assert torch.equal(x_noisy[~chosen], x[~chosen])


@given(IMAGES, PROPORTIONS)
def test_salt_and_pepper_touches_no_more_pixels_than_asked_and_makes_them_black_or_white(sizes, proportion):
    x = images(*sizes).clamp(0.01, 0.99)
    x_noisy = data.salt_and_pepper(x, proportion, seeded(5))
    changed = x_noisy != x
    assert (changed.flatten(1).sum(1) == round(784 * proportion)).all()
    assert ((x_noisy[changed] == 0) | (x_noisy[changed] == 1)).all()


@given(IMAGES, st.floats(0, 3))
def test_gaussian_noise_does_not_look_at_the_image_and_grows_with_sigma(sizes, sigma_noise):
    x = images(*sizes)
    noise = data.gaussian(x, sigma_noise, seeded(2)) - x
    assert torch.allclose(noise, data.gaussian(0 * x, sigma_noise, seeded(2)), atol=1e-12)
    assert torch.allclose(noise, sigma_noise * data.gaussian(0 * x, 1, seeded(2)), atol=1e-12)
    clipped = data.gaussian(x, sigma_noise, seeded(2), clip=True)
    assert torch.allclose(clipped, (x + noise).clamp(0, 1), atol=1e-12)


# Figures of merit


@given(st.tuples(st.integers(1, 9), st.integers(1, 4), SEEDS))
def test_a_log_of_means_lies_between_mean_and_largest_and_moves_with_its_weights(sizes):
    k, n, seed = sizes
    log_weights = draws(seed, k, n, spread=20)
    result = losses.log_mean_exp(log_weights)
    assert close(result, log_weights.exp().mean(0).log())
    assert (result >= log_weights.mean(0) - 1e-9).all() and (result <= log_weights.amax(0) + 1e-9).all()
    assert close(losses.log_mean_exp(log_weights - 5000), result - 5000)


@given(SIZES)
def test_a_weight_is_constant_where_q_is_the_posterior(sizes):
    n, d, seed = sizes
    mu, logvar, eps = draws(seed, n, d, n=3)
    posterior = normal(mu, logvar)
    joint = lambda z: posterior.log_prob(z).sum(1) - 7.5  # noqa: E731
    assert torch.allclose(losses.log_weight(joint, mu, logvar, eps), torch.full((n,), -7.5).double(), atol=1e-6)


@given(IMAGES, st.floats(0.01, 1))
def test_psnr_falls_by_twenty_times_the_log_of_the_error(sizes, step):
    x = 0.5 * images(*sizes)
    error = evaluation.mse(x + 0.5 * step, x)
    assert error == pytest.approx(0.25 * step**2, rel=1e-4)
    assert evaluation.psnr(error) == pytest.approx(-20 * log(0.5 * step) / log(10), abs=1e-2)


@given(st.tuples(st.integers(2, 9), st.integers(1, 4), SEEDS))
def test_codes_that_are_rescaled_say_as_much_of_a_factor(sizes):
    n, d, seed = sizes
    codes, factors = draws(seed, n, d, n=2)
    r2 = evaluation.r_squared(codes, factors)
    assert (r2 >= 0).all() and (r2 <= 1 + 1e-9).all()
    assert torch.allclose(r2, evaluation.r_squared(-3 * codes + 5, 0.1 * factors - 2), atol=1e-6)
    assert torch.allclose(evaluation.r_squared(codes, codes).diagonal(), torch.ones(d).double(), atol=1e-6)


@given(SIZES, st.floats(0, 1))
def test_a_walk_starts_and_ends_at_its_codes_and_back_is_the_same_way(sizes, t):
    n, d, seed = sizes
    z_a, z_b = draws(seed, n, d + 1, n=2)
    for way in (evaluation.straight, evaluation.spherical):
        assert torch.allclose(way(z_a, z_b, 0.0), z_a, atol=1e-6) and torch.allclose(way(z_a, z_b, 1.0), z_b, atol=1e-6)
        assert torch.allclose(way(z_a, z_b, t), way(z_b, z_a, 1 - t), atol=1e-6)


@given(st.integers(1, 4), SEEDS)
def test_the_linear_loss_of_moments_is_two_numbers_that_average_over_all_images(latent_dim, seed):
    torch.manual_seed(seed)
    model, x = LinearVAE(latent_dim).double(), images(9, seed)
    flat = x.flatten(1)
    mean = flat.mean(0)
    loss = losses.linear_vae_loss_of_moments(model, mean, (flat - mean).T @ (flat - mean) / len(x))
    exact = losses.linear_vae_loss_exact(model, x)
    assert loss.reconstruction.shape == loss.kl.shape == ()
    assert torch.allclose(loss.reconstruction, exact.reconstruction) and torch.allclose(loss.kl, exact.kl)


@given(IMAGES, st.floats(0.1, 3))
def test_a_denoising_loss_is_one_number_about_the_clean_image(sizes, factor):
    n, seed = sizes
    x = images(n, seed).float()
    loss = losses.denoising_loss(Copy(), x, corrupt=lambda clean: factor * clean)
    assert loss.reconstruction.shape == ()
    assert torch.allclose(loss.reconstruction, losses.bernoulli_nll(factor * x, x).mean())
    assert str(Loss(1.0, 2.0)) == "3.00 = 1.00 + 2.00 nats per image"
