"""How large each model is where nothing else is asked for: the nets that the notebooks' numbers come from."""

from vae_helpers import models

import pytest

WEIGHTS = {
    "Autoencoder": ((3,), 1_068_819),
    "WideAutoencoder": ((), 1_607_440),
    "VAE": ((20,), 652_824),
    "ConditionalVAE": ((3,), 640_390),
    "ClassPriorVAE": ((3,), 632_420),
    "LinearVAE": ((3,), 5_492),
    "SmoothVAE": ((), 1_009_684),
    "MixtureVAE": ((), 1_016_144),
    "SecondLayer": ((3, 2), 135_946),
    "ResidualDenoiser": ((3,), 220_163),
    "Judge": ((), 215_370),
}


@pytest.mark.parametrize(("name", "asked", "n"), [(name, *size) for name, size in WEIGHTS.items()], ids=WEIGHTS)
def test_a_model_has_as_many_weights_as_ever(name, asked, n):
    assert sum(weight.numel() for weight in getattr(models, name)(*asked).parameters()) == n
