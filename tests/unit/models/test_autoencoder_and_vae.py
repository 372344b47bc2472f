"""Autoencoder and VAE: shapes, sizes, the four shared methods, and what they refuse."""

from vae_helpers import losses, models
from vae_helpers.models import VAE, Autoencoder

import pytest
import torch

both = pytest.mark.parametrize("kind", [Autoencoder, VAE])


@both
@pytest.mark.parametrize("hidden", [(), (7,), (9, 5)], ids=str)
def test_embed_and_generate_have_the_same_shapes_for_all(kind, hidden):
    model, x = kind(3, hidden), torch.rand(5, 1, 28, 28)
    z = model.embed(x)
    assert z.shape == (5, 3)
    x_hat = model.generate(z)
    assert x_hat.shape == x.shape
    assert x_hat.min() >= 0 and x_hat.max() <= 1
    assert torch.allclose(x_hat, model.decode(z).sigmoid())


def test_the_vae_of_pytorchs_example_has_its_number_of_weights():
    one_trunk = 784 * 400 + 400 + 400 * 40 + 40 + 20 * 400 + 400 + 400 * 784 + 784
    assert models.n_parameters(VAE(20)) == one_trunk == 652_824


def test_the_vae_returns_mean_and_clamped_log_variance():
    model = VAE(3)
    with torch.no_grad():
        model.encoder[-1].bias[3:] = torch.tensor([-1e3, 0.0, 1e3])
    mu, logvar = model.encode(torch.zeros(2, 1, 28, 28))
    assert mu.shape == logvar.shape == (2, 3)
    assert logvar[0, 0] == -30 and logvar[0, 2] == 20


@both
@pytest.mark.parametrize("latent_dim", [0, -3])
def test_a_latent_dimension_below_one_is_refused(kind, latent_dim):
    with pytest.raises(ValueError, match=rf"latent_dim must be at least 1, got {latent_dim}"):
        kind(latent_dim)


@both
def test_sizes_that_are_no_whole_numbers_are_refused(kind):
    with pytest.raises(TypeError, match=r"latent_dim must be a whole number, got 2.5"):
        kind(2.5)
    with pytest.raises(TypeError, match="hidden must be of type tuple or list"):
        kind(2, hidden=400)
    with pytest.raises(ValueError, match="each width in hidden must be at least 1"):
        kind(2, hidden=(400, 0))


@both
def test_images_of_the_wrong_shape_or_type_are_refused(kind):
    with pytest.raises(ValueError, match=r"x must have shape \(batch, 1, 28, 28\), got \(5, 784\).*view"):
        kind(2).encode(torch.rand(5, 784))
    with pytest.raises(TypeError, match=r"x must be a tensor of floats, got torch.uint8.*to_float"):
        kind(2).encode(torch.zeros(5, 1, 28, 28, dtype=torch.uint8))


@both
def test_codes_of_the_wrong_size_are_refused(kind):
    with pytest.raises(ValueError, match=r"z must have shape \(batch, 2\) for this model, got \(5, 3\)"):
        kind(2).decode(torch.randn(5, 3))
    with pytest.raises(ValueError, match=r"got \(2,\); one alone needs z\[None\]"):
        kind(2).generate(torch.randn(2))


def test_codes_in_double_precision_are_refused_with_their_mend():
    with pytest.raises(TypeError, match=r"z is float64.*z.float\(\)"):
        VAE(2).generate(torch.randn(5, 2, dtype=torch.float64))


def test_every_weight_of_a_vae_receives_a_gradient():
    model = VAE(3, hidden=(7,))
    losses.vae_loss(model, torch.rand(4, 1, 28, 28)).total.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
