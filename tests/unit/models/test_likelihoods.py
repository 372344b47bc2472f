"""The four likelihoods against torch.distributions, and what a VAE does with them."""

from vae_helpers import data, models
from vae_helpers.evaluation import importance_sampled_log_p
from vae_helpers.losses import vae_loss
from vae_helpers.models import LIKELIHOODS, VAE

import pytest
import torch
from torch.distributions import Bernoulli, ContinuousBernoulli, Normal

every = pytest.mark.parametrize("name", LIKELIHOODS)
one_plane = torch.linspace(-4, 4, 5 * 784).view(5, 1, 28, 28)
X = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def outputs_for(likelihood):
    random = torch.Generator().manual_seed(1)
    return torch.randn(5, likelihood.outputs_per_pixel, 28, 28, generator=random)


def oracle(name, likelihood, outputs):
    if name == "bernoulli":
        return Bernoulli(logits=outputs, validate_args=False)
    if name == "continuous_bernoulli":
        return ContinuousBernoulli(logits=outputs.double())
    if name == "gaussian":
        return Normal(outputs.sigmoid(), likelihood.logvar_x.exp().sqrt())
    return Normal(outputs[:, :1].sigmoid(), outputs[:, 1:].exp().sqrt().clamp(min=likelihood.least_sigma_x))


@every
def test_the_negative_log_is_that_of_torch_distributions(name):
    likelihood = LIKELIHOODS[name]()
    outputs = outputs_for(likelihood)
    expected = -oracle(name, likelihood, outputs).log_prob(X).flatten(1).sum(1).float()
    assert torch.allclose(likelihood.nll(outputs, X), expected, rtol=1e-4)


@every
def test_mean_and_draws_are_those_of_torch_distributions(name):
    likelihood = LIKELIHOODS[name]()
    outputs = outputs_for(likelihood)
    p = oracle(name, likelihood, outputs)
    torch.manual_seed(0)
    draws = torch.stack([likelihood.draw(outputs) for _ in range(2000)])
    assert torch.allclose(likelihood.mean(outputs), p.mean.float(), atol=2e-3)
    assert draws.shape[1:] == X.shape
    assert ((draws.mean(0) - p.mean).abs() < 6 * p.variance.sqrt() / 2000**0.5).all()
    assert torch.allclose(draws.var(0).mean(), p.variance.mean().float(), rtol=0.02)


@pytest.mark.parametrize("logit", [-60.0, -3.0, -0.01, 0.0, 0.3, 5.0, 60.0])
def test_the_continuous_bernoulli_is_right_however_sure_it_is(logit):
    """Oracle: its density by the trapezoidal rule. torch's own, in float32, is off by a quarter of a nat at ±20."""
    likelihood, x = LIKELIHOODS["continuous_bernoulli"](), torch.linspace(0, 1, 784 * 50).view(50, 1, 28, 28)
    fine = torch.linspace(0, 1, 1_000_001, dtype=torch.float64)
    form = (logit * (fine if logit < 0 else fine - 1)).exp()
    area = torch.trapezoid(form, fine)
    one_pixel = torch.full((50, 1, 28, 28), logit)
    shift = logit if logit > 0 else 0.0
    expected = (shift + area.log() - logit * x.double()).flatten(1).sum(1)
    assert torch.allclose(likelihood.nll(one_pixel, x).double(), expected, rtol=1e-3, atol=0.05)
    mean = torch.trapezoid(fine * form, fine) / area
    assert likelihood.mean(one_pixel)[0, 0, 0, 0].item() == pytest.approx(mean.item(), abs=2e-3)


def test_draws_of_coins_are_zeros_and_ones():
    likelihood = LIKELIHOODS["bernoulli"]()
    assert set(likelihood.draw(one_plane).unique().tolist()) == {0.0, 1.0}


def test_the_least_sigma_bounds_the_density_of_a_pixel_that_never_changes():
    likelihood = LIKELIHOODS["gaussian_per_pixel"]()
    outputs = torch.full((1, 2, 28, 28), -100.0)
    at_most = 784 * Normal(0.0, likelihood.least_sigma_x).log_prob(torch.tensor(0.0))
    assert torch.allclose(-likelihood.nll(outputs, torch.zeros(1, 1, 28, 28)), at_most)


@every
def test_a_vae_of_each_likelihood_learns_and_generates(name):
    torch.manual_seed(0)
    model = VAE(3, (20,), likelihood=name)
    loss = vae_loss(model, X)
    loss.total.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    x_hat = model.generate(torch.randn(7, 3))
    assert x_hat.shape == (7, 1, 28, 28) and x_hat.min() >= 0 and x_hat.max() <= 1


@every
def test_started_at_the_mean_each_draws_the_mean_image_or_has_it_as_parameter(name):
    x = torch.randint(20, 236, (50, 1, 28, 28), dtype=torch.uint8)
    model = VAE(2, likelihood=name)
    with torch.no_grad():
        model.decoder[-1].weight.zero_()
    models.start_at_mean(model, x)
    outputs = model.decode(torch.randn(1, 2))
    assert torch.allclose(outputs[0, :1].sigmoid(), data.mean_image(x), atol=1e-4)


def test_an_unknown_likelihood_is_refused_with_the_names():
    with pytest.raises(ValueError, match=r"likelihood must be one of 'bernoulli', .*, got 'poisson'"):
        VAE(2, likelihood="poisson")


def test_importance_sampling_uses_the_models_own_likelihood():
    from vae_helpers.losses import joint_log_prob

    torch.manual_seed(0)
    model = VAE(2, (20,), likelihood="gaussian")
    x, z = X[:3], torch.randn(3, 2)
    with torch.no_grad():
        expected = Normal(0.0, 1.0).log_prob(z).sum(1) - model.likelihood.nll(model.decode(z), x)
        assert torch.allclose(joint_log_prob(model, x, z), expected)
        estimate = importance_sampled_log_p(model.encode, lambda x, z: joint_log_prob(model, x, z), x, n_samples=5)
    assert estimate.shape == (3,) and estimate.isfinite().all()


def test_a_width_per_pixel_is_kept_between_its_least_and_seven():
    outputs = torch.cat(
        [torch.zeros(2, 1, 28, 28), torch.tensor([-100.0, 100.0]).view(2, 1, 1, 1).expand(2, 1, 28, 28)], 1
    )
    sigma_x = (0.5 * LIKELIHOODS["gaussian_per_pixel"]().parameters_of(outputs)[1]).exp()
    assert sigma_x[0].unique().item() == pytest.approx(0.05)
    assert sigma_x[1].unique().item() == pytest.approx(7.389, abs=1e-3)
