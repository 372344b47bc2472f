"""Densities of diagonal Gaussians against torch.distributions, their products against the grid."""

from vae_helpers.losses import gaussian_log_prob, product_of_gaussians

import torch
from torch.distributions import Normal

Z, MU, LOGVAR = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_a_log_density_is_that_of_torch_distributions_summed_over_dimensions():
    expected = Normal(MU, (LOGVAR / 2).exp()).log_prob(Z).sum(-1)
    assert torch.allclose(gaussian_log_prob(Z, MU, LOGVAR), expected)
    assert torch.allclose(gaussian_log_prob(Z, MU[0], LOGVAR[0])[0], expected[0])


def test_each_code_meets_each_gaussian():
    table = gaussian_log_prob(Z[:, None], MU[:3], LOGVAR[:3])
    assert table.shape == (5, 3)
    assert torch.allclose(table[4, 2], Normal(MU[2], (LOGVAR[2] / 2).exp()).log_prob(Z[4]).sum())


def test_a_product_is_in_proportion_to_both_densities():
    a, b = (MU[:1], LOGVAR[:1]), (MU[1:2], LOGVAR[1:2])
    product = product_of_gaussians(*a, *b)
    difference = gaussian_log_prob(Z, *a) + gaussian_log_prob(Z, *b) - gaussian_log_prob(Z, *product)
    assert torch.allclose(difference, difference[0].expand(5))


def test_half_precision_is_computed_in_single():
    mu = MU.bfloat16()
    assert gaussian_log_prob(Z.bfloat16(), mu, LOGVAR.bfloat16()).dtype == torch.float32
    assert product_of_gaussians(mu, mu, mu, mu)[1].dtype == torch.float32
