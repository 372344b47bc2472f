"""What all networks share: the start at the mean image, and copies of models that keep what they made."""

from vae_helpers import data, exercises, losses, models, training, widgets
from vae_helpers.models import VAE

import pytest
import torch


def test_started_at_the_mean_a_model_draws_the_mean_image():
    x = torch.randint(0, 256, (50, 1, 28, 28), dtype=torch.uint8)
    model = VAE(2)
    with torch.no_grad():
        model.decoder[-1].weight.zero_()
    models.start_at_mean(model, x)
    assert torch.allclose(model.generate(torch.randn(1, 2))[0], data.mean_image(x), atol=1e-4)


def test_a_decoder_without_a_last_bias_cant_start_at_the_mean():
    model = VAE(2)
    model.decoder.append(torch.nn.Sigmoid())
    with pytest.raises(TypeError, match="must end in a Linear layer"):
        models.start_at_mean(model, torch.rand(3, 1, 28, 28))


class Hoarder(VAE):
    """A VAE that keeps what its last pass made, as many a tutorial's does."""

    def encode(self, x):
        self.mu, logvar = super().encode(x)
        self.both = [self.mu, (logvar, x)]
        return self.mu, logvar


def test_a_model_that_keeps_tensors_of_its_last_pass_can_be_copied():
    model, x = Hoarder(3, (8,)), torch.rand(5, 1, 28, 28)
    mu, _ = model.encode(x)
    copied = models.copy_of(model)
    assert torch.equal(copied.mu, mu) and torch.equal(copied.both[1][1], x)
    assert not copied.mu.requires_grad and model.mu.requires_grad
    with torch.no_grad():
        copied.encoder[0].weight.zero_()
    assert torch.equal(model.embed(x), mu)


def test_such_a_model_can_be_diagnosed_and_played_with():
    model, x = Hoarder(2, (8,)), data.load_glyphs(n=300, n_test=1).x
    training.fit(model, x, losses.vae_loss, epochs=1, progress=False)
    model.encode(data.to_float(x[:5]))
    assert "can't" not in repr(exercises.diagnose_vae(model, losses.vae_loss, x))
    assert widgets.latent_sliders(model, codes=torch.randn(50, 2)).still
