"""The parts of a loss, and how they add up."""

from vae_helpers.losses import Loss

import torch


def test_beta_multiplies_the_kl_and_nothing_else():
    loss = Loss(torch.tensor(80.0), torch.tensor(25.0), beta=4.0)
    assert loss.total.item() == 180
    assert str(Loss(80.0, 25.0, 4.0)) == "180.00 = 80.00 + 4 · 25.00 nats per image"
