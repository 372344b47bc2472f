"""The class explorer on the kernel's side: class, style and all classes draw what the model makes of them."""

import base64
import threading
import time
from statistics import median

from vae_helpers.models import VAE, ClassPriorVAE, ConditionalVAE
from vae_helpers.plotting import png_of
from vae_helpers.widgets import class_explorer

import pytest
import torch

from helpers.pictures import shown

PNG = b"\x89PNG"
both = pytest.mark.parametrize("kind", [ConditionalVAE, ClassPriorVAE])


def model_of(kind):
    torch.manual_seed(0)
    return kind(3, hidden=(16,))


@both
def test_it_shows_the_style_in_the_class_that_is_pressed(kind):
    model = model_of(kind)
    widget = class_explorer(model, label=7, style=torch.tensor([0.5, 0.0, -1.0]))
    widget.label.value = "4"
    style, y = torch.tensor([[0.5, 0.0, -1.0]]), torch.tensor([4])
    with torch.no_grad():
        expected = model.generate(style + (model.class_means[y] if kind is ClassPriorVAE else 0), y)
    assert shown(widget.picture) == png_of(expected, zoom=7)
    assert 'alt="Class 4 in style (0.5, 0.0, -1.0)"' in widget.picture.value


@both
def test_a_tick_shows_the_same_style_in_all_classes(kind):
    model = model_of(kind)
    widget = class_explorer(model)
    widget.sliders[1].value = 2.0
    widget.everyone.value = True
    style, y = torch.tensor([[0.0, 2.0, 0.0]]).expand(10, 3), torch.arange(10)
    with torch.no_grad():
        expected = model.generate(model.place(style, y), y)
    assert shown(widget.picture) == png_of(expected, columns=5, zoom=4)
    assert 'alt="All classes in style (0.0, 2.0, 0.0)"' in widget.picture.value


def test_there_is_a_button_per_class_and_a_slider_per_dimension():
    widget = class_explorer(ConditionalVAE(3, hidden=(8,), n_classes=4))
    assert list(widget.label.options) == ["0", "1", "2", "3"]
    assert [s.description for s in widget.sliders] == ["style 1", "style 2", "style 3"]
    assert [(s.min, s.max) for s in widget.sliders] == [(-3, 3)] * 3


def test_training_the_model_afterwards_does_not_touch_the_widget():
    model = model_of(ClassPriorVAE)
    widget = class_explorer(model)
    before = widget.png()
    with torch.no_grad():
        model.class_means += 5
    assert widget.png() == before


def test_a_change_in_another_thread_draws_in_inference_mode(monkeypatch):
    widget, modes = class_explorer(model_of(ConditionalVAE)), []
    generate = type(widget.model).generate
    monkeypatch.setattr(
        type(widget.model),
        "generate",
        lambda m, z, y: modes.append(torch.is_inference_mode_enabled()) or generate(m, z, y),
    )
    before = widget.picture.value
    for change in (lambda: setattr(widget.label, "value", "3"), lambda: setattr(widget.sliders[0], "value", -1.5)):
        thread = threading.Thread(target=change)
        thread.start()
        thread.join()
    assert widget.picture.value != before and modes == [True, True]


def test_global_random_numbers_are_not_consumed():
    widget = class_explorer(model_of(ConditionalVAE))
    before = torch.random.get_rng_state()
    widget.move_to(widget.random_code())
    assert torch.equal(before, torch.random.get_rng_state())


def test_without_a_kernel_there_is_a_sentence_and_a_still():
    bundle, metadata = class_explorer(model_of(ConditionalVAE), label=2)._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]).startswith(PNG)
    assert bundle["text/plain"] == metadata["image/png"]["alt"]
    assert "buttons for the class" in bundle["text/plain"] and "still of class 2" in bundle["text/plain"]


def test_a_frame_takes_no_longer_than_a_few_hundredths_of_a_second_even_on_a_busy_machine():
    widget, seconds = class_explorer(ConditionalVAE(20)), []
    widget.everyone.value = True
    for i in range(30):
        start = time.perf_counter()
        widget.sliders[i % 20].value = 0.1 * (i + 1) / 3
        seconds.append(time.perf_counter() - start)
    assert median(seconds) < 0.05


def test_what_the_model_does_not_have_is_refused():
    with pytest.raises(TypeError, match=r"VAE has no classes to ask for: use widgets.latent_sliders"):
        class_explorer(VAE(2))
    with pytest.raises(ValueError, match="label must be a class from 0 to 9, got 10"):
        class_explorer(ConditionalVAE(2), label=10)
    with pytest.raises(TypeError, match="label must be a whole number"):
        class_explorer(ConditionalVAE(2), label=2.5)
    with pytest.raises(ValueError, match="style must have shape \\(2,\\)"):
        class_explorer(ConditionalVAE(2), style=torch.randn(3))
