"""The residual denoiser: told time and label, one network with and without a label, nothing said before training."""

from vae_helpers.models import ResidualDenoiser

import pytest
import torch

Z, T, Y = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), torch.linspace(0, 1, 6), torch.arange(6)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    made = ResidualDenoiser(3, width=16, n_blocks=2)
    torch.nn.init.normal_(made.end.weight)
    return made.requires_grad_(False)


def test_before_training_it_gives_0():
    assert not ResidualDenoiser(3, 16)(Z, T, Y).any()


def test_it_hears_time_and_label(net):
    assert not torch.allclose(net(Z, T), net(Z, T.flip(0)))
    assert not torch.allclose(net(Z, T, Y), net(Z, T, Y.flip(0)))


def test_near_times_are_told_apart_and_far_ones_more(net):
    same = Z[:1].expand(3, 3)
    low, near, far = net(same, torch.tensor([0.5, 0.5001, 0.9]))
    assert 0 < (near - low).norm() < (far - low).norm()


def test_no_label_is_the_label_beyond_the_last(net):
    assert torch.equal(net(Z, T), net(Z, T, torch.full((6,), 10)))


def test_a_row_does_not_depend_on_the_others(net):
    assert torch.allclose(net(Z, T, Y)[2:4], net(Z[2:4], T[2:4], Y[2:4]), atol=1e-6)


@pytest.mark.parametrize("labels", [Y - 1, Y + 6])
def test_labels_that_no_class_has_are_refused(net, labels):
    with pytest.raises(ValueError, match="y must hold labels from 0 to 9, or 10 for none"):
        net(Z, T, labels)


def test_codes_of_another_size_and_a_time_that_is_one_number_are_refused(net):
    with pytest.raises((TypeError, ValueError), match="z"):
        net(Z[:, :2], T)
    with pytest.raises((TypeError, ValueError), match="t"):
        net(Z, 0.5)


def test_it_learns_the_exact_denoiser_of_a_gaussian():
    """x ~ N(0, I): E[ε − x | z_t] = (2t − 1) z / (t² + (1 − t)²)."""
    torch.manual_seed(0)
    net = ResidualDenoiser(1, width=32, n_blocks=1)
    optimizer = torch.optim.Adam(net.parameters(), 5e-3)
    for _ in range(400):
        x, eps, t = *torch.randn(2, 512, 1), torch.rand(512)
        z = x + t[:, None] * (eps - x)
        optimizer.zero_grad()
        (net(z, t) - (eps - x)).square().mean().backward()
        optimizer.step()
    t, z = torch.linspace(0.05, 0.95, 50), torch.randn(50, 1)
    exact = ((2 * t - 1) / (t**2 + (1 - t) ** 2))[:, None] * z
    assert (net(z, t) - exact).square().mean() < 0.1 * exact.square().mean()
