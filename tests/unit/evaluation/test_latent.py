"""What a code holds, against oracles: torch.distributions, an exact mixture, factors that are known."""

from math import log, pi

from vae_helpers.evaluation import latent

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence


def clouds(n=7, d=3, seed=0):
    g = torch.Generator().manual_seed(seed)
    mu, logvar = torch.randn(n, d, generator=g), torch.randn(n, d, generator=g) - 1
    z = mu + (0.5 * logvar).exp() * torch.randn(n, d, generator=g)
    return z, mu, logvar


def normals(mu, logvar):
    return Normal(mu, (0.5 * logvar).exp())


def test_kl_per_dimension_equals_torch_distributions():
    _, mu, logvar = clouds()
    expected = kl_divergence(normals(mu, logvar), Normal(0.0, 1.0)).mean(0)
    assert torch.allclose(latent.kl_per_dimension(mu, logvar), expected, atol=1e-6)


def test_a_unit_is_active_where_its_mean_moves_and_not_where_it_is_only_off_centre():
    spread = torch.tensor([0.2, 0.05, 0.0])
    mu = torch.randn(2000, 3, generator=torch.Generator().manual_seed(0)) * spread + torch.tensor([0.0, 0.0, 3.0])
    assert latent.active_units(mu).tolist() == [True, False, False]
    assert latent.active_units(mu, threshold=0.001).tolist() == [True, True, False]


def test_log_clouds_equals_torch_distributions():
    z, mu, logvar = clouds()
    expected = Independent(normals(mu, logvar), 1).log_prob(z[:5, None])
    assert torch.allclose(latent.log_clouds(z[:5], mu, logvar), expected, atol=1e-4)


@pytest.mark.parametrize("batch_size", [3, 200])
def test_the_aggregate_posterior_is_the_mixture_of_all_clouds(batch_size):
    z, mu, logvar = clouds()
    mixture = MixtureSameFamily(Categorical(torch.ones(7)), Independent(normals(mu, logvar), 1))
    assert torch.allclose(latent.log_aggregate(z, mu, logvar, batch_size), mixture.log_prob(z), atol=1e-4)


def test_mutual_information_of_clouds_far_apart_is_log_n_and_of_one_cloud_zero():
    mu = 100 * torch.arange(6.0)[:, None].expand(6, 2)
    assert latent.mutual_information(mu, mu, torch.zeros(6, 2)).item() == pytest.approx(log(6), abs=1e-5)
    same = torch.zeros(6, 2)
    assert latent.mutual_information(torch.randn(6, 2), same, same).item() == pytest.approx(0, abs=1e-5)


def test_mutual_information_of_two_overlapping_clouds_equals_the_integral():
    grid = torch.linspace(-12, 12, 4001, dtype=torch.float64)
    mu = torch.tensor([-1.0, 1.5], dtype=torch.float64)
    each = [-0.5 * (grid - m) ** 2 - 0.5 * log(2 * pi) for m in mu]
    mixture = torch.stack(each).logsumexp(0) - log(2)
    exact = torch.stack([torch.trapezoid(e.exp() * (e - mixture), grid) for e in each]).mean()
    n = 20_000
    means = mu.repeat(n)[:, None]
    z = means + torch.randn(2 * n, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    own = -0.5 * (z - means).square().sum(1) - 0.5 * log(2 * pi)
    estimate = (own - latent.log_aggregate(z, mu[:, None], torch.zeros(2, 1, dtype=torch.float64))).mean()
    assert estimate.item() == pytest.approx(exact.item(), abs=0.02)
    few = latent.mutual_information(z[:2000], means[:2000], torch.zeros(2000, 1, dtype=torch.float64))
    assert few.item() == pytest.approx(exact.item(), abs=0.06)


def test_information_and_the_aggregates_kl_add_up_to_the_mean_kl():
    z, mu, logvar = clouds(4000, 2, seed=1)
    z = mu + (0.5 * logvar).exp() * torch.randn(mu.shape, generator=torch.Generator().manual_seed(2))
    prior = Normal(0.0, 1.0).log_prob(z).sum(1)
    aggregate_kl = (latent.log_aggregate(z, mu, logvar) - prior).mean()
    total = latent.mutual_information(z, mu, logvar) + aggregate_kl
    assert total.item() == pytest.approx(latent.kl_per_dimension(mu, logvar).sum().item(), abs=0.08)


def test_r_squared_equals_that_of_corrcoef():
    g = torch.Generator().manual_seed(0)
    codes, factors = torch.randn(50, 3, generator=g), torch.randn(50, 2, generator=g)
    table = torch.corrcoef(torch.cat([codes, factors], 1).T)[:3, 3:].square()
    assert torch.allclose(latent.r_squared(codes, factors), table, atol=1e-5)


def test_a_factor_that_does_not_vary_is_followed_by_none():
    assert latent.r_squared(torch.randn(9, 2), torch.ones(9, 1)).abs().max() < 1e-6


def test_separation_is_one_for_a_factor_with_a_dimension_to_itself_and_zero_for_one_that_is_shared():
    g = torch.Generator().manual_seed(0)
    alone, shared = torch.randn(500, generator=g), torch.randn(500, generator=g)
    codes = torch.stack([alone, shared, -shared], 1)
    apart = latent.separation(latent.r_squared(codes, torch.stack([alone, shared], 1)))
    assert apart[0] > 0.98 and apart[1].abs() < 1e-5


def test_clouds_of_unlike_shapes_are_refused():
    z, mu, logvar = clouds()
    with pytest.raises(ValueError, match="logvar must have shape \\(7, 3\\), to go with mu"):
        latent.log_aggregate(z, mu, logvar[:2])
    with pytest.raises(ValueError, match=r"must have shape \(7, 2\), to go with z"):
        latent.mutual_information(z[:, :2], mu, logvar)
    with pytest.raises(ValueError, match="logvar must have shape"):
        latent.kl_per_dimension(mu, logvar[:2])


def test_a_unit_is_active_from_a_variance_of_a_hundredth_on():
    mu = torch.randn(2000, 2, generator=torch.Generator().manual_seed(0))
    mu = mu / mu.std(dim=0) * torch.tensor([0.009, 0.011]).sqrt()
    assert latent.active_units(mu).tolist() == [False, True]
