"""The two Gaussian explorers on the kernel's side: the numbers are right, the bound holds, bad input is refused."""

import base64
import re
import threading

from vae_helpers.widgets import elbo_explorer, forward_reverse_kl

import pytest
import torch
from torch.distributions import Normal, kl_divergence

WIDE, NARROW = Normal(0.0, 1.0), Normal(0.5, 0.4)
both = pytest.mark.parametrize("kind", [elbo_explorer, forward_reverse_kl])


def log_joint(z):
    """A prior N(0, 1) and x = 0.8 seen through noise of spread 0.5: everything about it is known."""
    return WIDE.log_prob(z) + Normal(z, 0.5).log_prob(torch.tensor(0.8, dtype=torch.float64))


def numbers_of(widget):
    return [float(n) for n in re.findall(r"<b>(-?[\d.]+)</b>", widget.numbers.value)]


def test_the_elbo_explorer_shows_evidence_bound_and_gap():
    widget = elbo_explorer(log_joint, mu=0.2, sigma=0.6)
    evidence, elbo, gap = numbers_of(widget)
    posterior = Normal(0.8 / 1.25, 0.2**0.5)
    assert evidence == pytest.approx(Normal(0.0, 1.25**0.5).log_prob(torch.tensor(0.8)).item(), abs=0.006)
    assert gap == pytest.approx(kl_divergence(Normal(0.2, 0.6), posterior).item(), abs=0.006)
    assert elbo == pytest.approx(evidence - gap, abs=0.011)


def test_the_bound_touches_where_q_is_the_posterior():
    widget = elbo_explorer(log_joint)
    widget.mu.value, widget.sigma.value = 0.64, 0.45  # the sliders' steps; exactly 0.64 and 0.447
    assert numbers_of(widget)[2] == pytest.approx(0, abs=0.01)


def test_both_divergences_are_those_of_torch_distributions():
    widget = forward_reverse_kl(NARROW.log_prob, mu=0.0, sigma=0.5)
    widget.mu.value, widget.sigma.value = -0.5, 1.2
    q = Normal(-0.5, 1.2)
    expected = [kl_divergence(NARROW, q).item(), kl_divergence(q, NARROW).item()]
    assert numbers_of(widget) == pytest.approx(expected, abs=0.006)


def test_a_target_need_not_be_normalised():
    once = forward_reverse_kl(NARROW.log_prob, mu=0.3)
    shifted = forward_reverse_kl(lambda z: NARROW.log_prob(z) + 7, mu=0.3)
    assert numbers_of(once) == pytest.approx(numbers_of(shifted))


@both
def test_moving_a_slider_in_any_thread_redraws(kind):
    widget = kind(NARROW.log_prob)
    for slider, value in ((widget.mu, 0.7), (widget.sigma, 0.3)):
        before = widget.picture.value
        thread = threading.Thread(target=lambda s=slider, v=value: setattr(s, "value", v))
        thread.start()
        thread.join()
        assert widget.picture.value != before
    assert 'alt="q with mean 0.70 and spread 0.30' in widget.picture.value


@both
def test_without_a_kernel_there_is_a_sentence_and_a_still(kind):
    bundle, metadata = kind(NARROW.log_prob)._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["text/plain"] == metadata["image/png"]["alt"] and "sliders" in bundle["text/plain"]


@both
def test_what_is_no_log_density_is_refused(kind):
    with pytest.raises(TypeError, match="must be the function itself, without brackets, got Tensor"):
        kind(torch.zeros(3))
    with pytest.raises(ValueError, match="one log density per z"):
        kind(lambda z: z.sum())
    with pytest.raises(ValueError, match="NaN or infinite"):
        kind(lambda z: torch.log(z))
    with pytest.raises(ValueError, match="low < mu < high"):
        kind(NARROW.log_prob, mu=9.0)
    with pytest.raises(ValueError, match="sigma"):
        kind(NARROW.log_prob, sigma=0.0)
