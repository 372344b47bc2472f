"""The latent plane, with and without its pad, and the β explorer, on the kernel's side."""

import base64
import sys
import threading
import time
from statistics import median

from vae_helpers.losses import Loss
from vae_helpers.models import VAE
from vae_helpers.plotting import png_of
from vae_helpers.widgets import beta_explorer, latent_plane
from vae_helpers.widgets import plane as plane_module
from vae_helpers.widgets.plane import JAVASCRIPT, has_pad

import pytest
import torch

from helpers.pictures import shown

PNG = b"\x89PNG"
needs_pad = pytest.mark.skipif(not has_pad(), reason="anywidget is not installed")
either = pytest.mark.parametrize("pad", [pytest.param(True, marks=needs_pad), False], ids=["pad", "sliders"])


def model_of(d=2, seed=0):
    torch.manual_seed(seed)
    return VAE(d, hidden=(16,))


def several(betas=(0.5, 1, 4)):
    models = {beta: model_of(3, seed=i) for i, beta in enumerate(betas)}
    return models, {beta: Loss(80.0 + beta, 20.0 - beta) for beta in betas}


# The plane


@either
def test_the_plane_shows_what_the_decoder_makes_of_the_point(pad):
    model = model_of()
    plane = latent_plane(model, pad=pad)
    plane.move_to(1.5, -0.5)
    with torch.no_grad():
        expected = model.generate(torch.tensor([[1.5, -0.5]]))
    assert shown(plane.picture) == png_of(expected, zoom=9)
    assert 'alt="The image decoded from z = (1.5, -0.5)"' in plane.picture.value


@needs_pad
def test_a_message_of_the_pad_moves_the_point():
    plane = latent_plane(model_of(), start=(0.5, 0.5), pad=True)
    before = plane.picture.value
    plane.pad.set_state({"z": [0.6, 0.5]})
    assert plane.picture.value != before and plane.code().tolist() == [pytest.approx([0.6, 0.5])]


def test_without_the_pad_there_are_two_labelled_sliders():
    plane = latent_plane(model_of(), start=(0.5, -1.0), pad=False)
    assert [(s.description, s.value, s.min, s.max) for s in plane.sliders] == [
        ("z 1", 0.5, -3.5, 3.5),
        ("z 2", -1.0, -3.5, 3.5),
    ]


def test_where_anywidget_is_not_there_the_sliders_are_taken_and_a_pad_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    plane_module._pad_class.cache_clear()
    try:
        assert not plane_module.has_pad()
        assert latent_plane(model_of()).sliders
        with pytest.raises(RuntimeError, match="needs the package anywidget"):
            latent_plane(model_of(), pad=True)
    finally:
        plane_module._pad_class.cache_clear()


def test_the_pad_needs_no_network_and_is_short_and_says_what_it_is():
    assert "http" not in JAVASCRIPT and "import" not in JAVASCRIPT
    assert len(JAVASCRIPT.strip().splitlines()) <= 40
    assert "aria-label" in JAVASCRIPT and "tabIndex" in JAVASCRIPT
    assert JAVASCRIPT.strip().endswith("export default { render };")


@needs_pad
def test_the_pads_background_is_a_map_of_the_codes():
    model = model_of()
    y = torch.arange(50) % 10
    empty, full = latent_plane(model, pad=True), latent_plane(model, torch.randn(50, 2), y, pad=True)
    assert base64.b64decode(full.pad.background).startswith(PNG)
    assert len(full.pad.background) > len(empty.pad.background)


@either
def test_training_the_model_afterwards_does_not_touch_the_plane(pad):
    model = model_of()
    plane = latent_plane(model, pad=pad)
    before = plane.png()
    with torch.no_grad():
        model.decoder[-1].bias += 5
    assert plane.png() == before


def test_the_plane_refuses_what_is_not_on_it():
    with pytest.raises(ValueError, match="two dimensions, the model 3: use widgets"):
        latent_plane(model_of(3))
    with pytest.raises(ValueError, match="start must be two numbers"):
        latent_plane(model_of(), start=(4.0, 0.0))
    with pytest.raises(ValueError, match="start must be two numbers"):
        latent_plane(model_of(), start=(float("nan"), 0.0))
    with pytest.raises(ValueError, match=r"codes must have shape \(n, 2\)"):
        latent_plane(model_of(), torch.randn(5, 3), torch.zeros(5).long())
    with pytest.raises(TypeError, match="hand over y"):
        latent_plane(model_of(), torch.randn(5, 2))


# The β explorer


def test_the_slider_stands_at_the_trained_betas_and_begins_nearest_to_1():
    explorer = beta_explorer(*several((4, 0.5, 2)), torch.rand(10, 1, 28, 28))
    assert [value for _, value in explorer.slider.options] == [0.5, 2, 4]
    assert explorer.slider.value == 0.5


def test_it_shows_images_reconstructions_and_the_same_codes_for_every_beta():
    models, losses = several()
    x = torch.rand(10, 1, 28, 28)
    explorer = beta_explorer(models, losses, x)
    explorer.slider.value = 4
    with torch.no_grad():
        images = [x, models[4].generate(models[4].embed(x)), models[4].generate(explorer.z)]
    assert shown(explorer.picture) == png_of(torch.cat(images), columns=10, zoom=2)


def test_it_says_rate_distortion_and_their_sum():
    explorer = beta_explorer(*several(), torch.rand(10, 1, 28, 28))
    explorer.slider.value = 4
    assert "rate (KL) 16.0 + distortion 84.0 = 100.0 nats" in explorer.readout.value
    assert "β = 4" in explorer.picture.value


def test_bytes_are_shown_like_floats():
    x = torch.randint(0, 256, (10, 1, 28, 28), dtype=torch.uint8)
    assert beta_explorer(*several(), x).png() == beta_explorer(*several(), x.float() / 255).png()


def test_unlike_betas_dimensions_and_numbers_of_images_are_refused():
    models, losses = several()
    x = torch.rand(10, 1, 28, 28)
    with pytest.raises(ValueError, match="models and losses must have the same β"):
        beta_explorer(models, {1: losses[1]}, x)
    with pytest.raises(ValueError, match="x must have shape \\(10, 1, 28, 28\\)"):
        beta_explorer(models, losses, x[:3])
    with pytest.raises(ValueError, match="must have one latent_dim"):
        beta_explorer(models | {1: model_of(5)}, losses, x)


# Both


def both_widgets():
    return [latent_plane(model_of()), beta_explorer(*several(), torch.rand(10, 1, 28, 28))]


def test_without_a_kernel_there_is_a_sentence_and_a_still():
    for widget in both_widgets():
        bundle, metadata = widget._repr_mimebundle_()
        assert base64.b64decode(bundle["image/png"]).startswith(PNG)
        assert bundle["text/plain"] == metadata["image/png"]["alt"]
        assert bundle["text/plain"].startswith("Live in JupyterLab")


def test_a_change_in_another_thread_draws_in_inference_mode(monkeypatch):
    modes, generate = [], VAE.generate
    plane, explorer = both_widgets()
    monkeypatch.setattr(
        VAE, "generate", lambda m, z, y=None: modes.append(torch.is_inference_mode_enabled()) or generate(m, z, y)
    )
    for act in (lambda: plane.move_to(1.0, 0.0), lambda: setattr(explorer.slider, "value", 4)):
        thread = threading.Thread(target=act)
        thread.start()
        thread.join()
    assert len(modes) >= 3 and all(modes)


def test_global_random_numbers_are_not_consumed():
    models, losses = several()
    x = torch.rand(10, 1, 28, 28)
    before = torch.random.get_rng_state()
    beta_explorer(models, losses, x).slider.value = 4
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_frame_takes_no_longer_than_a_few_hundredths_of_a_second_even_on_a_busy_machine():
    plane, explorer = both_widgets()
    for act in (
        lambda i: plane.move_to(0.01 * i, 0.5),
        lambda i: setattr(explorer.slider, "value", (0.5, 1, 4)[i % 3]),
    ):
        seconds = []
        for i in range(1, 31):
            start = time.perf_counter()
            act(i)
            seconds.append(time.perf_counter() - start)
        assert median(seconds) < 0.05
