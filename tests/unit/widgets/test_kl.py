"""The KL explorer on the kernel's side: its numbers are the KL's, moving a slider draws, a page gets a still."""

import base64
import math
import threading
import time

from vae_helpers.widgets import kl_explorer
from vae_helpers.widgets.kl import parts_of_kl

import pytest
import torch
from torch.distributions import Normal, kl_divergence

PLACES = [(0.0, 0.0), (1.3, -2.1), (-2.4, 1.7), (3.0, -4.0)]


@pytest.mark.parametrize(("mu", "logvar"), PLACES)
def test_the_kl_shown_is_torch_distributions(mu, logvar):
    oracle = kl_divergence(Normal(mu, math.exp(logvar / 2)), Normal(0.0, 1.0)).item()
    widget = kl_explorer(mu, logvar)
    assert widget.kl() == pytest.approx(oracle, abs=1e-5)
    assert sum(parts_of_kl(mu, logvar)) == pytest.approx(oracle, abs=1e-5)
    assert f"= {oracle:.2f} nats" in widget.readout.value
    assert f"= {oracle:.2f} nats" in widget.picture.value


def test_the_density_drawn_is_torch_distributions():
    from vae_helpers.widgets.kl import Z, density

    oracle = Normal(-1.2, math.exp(-0.7)).log_prob(torch.from_numpy(Z)).exp()
    assert torch.allclose(torch.from_numpy(density(-1.2, -1.4)), oracle)


@pytest.mark.parametrize("name", ["mu", "logvar"])
def test_moving_a_slider_draws_and_says_the_new_numbers(name):
    widget = kl_explorer()
    picture, said = widget.picture.value, widget.readout.value
    getattr(widget, name).value = 1.5
    assert widget.picture.value != picture and widget.readout.value != said
    assert base64.b64encode(widget.png()).decode() in widget.picture.value


def test_moving_back_gives_the_first_picture_again():
    widget = kl_explorer(0.4, -1.0)
    before = widget.picture.value
    widget.mu.value = -2.0
    widget.mu.value = 0.4
    assert widget.picture.value == before


def test_a_callback_in_another_thread_works():
    widget = kl_explorer()
    before = widget.picture.value
    thread = threading.Thread(target=lambda: setattr(widget.mu, "value", -1.5))
    thread.start()
    thread.join()
    assert widget.picture.value != before


def test_without_a_kernel_there_is_a_sentence_and_a_still():
    bundle, metadata = kl_explorer()._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["text/plain"] == metadata["image/png"]["alt"]
    assert "sliders" in bundle["text/plain"]


def test_a_start_out_of_range_is_moved_into_it_and_a_start_of_nan_refused():
    assert kl_explorer(9.0, -20.0).mu.value == 3 and kl_explorer(9.0, -20.0).logvar.value == -4
    with pytest.raises(ValueError, match="must be finite"):
        kl_explorer(float("nan"))


def test_a_frame_is_quick():
    widget, seconds = kl_explorer(), []
    for i in range(40):
        start = time.process_time()
        widget.mu.value = -2 + 0.1 * i
        seconds.append(time.process_time() - start)
    assert sorted(seconds)[20] < 0.05, "10 ms is the aim on a quiet machine; five times that is a fault"
