"""The prior explorer on the kernel's side: its map of codes, what it refuses, that it works on its own."""

import time
from statistics import median

from vae_helpers import models
from vae_helpers.models import Mixture, SecondLayer, StandardGaussian
from vae_helpers.widgets import prior_explorer
from vae_helpers.widgets.priors import SIDE, Plane

import pytest
import torch

from helpers.moody_models import moody_vae

CODES = torch.randn(300, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([5.0, 2.0, 0.1])
Y = torch.arange(300) % 10


def explorer(model=None, **priors):
    return prior_explorer(model or moody_vae(), priors or {"N(0, I)": StandardGaussian(3)}, CODES, Y)


def test_the_map_lies_along_the_two_leading_principal_components():
    plane = Plane(CODES, None)
    centre = CODES.mean(0)
    steps = torch.stack([centre, centre + torch.tensor([2.0, 0, 0]), centre + torch.tensor([0, 0, 2.0])])
    places = plane.pixels(steps)
    middle = (SIDE - 1) / 2
    assert torch.allclose(places[0], torch.full((2,), middle), atol=1e-3)
    scale = middle / plane.extent
    assert (places[1] - places[0]).norm().item() == pytest.approx(2 * scale, rel=0.02)
    assert (places[2] - places[0]).norm().item() < 0.2 * scale
    assert plane.extent == pytest.approx(1.15 * ((CODES - centre) @ plane.axes).abs().max().item())


def test_up_is_up_and_what_lies_beyond_is_on_the_edge():
    plane = Plane(CODES, Y)
    centre, second = CODES.mean(0), plane.axes[:, 1]
    above, far = plane.pixels(torch.stack([centre + second, centre + 1000 * second]))
    assert above[1] < (SIDE - 1) / 2 and far[1] == 0


def test_the_map_shows_each_code_where_a_point_for_it_would_be_laid():
    plane = Plane(CODES, None)
    alone = ((CODES - CODES.mean(0)) @ plane.axes).norm(dim=1).topk(10).indices
    for x, y in plane.pixels(CODES[alone]).round().int().tolist():
        around = plane.background.crop((x - 1, y - 1, x + 2, y + 2)).convert("L")
        assert around.getextrema()[0] < 230


def test_a_code_on_the_map_is_an_orange_point():
    plane = Plane(CODES, None)
    x, y = plane.pixels(CODES[:1])[0].round().int().tolist()
    import io

    from PIL import Image

    picture = Image.open(io.BytesIO(plane.png(CODES[:1])))
    assert picture.size == (SIDE, SIDE) and picture.getpixel((x, y)) == (0xD5, 0x5E, 0)
    assert plane.background.getpixel((x, y)) != (0xD5, 0x5E, 0)


def test_a_second_layer_can_be_drawn_from_too():
    assert explorer(two=SecondLayer(3, 2, (8,))).codes().shape == (15, 3)


def test_training_afterwards_does_not_touch_the_widget_nor_it_the_global_numbers():
    model, prior = moody_vae(), Mixture(4, 3)
    before = torch.random.get_rng_state()
    widget = explorer(model, mixture=prior)
    still = widget.png()
    widget.next()
    assert torch.equal(before, torch.random.get_rng_state())
    widget.turn = 0
    with torch.no_grad():
        prior.means += 5
        model.decoder[-1].bias += 5
    assert widget.png() == still


def test_without_a_kernel_there_is_a_sentence_and_a_still():
    bundle, metadata = explorer()._repr_mimebundle_()
    assert bundle["text/plain"] == metadata["image/png"]["alt"]
    assert "buttons for the prior (N(0, I))" in bundle["text/plain"]


def test_a_frame_takes_no_longer_than_a_few_hundredths_of_a_second_even_on_a_busy_machine():
    widget = prior_explorer(models.VAE(3), {"one": StandardGaussian(3), "two": Mixture(4, 3)}, CODES, Y)
    seconds = []
    for i in range(20):
        start = time.perf_counter()
        widget.prior.value = ("two", "one")[i % 2]
        seconds.append(time.perf_counter() - start)
    assert median(seconds) < 0.05


def test_what_it_cannot_show_is_refused():
    with pytest.raises(ValueError, match=r"priors\['wide'\] has 4 dimensions, the model 3"):
        explorer(wide=StandardGaussian(4))
    with pytest.raises(TypeError, match=r"priors\['by class'\] needs labels"):
        explorer(**{"by class": models.ClassMixture(2, 3)})
    with pytest.raises(ValueError, match="priors holds no prior"):
        prior_explorer(moody_vae(), {}, CODES)
    with pytest.raises(TypeError, match="needs labels"):
        explorer(models.ConditionalVAE(3, (8,)))
    with pytest.raises(ValueError, match="two dimensions, the model one"):
        prior_explorer(models.VAE(1, (8,)), {"one": StandardGaussian(1)}, CODES[:, :1])
