"""The drawing pad on the kernel's side: a stroke changes the pictures, which are what the models make of it."""

import base64
import threading

from vae_helpers.data import fit_and_centre
from vae_helpers.models import VAE, WideAutoencoder
from vae_helpers.plotting import png_of
from vae_helpers.widgets import drawing_pad

import pytest
import torch
from torch import nn

from helpers.pictures import shown

pytest.importorskip("anywidget")


def stroke(top=4, left=10):
    """A bar of ink, upright, with a foot to the right: its picture is no mirror image of itself."""
    x = torch.zeros(1, 1, 28, 28)
    x[..., top : top + 12, left : left + 3] = 1
    x[..., top + 9 : top + 12, left : left + 8] = 0.6
    return x


@pytest.fixture
def models():
    torch.manual_seed(0)
    return {"wide": WideAutoencoder(16), "vae": VAE(3, hidden=(16,))}


@pytest.fixture
def widget(models):
    return drawing_pad(models)


def packed(x):
    return base64.b64encode((255 * x).round().byte().numpy().tobytes()).decode()


def test_what_the_page_sends_changes_the_pictures_and_their_alt_text(widget):
    before = widget.picture.value
    widget.pad.pixels = packed(stroke())
    assert shown(widget.picture) == png_of(torch.cat(list(widget.images_shown().values())), columns=3, zoom=4)
    assert widget.picture.value != before
    assert "5.3% of it ink" in widget.picture.value
    assert not widget.errors.outputs


def test_the_drawing_comes_back_the_right_way_up(widget):
    widget.pad.pixels = packed(stroke())
    assert torch.equal(widget.drawing(), (255 * stroke()).round() / 255)


def test_each_picture_is_what_its_model_makes_of_the_input(widget, models):
    widget.draw(stroke())
    x = fit_and_centre(widget.drawing())
    shown_now = widget.images_shown()
    assert list(shown_now) == ["input", "wide", "vae"]
    assert torch.equal(shown_now["input"], x)
    for name, model in models.items():
        with torch.no_grad():
            assert torch.allclose(shown_now[name], model.eval().generate(model.embed(x)))
        assert f">{name}</div>" in widget.picture.value


def test_without_the_tick_the_models_see_the_drawing_where_it_is(widget):
    widget.draw(stroke())
    before = widget.picture.value
    widget.fitted.value = False
    assert widget.picture.value != before
    assert torch.equal(widget.images_shown()["input"], widget.drawing())


def test_the_button_clears_the_sheet(widget):
    widget.draw(stroke())
    widget.clear.click()
    assert widget.drawing().max() == 0
    assert "0.0% of it ink" in widget.picture.value


def test_a_function_and_a_module_of_another_kind_are_models_too():
    widget = drawing_pad({"negative": lambda x: 1 - x, "same": nn.Identity()}, stroke())
    widget.fitted.value = False
    images = widget.images_shown()
    assert torch.allclose(images["negative"], 1 - widget.drawing())
    assert torch.equal(images["same"], widget.drawing())


def test_a_function_that_writes_into_its_input_changes_nobody_elses():
    widget = drawing_pad({"writes": lambda x: x.zero_(), "same": lambda x: x}, stroke())
    assert widget.images_shown()["same"].max() == 1


def test_training_the_model_afterwards_does_not_touch_the_widget_nor_it_the_model(models):
    models["wide"].train()
    widget = drawing_pad(models, stroke())
    before = shown(widget.picture)
    with torch.no_grad():
        models["wide"].decoder[-1].bias += 5
    widget.frame()
    assert shown(widget.picture) == before
    assert models["wide"].training and all(p.requires_grad for p in models["wide"].parameters())


def test_a_stroke_in_another_thread_draws_in_inference_mode():
    modes = []
    widget = drawing_pad({"same": lambda x: modes.append(torch.is_inference_mode_enabled()) or x})
    before = widget.picture.value
    thread = threading.Thread(target=lambda: widget.draw(stroke()))
    thread.start()
    thread.join()
    assert widget.picture.value != before
    assert modes and all(modes)


def test_global_random_numbers_are_not_consumed(widget):
    before = torch.random.get_rng_state()
    widget.draw(stroke())
    assert torch.equal(before, torch.random.get_rng_state())


def test_without_a_kernel_there_is_a_sentence_and_a_still(models):
    widget = drawing_pad(models, stroke())
    bundle, metadata = widget._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]) == shown(widget.picture)
    assert bundle["text/plain"] == metadata["image/png"]["alt"]
    assert "Live in JupyterLab" in bundle["text/plain"] and "wide and vae" in bundle["text/plain"]


def test_the_page_needs_nothing_from_the_network(widget):
    assert "export default" in widget.pad._esm and "import" not in widget.pad._esm and "http" not in widget.pad._esm


def test_bad_arguments_are_refused(models):
    with pytest.raises(TypeError, match="models must be of type Mapping"):
        drawing_pad(models["wide"])
    with pytest.raises(ValueError, match="models must hold a name"):
        drawing_pad({})
    with pytest.raises(TypeError, match=r"models\['wide'\].* got the class WideAutoencoder: call it first"):
        drawing_pad({"wide": WideAutoencoder})
    with pytest.raises(ValueError, match=r"models\['flat'\] must make an image \(1, 1, 28, 28\).* gives \(1, 784\)"):
        drawing_pad({"flat": lambda x: x.flatten(1)})
    with pytest.raises(ValueError, match=r"what models\['lost'\] makes of an image must be finite"):
        drawing_pad({"lost": lambda x: x / 0})
    with pytest.raises(ValueError, match="x_start must have shape"):
        drawing_pad(models, stroke()[0])
