"""The network of the course's best model."""

from vae_helpers.models import SmoothVAE

import pytest
import torch


def test_encoder_and_decoder_are_smooth_and_mirror_each_other():
    sizes = [m.weight.shape for m in SmoothVAE().modules() if isinstance(m, torch.nn.Linear)]
    assert sizes == [(400, 784), (400, 400), (100, 400), (400, 50), (400, 400), (784, 400)]
    kinds = {type(m) for m in SmoothVAE().modules() if not list(m.children())}
    assert torch.nn.SiLU in kinds and torch.nn.ReLU not in kinds
    with pytest.raises(ValueError, match="latent_dim must be at least 1"):
        SmoothVAE(0)
