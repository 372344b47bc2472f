"""The interpolation widget on the kernel's side: place, way and pair draw what the model makes of the code between."""

import base64
import threading
import time
from statistics import median

from vae_helpers import data
from vae_helpers.evaluation import spherical, straight
from vae_helpers.models import VAE, Autoencoder
from vae_helpers.plotting import png_of
from vae_helpers.widgets import interpolation

import pytest
import torch

from helpers.pictures import shown

PNG = b"\x89PNG"
X = data.load_glyphs(n=12, n_test=1).x


@pytest.fixture(params=[VAE, Autoencoder])
def model(request):
    torch.manual_seed(0)
    return request.param(3, hidden=(16,))


def between(model, way, i, j, t):
    with torch.no_grad():
        z = model.embed(data.to_float(X))
        return model.generate(way(z[i : i + 1], z[j : j + 1], t))


def test_it_begins_half_way_between_the_pair_on_the_straight_way(model):
    widget = interpolation(model, X, pair=(3, 7))
    expected = torch.cat([data.to_float(X[3:4]), between(model, straight, 3, 7, 0.5), data.to_float(X[7:8])])
    assert shown(widget.picture) == png_of(expected, 3, zoom=6)
    assert 'alt="Image 3, the straight way at t = 0.50, and image 7"' in widget.picture.value


def test_moving_t_draws_the_step_of_the_way_that_is_pressed(model):
    widget = interpolation(model, X, pair=(3, 7))
    widget.way.value = "spherical"
    widget.t.value = 0.2
    expected = torch.cat([data.to_float(X[3:4]), between(model, spherical, 3, 7, 0.2), data.to_float(X[7:8])])
    assert shown(widget.picture) == png_of(expected, 3, zoom=6)
    assert "the spherical way at t = 0.20" in widget.picture.value


def test_the_strip_shows_the_whole_way_and_follows_way_and_pair(model):
    widget = interpolation(model, X, pair=(3, 7))
    t = torch.linspace(0, 1, 11)[:, None]
    for way, function in (("straight", straight), ("spherical", spherical)):
        widget.way.value = way
        assert shown(widget.strip) == png_of(between(model, function, 3, 7, t), 11, zoom=2)
    widget.pair[0].value = 9
    assert shown(widget.strip) == png_of(between(model, spherical, 9, 7, t), 11, zoom=2)
    assert "Image 9, the spherical way" in widget.picture.value


def test_it_says_how_long_the_codes_are(model):
    widget = interpolation(model, X, pair=(0, 1))
    with torch.no_grad():
        a, b = model.embed(data.to_float(X[:2]))
    here, first, second = (z.norm() for z in ((a + b) / 2, a, b))
    assert widget.length.value == f"‖z‖ = {here:.2f} here; {first:.2f} and {second:.2f} at the ends"


def test_a_new_pair_is_two_different_images_drawn_once(model, monkeypatch):
    widget, frames = interpolation(model, X), []
    frame = type(widget).frame
    monkeypatch.setattr(type(widget), "frame", lambda self: frames.append(1) or frame(self))
    pairs = set()
    for _ in range(20):
        widget.another.click()
        pairs.add(tuple(choice.value for choice in widget.pair))
    assert len(frames) == 20
    assert len(pairs) > 10 and all(i != j for i, j in pairs)


def test_the_same_image_twice_is_a_way_that_stays(model):
    widget = interpolation(model, X, pair=(4, 4))
    widget.way.value = "spherical"
    widget.t.value = 0.9
    expected = torch.cat([data.to_float(X[4:5]), between(model, straight, 4, 4, 0.0), data.to_float(X[4:5])])
    assert shown(widget.picture) == png_of(expected, 3, zoom=6)


def test_training_the_model_afterwards_does_not_touch_the_widget(model):
    widget = interpolation(model, X)
    before = widget.png()
    with torch.no_grad():
        model.decoder[-1].bias += 5
    assert widget.png() == before


def test_a_change_in_another_thread_draws_in_inference_mode(model, monkeypatch):
    widget, modes = interpolation(model, X), []
    generate = type(widget.model).generate
    monkeypatch.setattr(
        type(widget.model), "generate", lambda m, z: modes.append(torch.is_inference_mode_enabled()) or generate(m, z)
    )
    before = widget.picture.value
    for change in (lambda: setattr(widget.t, "value", 0.9), lambda: setattr(widget.way, "value", "spherical")):
        thread = threading.Thread(target=change)
        thread.start()
        thread.join()
    assert widget.picture.value != before and modes == [True, True, True]


def test_where_there_is_no_way_the_picture_stays():
    class Opposite(Autoencoder):
        def encode(self, x):
            return torch.tensor([[1.0], [-1.0]])

    widget = interpolation(Opposite(1, hidden=(4,)), X[:2])
    before = widget.picture.value
    with pytest.raises(ValueError, match="Opposite codes"):  # in a kernel it is shown below the widget
        widget.way.value = "spherical"
    assert widget.picture.value == before


def test_global_random_numbers_are_not_consumed(model):
    before = torch.random.get_rng_state()
    interpolation(model, X).another.click()
    assert torch.equal(before, torch.random.get_rng_state())


def test_without_a_kernel_there_is_a_sentence_and_a_still(model):
    bundle, metadata = interpolation(model, X)._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]).startswith(PNG)
    assert bundle["text/plain"] == metadata["image/png"]["alt"]
    assert "a slider t that walks" in bundle["text/plain"] and "still of the first image" in bundle["text/plain"]


def test_a_frame_takes_no_longer_than_a_few_hundredths_of_a_second_even_on_a_busy_machine():
    widget, seconds = interpolation(VAE(20), X), []
    for i in range(40):
        start = time.perf_counter()
        widget.t.value = 0.02 * (i + 1)
        seconds.append(time.perf_counter() - start)
    assert median(seconds) < 0.05


@pytest.mark.parametrize("pair", [(0, 12), (-1, 0), (0, 1.0), (True, 2)])
def test_a_pair_that_is_not_there_is_refused(model, pair):
    with pytest.raises(ValueError, match="pair must be two numbers of images from 0 to 11"):
        interpolation(model, X, pair)


def test_images_that_are_none_are_refused(model):
    with pytest.raises(ValueError, match="x must hold at least two"):
        interpolation(model, X[:1])
    with pytest.raises(ValueError, match=r"x must have shape \(n, 1, 28, 28\)"):
        interpolation(model, torch.rand(4, 784))
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\]"):
        interpolation(model, 3 * torch.ones(2, 1, 28, 28))
