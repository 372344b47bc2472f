"""Models that train in a blink, and what their weights are."""

from vae_helpers.models import VAE

import torch


def small_vae(seed=0):
    torch.manual_seed(seed)
    return VAE(3, hidden=(32,))


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def same_weights(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def plane_vae(seed=0):
    """One with a code of two numbers, for the plane."""
    torch.manual_seed(seed)
    return VAE(2, hidden=(8,))
