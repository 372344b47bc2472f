"""The wide autoencoder of notebook 02."""

from vae_helpers.models import WideAutoencoder

import pytest
import torch

X = torch.rand(64, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def test_the_wide_autoencoder_has_the_methods_of_all_models():
    model = WideAutoencoder(900)
    z = model.embed(X)
    assert z.shape == (64, 900) and torch.equal(z, model.encode(X))
    assert torch.equal(model.generate(z), model.decode(z).sigmoid())
    assert model.generate(z).shape == X.shape


def test_its_code_is_bent():
    model = WideAutoencoder(9)
    with torch.no_grad():
        model.encoder[0].bias.zero_()
    both, apart = model.embed(X[:1] + X[1:2]), model.embed(X[:1]) + model.embed(X[1:2])
    assert not torch.allclose(both, apart, atol=1e-2)


@pytest.mark.parametrize("size", [0, 2.5, "10"])
def test_a_size_that_is_no_positive_whole_number_is_refused(size):
    with pytest.raises((TypeError, ValueError), match="latent_dim must be"):
        WideAutoencoder(size)
