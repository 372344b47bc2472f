"""Warm-up and free bits do what they say; the linear VAE's count of units agrees with training from random weights."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vae_helpers import training
from vae_helpers.collapse import WarmUp, free_bits, free_bits_loss, units_at_optimum
from vae_helpers.losses import linear_vae_loss_of_moments, vae_loss
from vae_helpers.models import VAE, LinearVAE


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


@pytest.mark.parametrize(
    ("sigma2", "d", "beta", "count"), [(0.5, 7, 1, 3), (0.5, 2, 1, 2), (0.5, 7, 2, 2), (6, 7, 1, 0), (1.5, 7, 0.5, 2)]
)
def test_units_at_the_optimum_are_the_eigenvalues_above_beta_sigma2_as_far_as_d_goes(sigma2, d, beta, count):
    assert units_at_optimum(torch.tensor([0.6, 5.0, 1.2, 0.1]), sigma2, d, beta) == count


def test_the_count_agrees_with_a_linear_vae_trained_from_random_weights():
    g = torch.Generator().manual_seed(0)
    axes = torch.linalg.qr(torch.randn(784, 784, generator=g)).Q
    eigenvalues = torch.cat([torch.tensor([6.0, 3.0, 1.5, 0.7, 0.35]), torch.full((779,), 0.05)])
    covariance, sigma2, beta = (axes * eigenvalues) @ axes.T, 0.5, 2.0
    torch.manual_seed(0)
    model = LinearVAE(6)
    model.logvar_x.requires_grad_(False).fill_(torch.tensor(sigma2).log())
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=2e-2, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-2, total_steps=600, cycle_momentum=False)
    for _ in range(600):
        optimizer.zero_grad()
        loss = linear_vae_loss_of_moments(model, torch.zeros(784), covariance)
        (loss.reconstruction + beta * loss.kl).backward()
        optimizer.step()
        schedule.step()
    V = model.encoder.weight.detach()
    moving = ((V @ covariance) * V).sum(1)
    # at the optimum the mean of unit i moves with the image by 1 − βσ²/λ_i, times β-dependent scale: > 0 or not
    assert int((moving > 0.01).sum()) == units_at_optimum(eigenvalues, sigma2, 6, beta) == 3


def test_senseless_variances_and_sizes_are_refused():
    with pytest.raises(ValueError, match="sigma2 must be positive"):
        units_at_optimum(torch.ones(3), 0.0, 2)
    with pytest.raises(ValueError, match="latent_dim must be at least 1"):
        units_at_optimum(torch.ones(3), 1.0, 0)
