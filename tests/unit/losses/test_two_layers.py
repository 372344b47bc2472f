"""Two layers of codes: each term against quadrature on a toy, one number a layer; both bounds are below log p(x)."""

from vae_helpers import losses
from vae_helpers.losses import (
    bottom_up_loss,
    elbo_on_grid,
    kl_on_grid,
    log_evidence_on_grid,
    second_layer_loss,
    top_down_loss,
)
from vae_helpers.models import VAE, Mixture, SecondLayer

import pytest
import torch
from torch.distributions import Normal

GRID = torch.linspace(-12, 12, 1201, dtype=torch.float64)
PRIOR = Normal(torch.zeros((), dtype=torch.float64), 1.0)
X = torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(0)).round().double()


def gaussian(mu, logvar):
    """One Gaussian on the line for each row."""
    return Normal(mu, (logvar / 2).exp())


@pytest.fixture(scope="module")
def toy():
    """x ← z₁ ← z₂, one number each; nothing is standard."""
    torch.manual_seed(4)
    model = VAE(1, (8,)).double()
    model.prior = SecondLayer(1, 1, (8,)).double()
    with torch.no_grad():
        model.encoder[-1].bias.copy_(torch.tensor([0.8, -1.0]))
        model.prior.encoder[-1].weight *= 2
        model.prior.decoder[-1].weight *= 2
        model.prior.decoder[-1].bias += torch.tensor([0.5, -0.5])
    return model.requires_grad_(False)


def on_grids(model):
    """log p(x|z₁), log p(z₁|z₂) in rows of z₂, log q(z₁|x), log q(z₂|z₁) in rows of z₁."""
    column = GRID[:, None]
    nll = model.likelihood.nll(model.decode(column), X.expand(len(GRID), -1, -1, -1))
    given_2 = gaussian(*model.prior.decode(column)).log_prob(GRID)
    q_1 = gaussian(*model.encode(X)).log_prob(GRID).squeeze(0)
    return -nll, given_2, q_1, gaussian(*model.prior.encode(column)).log_prob(GRID)


def draws(loss, copies, n=60):
    """Mean of each part over many copies of one image, and its standard error."""
    torch.manual_seed(1)
    parts = torch.tensor([[part.item() for part in loss(copies)[:2]] for _ in range(n)], dtype=torch.float64)
    return parts.mean(0), parts.std(0) / n**0.5


def agree(found, error, expected):
    expected = torch.stack(expected)
    assert ((found - expected).abs() < 4 * error + 1e-9).all(), (found, error, expected)
    assert (error < 0.02 * expected.abs().max()).all()


def test_the_terms_of_the_bottom_up_bound_are_those_of_quadrature(toy):
    log_p_x, given_2, q_1, q_2 = on_grids(toy)
    reconstruction = -torch.trapezoid(q_1.exp() * log_p_x, GRID)
    # ∫∫ q(z₁) q(z₂|z₁) (log q(z₁) − log p(z₁|z₂))
    expected = torch.trapezoid(q_2.exp() * given_2.T, GRID)
    of_z1 = torch.trapezoid(q_1.exp() * (q_1 - expected), GRID)
    of_z2 = torch.trapezoid(q_1.exp() * kl_on_grid(q_2, PRIOR.log_prob(GRID), GRID), GRID)
    found, error = draws(lambda x: bottom_up_loss(toy, x), X.expand(300, -1, -1, -1))
    agree(found, error, [reconstruction, of_z1 + of_z2])
    closed = losses.kl_diagonal(*toy.encode(X), *toy.prior.decode(toy.prior.encode(toy.encode(X)[0])[0]))
    assert abs(closed - of_z1) > 20 * error[1], "the toy can tell a closed form that is none"


def test_the_terms_of_the_top_down_bound_are_those_of_quadrature(toy):
    log_p_x, given_2, seen, _ = on_grids(toy)
    q_2 = gaussian(*toy.prior.encode(toy.encode(X)[0])).log_prob(GRID).squeeze(0)
    # q(z₁|z₂, x) in proportion to what x says and what z₂ says, a row for each z₂
    q_1 = seen + given_2
    q_1 = q_1 - log_evidence_on_grid(q_1, GRID)[:, None]
    of_z1 = torch.trapezoid(q_2.exp() * kl_on_grid(q_1, given_2, GRID), GRID)
    of_z2 = kl_on_grid(q_2, PRIOR.log_prob(GRID), GRID)
    reconstruction = -torch.trapezoid(q_2.exp() * torch.trapezoid(q_1.exp() * log_p_x, GRID), GRID)
    found, error = draws(lambda x: top_down_loss(toy, x), X.expand(300, -1, -1, -1))
    agree(found, error, [reconstruction, of_z1 + of_z2])


def test_both_are_bounds_on_log_p_of_the_image(toy):
    log_p_x, given_2, _, _ = on_grids(toy)
    log_p_z1 = log_evidence_on_grid((given_2 + PRIOR.log_prob(GRID)[:, None]).T, GRID)
    log_p = log_evidence_on_grid(log_p_x + log_p_z1, GRID)
    for loss in (bottom_up_loss, top_down_loss):
        found, _ = draws(lambda x, loss=loss: loss(toy, x), X.expand(300, -1, -1, -1))
        assert 0 < found.sum() + log_p < 30


def test_the_bound_of_a_second_layer_on_codes_is_that_of_quadrature(toy):
    _, given_2, _, q_2 = on_grids(toy)
    i = int(torch.searchsorted(GRID, 1.3))
    joint = given_2[:, i] + PRIOR.log_prob(GRID)
    elbo = elbo_on_grid(q_2[i], joint, GRID)
    z = GRID[i].expand(300, 1)
    found, error = draws(lambda z: second_layer_loss(toy.prior, z), z)
    assert abs(found.sum() + elbo) < 4 * error.sum()
    assert found[1].item() == pytest.approx(kl_on_grid(q_2[i], PRIOR.log_prob(GRID), GRID).item(), rel=1e-5)
    assert found.sum() > -log_evidence_on_grid(joint, GRID)


def test_gradients_reach_all_four_networks():
    torch.manual_seed(0)
    x = X.float().expand(3, -1, -1, -1)
    for loss in (bottom_up_loss, top_down_loss):
        model = VAE(3, (8,))
        model.prior = SecondLayer(3, 2, (8,))
        loss(model, x, beta=0.5).total.backward()
        assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())


def test_a_model_without_a_second_layer_is_refused():
    model = VAE(3, (8,))
    for loss in (bottom_up_loss, top_down_loss):
        with pytest.raises(TypeError, match=r"model must be a model with .*prior, got VAE without prior"):
            loss(model, X.float())
    model.prior = Mixture(4, 3)
    with pytest.raises(TypeError, match=r"model\.prior must be a model with encode .*Mixture without"):
        bottom_up_loss(model, X.float())
