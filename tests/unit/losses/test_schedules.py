"""Warm-up and free bits do what they say."""

from vae_helpers import training
from vae_helpers.losses import WarmUp, free_bits, free_bits_loss, vae_loss
from vae_helpers.models import VAE

import pytest
import torch
from torch.distributions import Normal, kl_divergence


@pytest.fixture
def model():
    torch.manual_seed(0)
    return VAE(3, hidden=(16,))


def test_warm_up_lets_beta_rise_evenly_to_1_and_stay(model):
    loss, x = WarmUp(vae_loss, steps=4), torch.rand(5, 1, 28, 28)
    model.train()
    assert [loss(model, x).beta for _ in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


def test_warm_up_counts_no_evaluation(model):
    loss, x = WarmUp(vae_loss, steps=4), torch.rand(5, 1, 28, 28)
    model.eval()
    assert [loss(model, x).beta for _ in range(3)] == [0, 0, 0]


def test_warm_up_weighs_the_same_loss(model):
    loss, x = WarmUp(vae_loss, steps=2), torch.rand(5, 1, 28, 28)
    model.train()
    torch.manual_seed(1)
    half = loss(model, x)
    torch.manual_seed(1)
    full = vae_loss(model, x)
    assert half.total.item() == pytest.approx((full.reconstruction + 0.5 * full.kl).item(), rel=1e-5)


def test_warm_up_serves_fit_whose_history_holds_the_mean_total(model):
    history = training.fit(
        model, torch.rand(64, 1, 28, 28), WarmUp(vae_loss, 8), epochs=2, batch_size=8, progress=False
    )
    assert 0 < history.train[0].beta < 1 and history.train[1].beta == pytest.approx(1)


def test_steps_must_be_a_positive_whole_number():
    with pytest.raises(ValueError, match="steps must be at least 1"):
        WarmUp(vae_loss, 0)


def test_free_bits_takes_the_maximum_dimension_by_dimension():
    assert free_bits(torch.tensor([0.1, 2.0, 0.5]), 0.5).item() == pytest.approx(0.5 + 2.0 + 0.5)


def test_free_bits_give_no_gradient_below_and_the_full_one_above():
    kl_each = torch.tensor([0.1, 2.0], requires_grad=True)
    free_bits(kl_each, 0.5).backward()
    assert kl_each.grad.tolist() == [0, 1]


def test_the_loss_with_nothing_free_is_the_elbos_and_with_much_free_its_kl_is_d_times_as_much(model):
    x = torch.rand(5, 1, 28, 28)
    mu, logvar = model.encode(x)
    kl_each = kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)).mean(0)
    torch.manual_seed(1)
    plain = vae_loss(model, x)
    torch.manual_seed(1)
    none_free = free_bits_loss(model, x, free=0.0)
    assert none_free.total.item() == pytest.approx(plain.total.item(), rel=1e-5)
    assert none_free.kl.item() == pytest.approx(kl_each.sum().item(), rel=1e-4)
    assert free_bits_loss(model, x, free=9.0).kl.item() == pytest.approx(27.0)
