"""The bound of K draws: against the ELBO, against log p(x) of a linear model, its gradient, its binarized images."""

from vae_helpers import losses
from vae_helpers.losses import (
    LinearGaussian,
    binarized_iwae_loss,
    gaussian_nll,
    iwae_loss,
    log_mean_exp,
    log_weights,
    normalized_weights,
)
from vae_helpers.models import VAE, ClassMixture, ConditionalVAE, LinearVAE, Mixture, StandardGaussian

import pytest
import torch
from torch import nn

torch.manual_seed(0)
X = torch.rand(6, 1, 28, 28)
X_BIN = X.round()
Y = torch.arange(6)


def with_prior(prior, kind=VAE):
    torch.manual_seed(0)
    model = kind(3, (8,))
    model.prior = prior
    return model


class OfGaussian(nn.Module):
    def __init__(self, logvar_x):
        super().__init__()
        self.logvar_x = logvar_x

    def nll(self, x_hat, x):
        return gaussian_nll(x_hat, x, self.logvar_x)


def linear_model(spoiled=1.0):
    """A LinearVAE in float64 whose q is the exact posterior, or, spoiled, a wider one off its place."""
    torch.manual_seed(3)
    model = LinearVAE(2).double()
    model.likelihood = OfGaussian(model.logvar_x)
    W = torch.linalg.qr(torch.randn(784, 2, dtype=torch.float64)).Q * torch.tensor([3.0, 2.0], dtype=torch.float64)
    with torch.no_grad():
        model.logvar_x.fill_(-2.0)
        model.decoder.weight.copy_(W)
        model.decoder.bias.fill_(0.5)
        sigma2 = model.logvar_x.exp()
        precision = W.T @ W / sigma2 + torch.eye(2)
        model.encoder.weight.copy_(torch.linalg.inv(precision) @ W.T / sigma2 * (1 + spoiled / 2))
        model.logvar.copy_(-precision.diagonal().log() + spoiled)
    return model.requires_grad_(False), LinearGaussian(
        W, torch.full((784,), 0.5).double(), sigma2.item(), torch.ones(784).double()
    )


def test_on_the_exact_posterior_one_draw_is_log_p():
    model, exact = linear_model(spoiled=0.0)
    weights = log_weights(model, X.double(), k=3)
    assert torch.allclose(weights, losses.log_evidence(exact, X.double().flatten(1)).expand(3, -1))


def test_more_draws_lead_from_the_elbo_up_to_log_p_of_a_linear_model():
    model, exact = linear_model()
    x = X.double()
    log_p = losses.log_evidence(exact, x.flatten(1))
    torch.manual_seed(0)
    weights = log_weights(model, x, k=4000)
    gaps = {k: (log_p - log_mean_exp(weights.view(k, -1, 6).flatten(1)).view(-1, 6).mean(0)).mean() for k in (1, 5, 25)}
    reconstruction = losses.linear_vae_loss_exact(model, x)
    assert gaps[1].item() == pytest.approx((log_p.mean() + reconstruction.total).item(), rel=0.05)
    assert gaps[1] > 2 * gaps[5] > 4 * gaps[25] > 0
    assert torch.allclose(log_mean_exp(weights), log_p, atol=0.06)


def test_one_draw_is_the_elbo_under_the_models_prior():
    for prior in (StandardGaussian(3), Mixture(4, 3)):
        model = with_prior(prior)
        torch.manual_seed(1)
        elbo = losses.prior_loss(model, X_BIN)
        torch.manual_seed(1)
        assert torch.allclose(iwae_loss(model, X_BIN, k=1).total, elbo.total)


def test_a_model_without_a_prior_of_its_own_has_the_standard_one():
    model = with_prior(StandardGaussian(3))
    torch.manual_seed(1)
    asked = iwae_loss(model, X_BIN, k=4).total
    del model.prior
    torch.manual_seed(1)
    assert torch.allclose(iwae_loss(model, X_BIN, k=4).total, asked)


def test_the_bound_is_the_log_of_the_mean_weight_of_each_image():
    model = with_prior(Mixture(4, 3))
    torch.manual_seed(1)
    weights = log_weights(model, X_BIN, k=7)
    torch.manual_seed(1)
    loss = iwae_loss(model, X_BIN, k=7)
    expected = (weights.double() - weights.double().amax(0)).exp().mean(0).log() + weights.amax(0)
    assert weights.shape == (7, 6)
    assert torch.allclose(loss.total.double(), -expected.mean()) and loss.kl == 0


def test_draws_differ_and_each_is_weighed_where_it_was_drawn():
    model = with_prior(Mixture(4, 3))
    mu, logvar = model.encode(X_BIN)
    torch.manual_seed(1)
    weights = log_weights(model, X_BIN, k=2)
    torch.manual_seed(1)
    eps = torch.randn(2, 6, 3)
    for found, e in zip(weights, eps, strict=True):
        joint = lambda z: losses.joint_log_prob(model, X_BIN, z)  # noqa: E731
        assert torch.allclose(found, losses.log_weight(joint, mu, logvar, e), atol=1e-3)


def test_its_gradient_is_that_of_the_log_weights_in_their_normalized_shares():
    model = with_prior(Mixture(4, 3)).double()
    x = X_BIN.double()
    parameters = list(model.parameters())
    torch.manual_seed(1)
    of_bound = torch.autograd.grad(iwae_loss(model, x, k=5).total, parameters)
    torch.manual_seed(1)
    weights = log_weights(model, x, k=5)
    shares = normalized_weights(weights.detach())
    of_shares = torch.autograd.grad(-(shares * weights).sum(0).mean(), parameters)
    assert torch.allclose(shares.sum(0), torch.ones(6).double()) and shares.std(0).min() > 0
    for one, other in zip(of_bound, of_shares, strict=True):
        assert torch.allclose(one, other, rtol=1e-6, atol=1e-9)


def test_a_conditional_model_is_bounded_given_the_label():
    model = with_prior(ClassMixture(4, 3), ConditionalVAE)
    torch.manual_seed(1)
    elbo = losses.conditional_prior_loss(model, X_BIN, Y)
    torch.manual_seed(1)
    assert torch.allclose(iwae_loss(model, X_BIN, Y, k=1).total, elbo.total)
    assert log_weights(model, X_BIN, Y, k=4).shape == (4, 6)
    with pytest.raises(TypeError, match="y is missing"):
        iwae_loss(model, X_BIN)


def test_labels_pass_by_a_model_that_sees_none():
    model = with_prior(ClassMixture(4, 3))
    torch.manual_seed(1)
    elbo = losses.prior_loss(model, X_BIN, Y)
    torch.manual_seed(1)
    assert torch.allclose(iwae_loss(model, X_BIN, Y, k=1).total, elbo.total)
    assert not losses.sees_labels(model) and losses.sees_labels(ConditionalVAE(3, (8,)))


def test_grey_images_are_refused_and_binarized_ones_made_anew():
    model = with_prior(Mixture(4, 3))
    with pytest.raises(ValueError, match=r"x must hold floats 0 and 1 only: draw it with torch\.bernoulli"):
        iwae_loss(model, X)
    seen, encode = [], model.encode
    model.encode = lambda x: seen.append(x) or encode(x)
    for _ in range(2):
        binarized_iwae_loss(model, X, k=2)
    assert set(seen[0].unique().tolist()) == {0.0, 1.0} and not torch.equal(*seen)
