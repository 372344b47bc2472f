"""A linear VAE, trained, reaches probabilistic PCA: log-likelihood, noise, posterior variances, axes."""

import copy
import os
from pathlib import Path

from vae_helpers import data, training
from vae_helpers.losses import (
    linear_vae_loss,
    linear_vae_loss_exact,
    linear_vae_loss_of_moments,
    mean_and_covariance,
    ppca,
    training_log_likelihood,
)
from vae_helpers.models import LinearVAE

import pytest
import torch

HOW = {"batch_size": 500, "lr": 1e-2, "precision": "float32", "progress": False}


def trained(x, d, epochs, steps):
    """A LinearVAE trained by the trick, and finished on the images' moments; with its exact counterpart."""
    mean, covariance = mean_and_covariance(x)
    torch.manual_seed(0)
    model = LinearVAE(d)
    with torch.no_grad():
        model.decoder.bias.copy_(mean)
        model.logvar_x.copy_((covariance.trace() / 784).log())
    training.fit(model, x, linear_vae_loss, epochs=epochs, **HOW)
    encoder, others = [model.encoder.weight], [model.decoder.weight, model.decoder.bias, model.logvar, model.logvar_x]
    groups = [{"params": encoder, "lr": 6e-3}, {"params": others, "lr": 2e-2}]
    optimizer = torch.optim.Adam(groups, betas=(0.9, 0.99), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [6e-3, 2e-2], total_steps=steps, pct_start=0.1, cycle_momentum=False
    )
    for _ in range(steps):
        optimizer.zero_grad()
        linear_vae_loss_of_moments(model, mean.float(), covariance.float()).total.backward()
        optimizer.step()
        schedule.step()
    return model.requires_grad_(False), ppca(mean, covariance, d)


def reaches(model, exact, x, nats=0.5):
    elbo = -training.mean_loss(model, x, linear_vae_loss_exact).total
    assert -nats < elbo - training_log_likelihood(exact) < 0.02, "a bound, and within so many nats"
    assert model.logvar_x.exp().item() == pytest.approx(exact.sigma2, rel=0.01)
    variances = model.logvar.exp().sort().values.double()
    optimal = exact.sigma2 / exact.eigenvalues[: model.latent_dim]
    assert torch.allclose(variances, optimal, rtol=0.05)


@pytest.fixture(scope="module")
def images():
    """Images of four independent patterns, of clearly different strength, under noise: floats in [0, 1]."""
    g = torch.Generator().manual_seed(0)
    patterns = torch.linalg.qr(torch.randn(784, 4, generator=g)).Q * torch.tensor([2.0, 1.1, 0.65, 0.4])
    codes = torch.randn(2000, 4, generator=g)
    return (0.5 + codes @ patterns.T + 0.12 * torch.randn(2000, 784, generator=g)).clamp(0, 1).view(-1, 1, 28, 28)


@pytest.fixture(scope="module")
def small(images):
    return trained(images, 4, epochs=10, steps=1200)


@pytest.mark.slow
def test_a_trained_linear_vae_reaches_ppca(small, images):
    reaches(*small, images)


@pytest.mark.slow
def test_its_decoder_picks_the_principal_axes_one_by_one(small):
    model, exact = small
    columns = model.decoder.weight[:, model.logvar.argsort()].double()
    cosines = (exact.W / exact.W.norm(dim=0)).T @ (columns / columns.norm(dim=0))
    assert (cosines.abs().diagonal() > 0.98).all()


@pytest.mark.slow
def test_its_encoder_gives_the_exact_posterior_mean(small, images):
    model, exact = small
    W, sigma2 = model.decoder.weight.double(), exact.sigma2
    M = W.T @ W + sigma2 * torch.eye(4)
    posterior_mean = (images[:200].flatten(1).double() - exact.mean) @ W @ torch.linalg.inv(M)
    assert torch.allclose(model.embed(images[:200]).double(), posterior_mean, atol=0.05)


@pytest.mark.slow
def test_clouds_of_another_width_are_not_taken_for_the_optimum(small, images):
    """The oracle can tell: all else is as trained, and the variances are twice what they should be."""
    model, exact = copy.deepcopy(small[0]), small[1]
    with torch.no_grad():
        model.logvar += 0.7
    with pytest.raises(AssertionError):
        reaches(model, exact, images)


@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get("VAE_DATA") or not Path(os.environ["VAE_DATA"], "MNIST", "raw").is_dir(),
    reason="VAE_DATA names no folder with MNIST",
)
def test_a_linear_vae_trained_on_mnist_reaches_the_published_optimum():
    x = data.load("mnist", device="cpu").x
    model, exact = trained(x, 10, epochs=6, steps=3000)
    assert training_log_likelihood(exact) == pytest.approx(182.15, abs=0.01)
    assert exact.sigma2 == pytest.approx(0.034867, abs=1e-6)
    reaches(model, exact, x)


def test_decode_gives_the_mean_and_generate_keeps_it_in_range():
    model, z = LinearVAE(3), 5 * torch.randn(7, 3)
    assert torch.allclose(model.decode(z).flatten(1), z @ model.decoder.weight.T + model.decoder.bias, atol=1e-5)
    assert torch.equal(model.generate(z), model.decode(z).clamp(0, 1))
    mu, logvar = model.encode(torch.rand(5, 1, 28, 28))
    assert mu.shape == logvar.shape == (5, 3)
    assert torch.equal(model.embed(torch.full((1, 1, 28, 28), 0.2)), model.encode(torch.full((1, 1, 28, 28), 0.2))[0])


def test_the_code_of_the_mean_image_is_zero():
    model = LinearVAE(3)
    mean = torch.rand(1, 1, 28, 28)
    with torch.no_grad():
        model.decoder.bias.copy_(mean.flatten())
    assert torch.allclose(model.embed(mean), torch.zeros(1, 3), atol=1e-6)


def test_bad_sizes_and_images_are_refused():
    with pytest.raises(ValueError, match="latent_dim must be at least 1"):
        LinearVAE(0)
    with pytest.raises(TypeError, match="latent_dim must be a whole number"):
        LinearVAE(2.5)
    with pytest.raises(ValueError, match=r"x must have shape \(batch, 1, 28, 28\)"):
        LinearVAE(2).encode(torch.rand(5, 784))
