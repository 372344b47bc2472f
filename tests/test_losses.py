"""Losses against oracles: torch.distributions, autograd, Monte Carlo."""

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from vae_helpers import losses
from vae_helpers.losses import Loss
from vae_helpers.models import VAE, Autoencoder

torch.manual_seed(0)
MU, LOGVAR = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64)
LOGITS, X = torch.randn(5, 1, 28, 28, dtype=torch.float64), torch.rand(5, 1, 28, 28, dtype=torch.float64)


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


def test_bernoulli_nll_equals_torch_distributions_on_binary_images():
    x_bin = X.round()
    oracle = -Independent(Bernoulli(logits=LOGITS), 3).log_prob(x_bin)
    assert torch.allclose(losses.bernoulli_nll(LOGITS, x_bin), oracle)


def test_bernoulli_nll_of_grey_is_the_expectation_over_binarized_images():
    draws = torch.bernoulli(X[0].expand(20_000, 1, 28, 28))
    values = losses.bernoulli_nll(LOGITS[0].expand_as(draws), draws)
    error = values.std() / len(values) ** 0.5
    assert (values.mean() - losses.bernoulli_nll(LOGITS, X)[0]).abs() < 4 * error


def test_squared_error_is_a_gaussian_nll_with_variance_one_half_up_to_its_constant():
    oracle = -Independent(Normal(LOGITS, 0.5**0.5), 3).log_prob(X)
    assert torch.allclose(losses.squared_error(LOGITS, X) + 392 * torch.log(torch.tensor(torch.pi)), oracle)


def test_reparameterize_draws_from_the_posterior():
    mu, logvar = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([-2.0, 0.0, 1.0])
    z = losses.reparameterize(mu.expand(200_000, 3), logvar.expand(200_000, 3))
    oracle = Normal(mu, (logvar / 2).exp())
    for quantile in (0.1, 0.5, 0.9):
        share = (z < oracle.icdf(torch.tensor(quantile))).double().mean(0)
        assert torch.allclose(share, torch.full((3,), quantile, dtype=torch.float64), atol=0.005)


def test_reparameterize_passes_the_pathwise_gradient():
    mu, logvar = MU.clone().requires_grad_(), LOGVAR.clone().requires_grad_()
    z = losses.reparameterize(mu, logvar)
    z.sum().backward()
    assert torch.allclose(mu.grad, torch.ones_like(MU))
    assert torch.allclose(logvar.grad, 0.5 * (z - mu).detach())  # dz/dlogσ² = ½ σ ε


def test_vae_loss_is_an_unbiased_average_of_the_elbo_by_torch_distributions():
    model, x = VAE(3, hidden=(8,)), torch.rand(4, 1, 28, 28)
    mu, logvar = model.encode(x)
    q, prior = Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)
    oracle, drawn = [], []
    with torch.no_grad():
        for _ in range(400):
            z = q.sample()
            log_p = -losses.bernoulli_nll(model.decode(z), x)
            oracle.append((log_p + (prior.log_prob(z) - q.log_prob(z)).sum(1)).mean().item())
            drawn.append(losses.vae_loss(model, x).total.item())
    oracle, drawn = torch.tensor(oracle), torch.tensor(drawn)
    error = (oracle.var() / 400 + drawn.var() / 400).sqrt()
    assert (oracle.mean() + drawn.mean()).abs() < 4 * error


def test_vae_loss_is_per_image_whatever_the_batch():
    model, x = VAE(3, hidden=(8,)), torch.rand(1, 1, 28, 28)
    once, many = losses.vae_loss(model, x), losses.vae_loss(model, x.expand(200, -1, -1, -1))
    assert once.kl.item() == pytest.approx(many.kl.item(), rel=1e-4)
    assert once.reconstruction.item() == pytest.approx(many.reconstruction.item(), rel=0.02)


def test_beta_multiplies_the_kl_and_nothing_else():
    loss = Loss(torch.tensor(80.0), torch.tensor(25.0), beta=4.0)
    assert loss.total.item() == 180
    assert str(Loss(80.0, 25.0, 4.0)) == "180.00 = 80.00 + 4 · 25.00 nats per image"


def test_autoencoder_loss_sums_over_pixels_and_averages_over_the_batch():
    model, x = Autoencoder(3, hidden=(8,)), torch.rand(6, 1, 28, 28)
    mse = torch.nn.functional.mse_loss(model.generate(model.encode(x)), x)
    assert losses.autoencoder_loss(model, x).total.item() == pytest.approx(784 * mse.item(), rel=1e-5)
    assert losses.autoencoder_loss(model, x).kl == 0


@pytest.mark.parametrize("function", [losses.bernoulli_nll, losses.squared_error], ids=lambda f: f.__name__)
def test_shapes_that_would_broadcast_are_refused(function):
    with pytest.raises(ValueError, match=r"must have one shape, got \(5, 1, 28, 28\) and \(1, 1, 28, 28\)"):
        function(LOGITS, X[:1])


def test_a_logvar_that_would_broadcast_is_refused():
    with pytest.raises(ValueError, match="mu and logvar of kl_to_standard_normal must have one shape"):
        losses.kl_to_standard_normal(MU, LOGVAR[:, :1])


def test_bytes_are_refused_instead_of_summed_as_numbers_up_to_255():
    with pytest.raises(TypeError, match=r"must be floats.*to_float"):
        losses.squared_error(LOGITS.float(), (X * 255).byte())


def test_arguments_may_be_named():
    assert losses.kl_to_standard_normal(logvar=LOGVAR, mu=MU).shape == (5,)


def test_half_precision_is_summed_in_float32():
    logits = LOGITS.to(torch.bfloat16)
    assert losses.bernoulli_nll(logits, X.float()).dtype == torch.float32


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
    with pytest.raises(ValueError, match="must end in 4001"):
        losses.kl_on_grid(log_q[:-1], log_q[:-1], GRID)
    with pytest.raises(ValueError, match="NaN or infinite"):
        losses.elbo_on_grid(torch.where(GRID > 0, log_q, -torch.inf), log_q, GRID)


@pytest.mark.parametrize("loss", [losses.squared_error, losses.bernoulli_nll])
def test_pixels_may_lie_in_a_row_but_images_must_be_several(loss):
    flat = [LOGITS.flatten(1), X.flatten(1)]
    assert torch.equal(loss(*flat), loss(LOGITS, X))
    with pytest.raises(ValueError, match="must have"):
        loss(*(rows[0] for rows in flat))


@pytest.mark.parametrize(
    ("kl", "count"), [(losses.kl_to_standard_normal, 2), (losses.kl_to_class_mean, 3), (losses.kl_diagonal, 4)]
)
def test_a_kl_wants_rows_of_parameters(kl, count):
    with pytest.raises(ValueError, match="mu must have"):
        kl(*(count * [MU[0]]))


def test_a_vae_loss_weighs_the_kl_once_unless_told_otherwise():
    torch.manual_seed(0)
    model, x = VAE(3, (8,)), X.float()
    torch.manual_seed(1)
    plain = losses.vae_loss(model, x)
    torch.manual_seed(1)
    doubled = losses.vae_loss(model, x, beta=2.0)
    assert plain.total.item() == pytest.approx((plain.reconstruction + plain.kl).item())
    assert (doubled.total - plain.total).item() == pytest.approx(plain.kl.item(), rel=1e-3)
