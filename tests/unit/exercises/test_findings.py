"""Findings of ``diagnose_vae`` at their edges: the last test image, pixels just out of range, what was looked at."""

from vae_helpers.exercises import diagnose_vae
from vae_helpers.exercises.diagnosis import share_of_twins
from vae_helpers.losses import bernoulli_nll, vae_loss
from vae_helpers.models import VAE

import pytest
import torch

X = torch.rand(300, 1, 28, 28, generator=torch.Generator().manual_seed(0))
OTHER = torch.rand(50, 1, 28, 28, generator=torch.Generator().manual_seed(1))


def kinds(diagnosis):
    return [finding.kind for finding in diagnosis.findings]


def model():
    torch.manual_seed(0)
    return VAE(3, hidden=(32,))


@pytest.mark.parametrize("place", [0, 49])
def test_of_two_test_images_looked_at_one_is_the_first_and_one_the_last(place):
    test = OTHER.clone()
    test[place] = X[7]
    assert share_of_twins(X, test, n=2) == 0.5
    assert share_of_twins(X, test) == pytest.approx(1 / 50)


@pytest.mark.parametrize(("scale", "shift", "found"), [(1, 0, False), (1.2, 0, True), (1, -0.2, True)])
def test_pixels_just_out_of_range_are_found(scale, shift, found):
    images = scale * X + shift
    assert ("pixels out of range" in kinds(diagnose_vae(model(), in_hand, images))) == found


def in_hand(model, x):
    """The negative ELBO of any images, in range or not."""
    mu, logvar = model.encode(x)
    z = mu + (0.5 * logvar).exp() * torch.randn_like(mu)
    logits = model.decode(z)
    bce = (torch.nn.functional.softplus(logits) - logits * x).sum()
    kl = 0.5 * (mu**2 + logvar.exp() - logvar - 1).sum()
    return (bce + kl) / len(x)


def test_it_says_what_was_looked_at():
    seen = diagnose_vae(model(), vae_loss, X, OTHER, evaluate=vae_loss).looked_at
    assert seen == (
        "test images among the training images",
        "how z is drawn",
        "whether gradients reach the encoder through z",
        "the KL's form",
        "the range of the decoder's output",
        "the reconstruction",
        "the range of the pixels",
        "the target",
        "the weight of the KL",
        "what μ and log σ² can be",
        "whether the picture depends on z alone",
        "whether it is better than one picture",
        "collapse",
        "evaluation mode",
        "how z is drawn at evaluation",
    )


def test_without_test_images_it_says_what_was_not_looked_at():
    found = diagnose_vae(model(), vae_loss, X)
    assert found.not_seen == ("whether test images are training images (no test_data given).",)
    assert max(len(line) for line in repr(found).splitlines()) <= 90


@pytest.mark.parametrize("mean", [-2.0, 2.0])
def test_a_prior_elsewhere_is_found_on_either_side(mean):
    def loss(model, x):
        mu, logvar = model.encode(x)
        z = mu + (0.5 * logvar).exp() * torch.randn_like(mu)
        kl = 0.5 * ((mu - mean) ** 2 + logvar.exp() - logvar - 1).sum(1).mean()
        return bernoulli_nll(model.decode(z), x).mean() + kl

    found = diagnose_vae(model(), loss, X)
    (question,) = [q for q in found.questions if q.kind == "prior elsewhere"]
    assert not found.findings and f"mean {mean:.3g}" in str(question)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.uint8])
def test_twins_are_found_in_any_type_of_images(dtype):
    images = (255 * X).round().to(dtype)
    assert share_of_twins(images, images[5:15]) == 1
    assert share_of_twins(images, images[5:15].flip(3)) == 0
