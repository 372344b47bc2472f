"""The ELBO as a loss, and the parts of the importance sampler, against torch.distributions."""

from vae_helpers import losses
from vae_helpers.losses import log_mean_exp, log_weight
from vae_helpers.models import VAE, SmoothVAE

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

torch.manual_seed(0)
MU, LOGVAR = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64)
X = torch.rand(5, 1, 28, 28, dtype=torch.float64)


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
    torch.manual_seed(0)
    model, x = VAE(3, hidden=(8,)), torch.rand(1, 1, 28, 28)
    once, many = losses.vae_loss(model, x), losses.vae_loss(model, x.expand(200, -1, -1, -1))
    assert once.kl.item() == pytest.approx(many.kl.item(), rel=1e-4)
    assert once.reconstruction.item() == pytest.approx(many.reconstruction.item(), rel=0.02)


def test_a_vae_loss_weighs_the_kl_once_unless_told_otherwise():
    torch.manual_seed(0)
    model, x = VAE(3, (8,)), X.float()
    torch.manual_seed(1)
    plain = losses.vae_loss(model, x)
    torch.manual_seed(1)
    doubled = losses.vae_loss(model, x, beta=2.0)
    assert plain.total.item() == pytest.approx((plain.reconstruction + plain.kl).item())
    assert (doubled.total - plain.total).item() == pytest.approx(plain.kl.item(), rel=1e-3)


def test_a_weight_is_the_joint_divided_by_the_density_of_its_draw():
    mu, logvar, eps = torch.randn(3, 5, 4, dtype=torch.float64).unbind()
    seen = []
    weight = log_weight(lambda z: seen.append(z) or z.sum(1), mu, logvar, eps)
    sigma = logvar.exp().sqrt()
    assert torch.allclose(seen[0], mu + sigma * eps)
    assert torch.allclose(weight, seen[0].sum(1) - Normal(mu, sigma).log_prob(seen[0]).sum(1))


def test_the_mean_log_weight_is_the_elbo():
    """With p(x, z) = N(z; 0, I) the ELBO is −KL(q ‖ N(0, I))."""
    mu, logvar = torch.tensor([[0.5, -1.0]]), torch.tensor([[-1.0, 0.3]])
    joint = lambda z: Normal(0.0, 1.0).log_prob(z).sum(1)  # noqa: E731
    torch.manual_seed(0)
    eps = torch.randn(20_000, 2)
    weights = log_weight(joint, mu.expand_as(eps), logvar.expand_as(eps), eps)
    elbo = -kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum()
    assert abs(weights.mean() - elbo) < 4 * weights.std() / len(weights) ** 0.5


def test_log_mean_exp_is_the_log_of_the_mean_for_each_column():
    log_weights = torch.randn(7, 3, dtype=torch.float64)
    assert torch.allclose(log_mean_exp(log_weights), log_weights.exp().mean(0).log())


def test_log_mean_exp_neither_underflows_nor_overflows():
    for shift in (-2000.0, 2000.0):
        weights = shift + torch.tensor([[0.0], [1.0]])
        expected = shift + torch.tensor((1 + torch.e) / 2).log()
        assert log_mean_exp(weights).item() == pytest.approx(expected.item())


def test_the_loss_sees_coins_tossed_anew_and_never_grey():
    seen, x = [], torch.full((4, 1, 28, 28), 0.3)

    class Spy(SmoothVAE):
        def encode(self, x):
            seen.append(x)
            return super().encode(x)

    model = Spy(3, (8,))
    for _ in range(2):
        losses.binarized_loss(model, x)
    assert set(seen[0].unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(*seen)
    assert seen[0].mean().item() == pytest.approx(0.3, abs=0.04)


def test_the_loss_is_the_elbo_of_the_binarized_image():
    model = SmoothVAE(2, (8,))
    with torch.no_grad():
        model.decoder[-1].weight.zero_()
    x = torch.zeros(4, 1, 28, 28)
    x[:, :, :14] = 1.0  # black and white already: the toss changes nothing
    loss = losses.binarized_loss(model, x, beta=0.5)
    oracle = -Bernoulli(logits=model.decoder[-1].bias).log_prob(x.flatten(1)).sum(1).mean()
    mu, logvar = model.encode(x)
    kl = kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum(1).mean()
    assert torch.allclose(loss.reconstruction, oracle) and torch.allclose(loss.kl, kl) and loss.beta == 0.5


def test_the_mean_of_a_single_images_weights_is_a_number():
    assert log_mean_exp(torch.tensor([1.0, 3.0]).log()).item() == pytest.approx(torch.tensor(2.0).log())
