"""A VAE with a mixture learned along, and that mixture's density by matrix products."""

from vae_helpers.losses import prior_loss
from vae_helpers.models import Mixture, MixtureVAE, QuickMixture

import pytest
import torch


def pair(k=7, d=5):
    torch.manual_seed(0)
    slow, quick = Mixture(k, d), QuickMixture(k, d)
    for parameter in slow.parameters():
        parameter.data += torch.randn(parameter.shape)
    quick.load_state_dict(slow.state_dict())
    return slow, quick


def test_the_products_give_the_density_of_the_mixture_and_its_gradients():
    slow, quick = pair()
    z = torch.randn(40, 5)
    grads = []
    for prior in (slow, quick):
        codes = z.clone().requires_grad_()
        log_p = prior.log_prob(codes)
        grads.append([log_p.detach(), *torch.autograd.grad(log_p.sum(), [codes, *prior.parameters()])])
    for one, other in zip(*grads, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-4)


def test_narrow_components_far_away_cost_a_thousandth_of_a_nat():
    slow, quick = pair()
    for prior in (slow, quick):
        prior.means.data *= 3
        prior.logvars.data.fill_(-6.0)
    z = slow.means.detach() + 0.05 * torch.randn(7, 5)
    assert torch.allclose(slow.double().log_prob(z.double()), quick.log_prob(z).double(), atol=1e-2)


def test_every_weight_of_the_prior_is_trained_with_the_model():
    torch.manual_seed(0)
    model = MixtureVAE(4, (8,), 3)
    prior_loss(model, torch.rand(6, 1, 28, 28).round()).total.backward()
    assert {name for name, p in model.named_parameters() if p.grad is not None} == dict(model.named_parameters()).keys()
    assert all(p.grad.abs().sum() > 0 for p in model.prior.parameters())
    with pytest.raises(ValueError, match="n_components must be at least 1"):
        MixtureVAE(4, (8,), 0)
