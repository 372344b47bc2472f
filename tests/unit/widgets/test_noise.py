"""The noise explorer on the kernel's side: each control redraws, the picture is what it says, the model is a copy."""

import base64
import threading

from vae_helpers import evaluation
from vae_helpers.data import gaussian, masking
from vae_helpers.models import VAE, Autoencoder, WideAutoencoder
from vae_helpers.plotting import png_of
from vae_helpers.widgets import noise_explorer

import pytest
import torch

IMAGES = (255 * torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(0))).byte()


@pytest.fixture
def models():
    torch.manual_seed(0)
    return {"wide": WideAutoencoder(16), "narrow": Autoencoder(3, hidden=(16,)), "vae": VAE(3, hidden=(16,))}


@pytest.fixture
def widget(models):
    return noise_explorer(models, IMAGES)


@pytest.mark.parametrize(
    ("control", "value"), [("kind", "masking"), ("amount", 0.8), ("image", 4), ("denoiser", "narrow")]
)
def test_each_control_redraws(widget, control, value):
    before = widget.picture.value
    getattr(widget, control).value = value
    assert widget.picture.value != before
    assert base64.b64encode(widget.png()).decode() in widget.picture.value


def test_it_shows_the_clean_the_noisy_and_the_denoised_image(widget, models):
    widget.image.value, widget.kind.value, widget.amount.value = 2, "masking", 0.25
    x = IMAGES[2:3].float() / 255
    x_noisy = masking(x, 0.25, torch.Generator().manual_seed(0))
    with torch.no_grad():
        x_hat = models["wide"].generate(models["wide"].embed(x_noisy))
    assert widget.png() == png_of(torch.cat([x, x_noisy, x_hat]), columns=3, zoom=6)


def test_its_numbers_are_the_psnr_of_this_image(widget, models):
    x = IMAGES[:1].float() / 255
    x_noisy = gaussian(x, 0.5, torch.Generator().manual_seed(0))
    with torch.no_grad():
        x_hat = models["wide"].generate(models["wide"].embed(x_noisy))
    noisy, denoised = (evaluation.psnr(evaluation.mse(image, x)) for image in (x_noisy, x_hat))
    assert widget.numbers.value == f"clean, with noise ({noisy:.1f} dB), and denoised ({denoised:.1f} dB)"
    assert widget.numbers.value in widget.picture.value


def test_without_noise_there_is_no_error_to_take_a_logarithm_of(widget):
    widget.amount.value = 0.0
    assert "with noise (no error)" in widget.numbers.value
    assert not widget.errors.outputs


def test_moving_the_amount_keeps_the_draw_and_the_button_changes_it(widget):
    first = widget.images_shown()[1]
    widget.amount.value = 0.1
    widget.amount.value = 0.5
    assert torch.equal(widget.images_shown()[1], first)
    widget.again.click()
    assert not torch.equal(widget.images_shown()[1], first)


def test_training_the_model_afterwards_does_not_touch_the_widget(widget, models):
    before = widget.png()
    with torch.no_grad():
        models["wide"].decoder[-1].bias += 5
    assert widget.png() == before


def test_a_frame_in_another_thread_works_and_runs_in_inference_mode(widget, monkeypatch):
    modes, embed = [], WideAutoencoder.embed
    monkeypatch.setattr(
        WideAutoencoder, "embed", lambda m, x: modes.append(torch.is_inference_mode_enabled()) or embed(m, x)
    )
    before = widget.picture.value
    thread = threading.Thread(target=lambda: setattr(widget.amount, "value", 0.9))
    thread.start()
    thread.join()
    assert widget.picture.value != before
    assert modes and all(modes)


def test_global_random_numbers_are_not_consumed(widget):
    before = torch.random.get_rng_state()
    widget.again.click()
    widget.kind.value = "salt and pepper"
    assert torch.equal(before, torch.random.get_rng_state())


def test_without_a_kernel_there_is_a_sentence_and_a_still(widget):
    bundle, metadata = widget._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["text/plain"] == metadata["image/png"]["alt"]
    assert "Live in JupyterLab" in bundle["text/plain"] and "dB" in bundle["text/plain"]


def test_bad_arguments_are_refused(models):
    with pytest.raises(TypeError, match="models must be of type dict"):
        noise_explorer(models["wide"], IMAGES)
    with pytest.raises(ValueError, match="models must hold a name and a model"):
        noise_explorer({}, IMAGES)
    with pytest.raises(ValueError, match="images must have shape"):
        noise_explorer(models, IMAGES.flatten(1))
    with pytest.raises(ValueError, match=r"images must lie in \[0, 1\]"):
        noise_explorer(models, IMAGES.float())
    with pytest.raises(ValueError, match="kind must be one of 'Gaussian', 'masking', 'salt and"):
        noise_explorer(models, IMAGES, kind="fog")
    with pytest.raises(ValueError, match=r"amount must lie in \[0, 1\]"):
        noise_explorer(models, IMAGES, amount=2)
