"""A refined q against a model whose best q is known: the linear-Gaussian one, whose posterior is Gaussian."""

from vae_helpers import evaluation
from vae_helpers.losses import joint_log_prob, kl_to_standard_normal, vae_loss
from vae_helpers.models import VAE, FullGaussian

import pytest
import torch
from torch import nn


class Straight(nn.Module):
    """Pixels are Gaussian around a straight decoder: the posterior is N(W x/(W·W + σ²), σ²/(W·W + σ²)), d = 1."""

    latent_dim, width = 1, 4.0

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.linspace(0, 1, 784))
        self.likelihood = self

    def encode(self, x):
        return torch.zeros(len(x), 1), torch.zeros(len(x), 1)

    def decode(self, z, y=None):
        return (z * self.w).view(-1, 1, 28, 28)

    def nll(self, x_hat, x):
        return 0.5 * ((x - x_hat) / self.width).square().flatten(1).sum(1)


@pytest.fixture
def x_bin():
    return torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(1)).round()


def test_where_the_posterior_is_gaussian_it_is_found():
    model = Straight()
    images = torch.rand(100, 1, 28, 28, generator=torch.Generator().manual_seed(1)).round()
    rough = evaluation.refined_q(model, model.encode, images, steps=300, lr=0.05)
    mu, logvar = evaluation.refined_q(model, lambda _: rough, images, steps=500, lr=0.01)
    square = model.w.square().sum() + model.width**2
    exact = images.flatten(1) @ model.w[:, None] / square
    assert (mu - exact).square().mean() < 0.2**2 * model.width**2 / square  # a fifth of the posterior's width
    assert (logvar - (model.width**2 / square).log()).mean().abs() < 0.1


def test_a_prior_of_the_models_own_is_asked(x_bin):
    model, at = Straight(), 3.0
    model.w.data.mul_(0.1)  # pixels say little, so that the posterior stays near the prior
    model.prior = FullGaussian(torch.tensor([at]), torch.eye(1))
    rough = evaluation.refined_q(model, model.encode, x_bin, steps=400, lr=0.05)
    mu, _ = evaluation.refined_q(model, lambda _: rough, x_bin, steps=300, lr=0.01)
    square, width = model.w.square().sum().item(), model.width**2
    exact = (x_bin.flatten(1) @ model.w[:, None] + width * at) / (square + width)
    assert (mu - exact).abs().max() < 0.2


def test_the_bound_gets_better_and_the_model_stays_as_it_is(x_bin):
    torch.manual_seed(0)
    model = VAE(3, (8,))
    before = [w.detach().clone() for w in model.parameters()]
    q = evaluation.refined_q(model, model.encode, x_bin)

    def bound(mu, logvar):
        eps = torch.randn(300, *mu.shape, generator=torch.Generator().manual_seed(0))
        z = (mu + (0.5 * logvar).exp() * eps).flatten(0, 1)
        nll = -joint_log_prob(model, x_bin.repeat(300, 1, 1, 1), z) - 0.5 * (z.square() + 1.8379).sum(1)
        return nll.mean() + kl_to_standard_normal(mu, logvar).mean()

    with torch.no_grad():
        assert bound(*q) < bound(*model.encode(x_bin)) - 1
    assert all(torch.equal(w, old) for w, old in zip(model.parameters(), before, strict=True))
    assert all(w.grad is None for w in model.parameters())
    assert not any(t.requires_grad for t in q)


def test_it_works_without_gradients_around_and_leaves_the_random_state_alone(x_bin):
    model = VAE(3, (8,))
    state = torch.get_rng_state()
    with torch.no_grad():
        first, again = (evaluation.refined_q(model, model.encode, x_bin, steps=3) for _ in range(2))
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert vae_loss(model, x_bin).total.requires_grad
