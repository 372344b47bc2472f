"""−ELBO under a prior of the model's own: against the closed form, against quadrature, at one and the same z."""

from vae_helpers import losses
from vae_helpers.losses import Loss, conditional_prior_loss, kl_on_grid, prior_loss
from vae_helpers.models import VAE, ClassMixture, ConditionalVAE, Mixture, StandardGaussian

import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Categorical, MixtureSameFamily, Normal

X = torch.rand(40, 1, 28, 28, generator=torch.Generator().manual_seed(0))
Y = torch.arange(40) % 10
GRID = torch.linspace(-15, 15, 6001, dtype=torch.float64)


def model_with(prior, kind=VAE, d=1):
    torch.manual_seed(0)
    model = kind(d, (8,))
    with torch.no_grad():
        model.encoder[-1].weight *= 2
        for parameter in prior.parameters():
            parameter.copy_(torch.randn_like(parameter)) if parameter.requires_grad else None
    model.prior = prior
    return model.requires_grad_(False)


def draws(loss, n=300):
    """Mean of each part of a loss over n calls, and its standard error."""
    torch.manual_seed(1)
    parts = torch.tensor([[part.item() for part in loss()[:2]] for _ in range(n)], dtype=torch.float64)
    return parts.mean(0), parts.std(0) / n**0.5


def mixture_of(logits, means, logvars):
    each = Normal(means.squeeze(-1).double(), (logvars.squeeze(-1).double() / 2).exp())
    return MixtureSameFamily(Categorical(logits=logits.double()), each)


def kl_by_quadrature(mu, logvar, p):
    """KL of each cloud on the line to p, from grids of log densities."""
    q = Normal(mu.double(), (logvar.double() / 2).exp())
    return kl_on_grid(q.log_prob(GRID), p.log_prob(GRID), GRID)


def test_under_the_standard_gaussian_it_is_vae_loss_on_average():
    model = model_with(StandardGaussian(3), d=3)
    sampled, error = draws(lambda: prior_loss(model, X))
    mu, logvar = model.encode(X)
    exact = losses.kl_to_standard_normal(mu, logvar).mean()
    assert abs(sampled[1] - exact) < 4 * error[1] and error[1] < 0.05 * exact
    plain = VAE(3, (8,))
    plain.load_state_dict({n: v for n, v in model.state_dict().items() if not n.startswith("prior")})
    torch.manual_seed(2)
    one = prior_loss(model, X)
    torch.manual_seed(2)
    assert torch.allclose(one.reconstruction, losses.vae_loss(plain, X).reconstruction)


def test_the_kl_to_a_mixture_is_that_of_quadrature():
    model = model_with(Mixture(4, 1))
    sampled, error = draws(lambda: prior_loss(model, X))
    exact = kl_by_quadrature(*model.encode(X), mixture_of(*model.prior.parameters())).mean()
    assert abs(sampled[1] - exact) < 4 * error[1] and error[1] < 0.05 * exact


def test_the_conditional_kl_is_to_the_mixture_of_the_label():
    model = model_with(ClassMixture(4, 1), ConditionalVAE)
    sampled, error = draws(lambda: conditional_prior_loss(model, X, Y))
    mu, logvar = model.encode(X, Y)
    exact = [
        kl_by_quadrature(mu[i : i + 1], logvar[i : i + 1], mixture_of(*(p[y] for p in model.prior.parameters())))
        for i, y in enumerate(Y)
    ]
    exact = torch.cat(exact).mean()
    assert abs(sampled[1] - exact) < 4 * error[1] and error[1] < 0.05 * exact


class Watched(nn.Module):
    """A prior that keeps what it is asked about."""

    def log_prob(self, z, y=None):
        self.z, self.y = z, y
        return z.sum(1)


@pytest.mark.parametrize(("kind", "loss"), [(VAE, prior_loss), (ConditionalVAE, conditional_prior_loss)])
def test_both_logarithms_are_taken_at_the_z_that_is_decoded(kind, loss):
    model, seen = model_with(Watched(), kind, 3), []
    decode = model.decode
    model.decode = lambda z, y=None: seen.append(z) or decode(z, y)
    result = loss(model, X, Y, beta=2.0)
    z, (mu, logvar) = model.prior.z, model.encode(X, Y) if kind is ConditionalVAE else model.encode(X)
    assert seen[0] is z and model.prior.y is Y
    log_q = Normal(mu, (logvar / 2).exp()).log_prob(z).sum(1)
    assert result.kl.item() == pytest.approx((log_q - z.sum(1)).mean().item(), rel=1e-4)
    nll = -Bernoulli(logits=decode(z, Y), validate_args=False).log_prob(X).sum((1, 2, 3)).mean()
    assert result.reconstruction.item() == pytest.approx(nll.item(), rel=1e-5)
    assert isinstance(result, Loss) and result.beta == 2


def test_gradients_reach_the_prior_and_the_encoder():
    model = model_with(Mixture(4, 3), d=3).requires_grad_(True)
    prior_loss(model, X).total.backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())


@pytest.mark.parametrize(
    "loss",
    [
        losses.vae_loss,
        losses.binarized_loss,
        losses.free_bits_loss,
        lambda model, x: losses.WarmUp(losses.vae_loss, 5)(model, x),
    ],
)
def test_a_closed_kl_to_n01_is_refused_where_the_model_has_a_prior(loss):
    with pytest.raises(TypeError, match=r"model has a prior of its own \(Mixture\).*use losses.prior_loss"):
        loss(model_with(Mixture(4, 3), d=3), X)


def test_so_is_the_conditional_one():
    with pytest.raises(TypeError, match=r"\(ClassMixture\).*losses.conditional_prior_loss"):
        losses.conditional_vae_loss(model_with(ClassMixture(4, 3), ConditionalVAE, 3), X, Y)


def test_log_joint_asks_the_prior():
    model, z = model_with(Mixture(4, 1)), torch.randn(40, 1)
    log_p = -Bernoulli(logits=model.decode(z), validate_args=False).log_prob(X).sum((1, 2, 3))
    expected = mixture_of(*model.prior.parameters()).log_prob(z.squeeze(1)) - log_p
    assert torch.allclose(losses.joint_log_prob(model, X, z), expected.float(), rtol=1e-5)
    labelled = model_with(ClassMixture(4, 1), ConditionalVAE)
    gain = losses.joint_log_prob(labelled, X, z, Y) - labelled.prior.log_prob(z, Y)
    assert torch.allclose(gain, -losses.bernoulli_nll(labelled.decode(z, Y), X))
