"""Latent sliders on the kernel's side: moving one draws, the model is a copy, a page without a kernel gets a still."""

import base64
import threading

from vae_helpers.models import VAE, Autoencoder
from vae_helpers.widgets import latent_sliders

import ipywidgets
import pytest
import torch

PNG = b"\x89PNG"


@pytest.fixture
def model():
    torch.manual_seed(0)
    return VAE(3, hidden=(16,))


def test_there_is_one_labelled_slider_per_dimension(model):
    sliders = latent_sliders(model).sliders
    assert [s.description for s in sliders] == ["z 1", "z 2", "z 3"]
    assert [(s.min, s.max) for s in sliders] == [(-3, 3)] * 3


def boxes_in(widget):
    for child in getattr(widget, "children", ()):
        yield child
        yield from boxes_in(child)


@pytest.mark.parametrize(("d", "columns"), [(6, 1), (7, 2)])
def test_up_to_six_sliders_stand_in_one_column_and_more_in_two(d, columns):
    sliders = latent_sliders(VAE(d, hidden=(4,)))
    (grid,) = (box for box in boxes_in(sliders) if isinstance(box, ipywidgets.GridBox))
    assert grid.children == tuple(sliders.sliders)
    assert grid.layout.grid_template_columns.startswith(f"repeat({columns}, ")


def test_moving_a_slider_draws_what_the_decoder_makes_of_it(model):
    widget = latent_sliders(model)
    before = widget.picture.value
    widget.sliders[1].value = 2.0
    assert widget.picture.value != before
    assert base64.b64encode(widget.png()).decode() in widget.picture.value
    assert 'alt="The image decoded from z = (0.0, 2.0, 0.0)"' in widget.picture.value


def test_training_the_model_afterwards_does_not_touch_the_widget(model):
    widget = latent_sliders(model)
    before = widget.png()
    with torch.no_grad():
        model.decoder[-1].bias += 5
    assert widget.png() == before


def test_a_callback_in_another_thread_works(model):
    widget = latent_sliders(model)
    before = widget.picture.value
    thread = threading.Thread(target=lambda: setattr(widget.sliders[0], "value", -1.5))
    thread.start()
    thread.join()
    assert widget.picture.value != before


def test_random_z_and_start_again_move_all_sliders(model):
    start = torch.tensor([0.5, -0.5, 1.0])
    widget = latent_sliders(model, start=start)
    still = widget.picture.value
    widget.move_to(widget.random_code())
    assert widget.picture.value != still
    widget.move_to(start)
    assert widget.picture.value == still


def test_codes_set_the_range_of_the_sliders():
    codes = torch.tensor([10.0, -20.0]) + torch.tensor([4.0, 0.5]) * torch.randn(5000, 2)
    sliders = latent_sliders(Autoencoder(2, hidden=(16,)), codes=codes).sliders
    assert sliders[0].min == pytest.approx(-2, abs=0.7) and sliders[0].max == pytest.approx(22, abs=0.7)
    assert sliders[1].value == pytest.approx(-20, abs=0.1)


def test_without_a_kernel_there_is_a_sentence_and_a_still(model):
    bundle, metadata = latent_sliders(model)._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]).startswith(PNG)
    assert bundle["text/plain"] == metadata["image/png"]["alt"]
    assert "sliders" in bundle["text/plain"] and "(" not in bundle["text/plain"]


def test_global_random_numbers_are_not_consumed(model):
    widget = latent_sliders(model)
    before = torch.random.get_rng_state()
    widget.move_to(widget.random_code())
    assert torch.equal(before, torch.random.get_rng_state())


def test_codes_and_start_of_the_wrong_size_are_refused(model):
    with pytest.raises(ValueError, match=r"codes must have shape \(n, 3\)"):
        latent_sliders(model, codes=torch.randn(9, 2))
    with pytest.raises(ValueError, match=r"start must have shape \(3,\)"):
        latent_sliders(model, start=torch.randn(2))
    with pytest.raises(ValueError, match="codes must hold at least two"):
        latent_sliders(model, codes=torch.randn(1, 3))


def test_a_start_outside_the_usual_range_is_shown_as_it_is(model):
    widget = latent_sliders(model, start=torch.tensor([10.0, 0.0, -4.0]))
    assert [s.value for s in widget.sliders] == [10.0, 0.0, -4.0]


def test_a_frame_is_decoded_in_inference_mode_whatever_the_thread(model, monkeypatch):
    widget, modes = latent_sliders(model), []
    decode = type(widget.model).generate
    monkeypatch.setattr(
        type(widget.model), "generate", lambda m, z: modes.append(torch.is_inference_mode_enabled()) or decode(m, z)
    )
    thread = threading.Thread(target=widget.frame)
    thread.start()
    thread.join()
    assert modes == [True]
