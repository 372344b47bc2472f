"""Every control of every widget is used, and what it does is compared with what the model, left alone, makes of it.

``used`` says which controls a test uses; a control that no test uses fails ``test_no_control_is_left_unused``. The
models have dropout and BatchNorm and are handed over in training mode, so that a copy left in it gives other pictures.
"""

import base64
import math

from vae_helpers import data, widgets
from vae_helpers.data import gaussian, masking
from vae_helpers.evaluation import mse, psnr, spherical, straight
from vae_helpers.losses import Loss
from vae_helpers.models import FullGaussian, StandardGaussian, ancestral_path, deterministic_path
from vae_helpers.plotting import png_of
from vae_helpers.widgets.plane import has_pad
from vae_helpers.widgets.priors import Plane

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from helpers.controls import controls_of
from helpers.moody_models import calm, moody_autoencoder, moody_conditional, moody_vae
from helpers.pictures import shown

X = data.load_glyphs(n=12, n_test=1).x
FLOATS = data.to_float(X)
CENTRE, SPREAD = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([0.3, 1.0, 2.0])
CODES = CENTRE + SPREAD * torch.randn(500, 3, generator=torch.Generator().manual_seed(5))
START = torch.tensor([0.9, -2.5, 1.5])
VAE, OTHER, PLANE, CONDITIONAL = moody_vae(), moody_autoencoder(seed=1), moody_vae(2), moody_conditional()
BY_BETA = {0.5: moody_vae(seed=2), 1.0: VAE, 4.0: moody_vae(seed=3)}
SCORES = {0.5: Loss(70.0, 30.0), 1.0: Loss(80.0, 25.0), 4.0: Loss(110.0, 12.5)}
STYLE = torch.tensor([0.5, -1.0, 0.0])
PRIORS = {"N(0, I)": StandardGaussian(3), "Gaussian": FullGaussian.fitted_to(CODES)}
TARGET = Normal(torch.tensor(0.5, dtype=torch.float64), 0.4)


def half_way(z, t):
    """A denoiser of the plane that sees its time."""
    return 0.5 * z + t[:, None]


WIDGETS = {
    "beta_explorer": lambda: widgets.beta_explorer(BY_BETA, SCORES, X[:10]),
    "class_explorer": lambda: widgets.class_explorer(CONDITIONAL, label=2, style=STYLE),
    "denoising_walk": lambda: widgets.denoising_walk(half_way, CODES[:50, :2], steps=8),
    "elbo_explorer": lambda: widgets.elbo_explorer(TARGET.log_prob, mu=0.2, sigma=0.7),
    "forward_reverse_kl": lambda: widgets.forward_reverse_kl(TARGET.log_prob, mu=0.2, sigma=0.7),
    "interpolation": lambda: widgets.interpolation(VAE, X, pair=(3, 7)),
    "kl_explorer": lambda: widgets.kl_explorer(1.2, -1.0),
    "latent_plane": lambda: widgets.latent_plane(PLANE, start=(0.5, -1.5), pad=False),
    "latent_sliders": lambda: widgets.latent_sliders(VAE, START, CODES),
    "prior_explorer": lambda: widgets.prior_explorer(VAE, PRIORS, CODES, torch.arange(500) % 10),
    "noise_explorer": lambda: widgets.noise_explorer({"vae": VAE, "other": OTHER}, X, kind="Gaussian", amount=0.3),
}
if has_pad():
    WIDGETS["drawing_pad"] = lambda: widgets.drawing_pad({"vae": VAE, "other": OTHER}, FLOATS[:1])
WITH_A_PAD = {"latent_plane": lambda: widgets.latent_plane(PLANE, start=(0.5, -1.5), pad=True)} if has_pad() else {}
USED = set()


def used(name, *controls):
    """Mark a test: it uses these controls of that widget, one at a time."""
    USED.update((name, control) for control in controls)
    return pytest.mark.parametrize("control", controls)


def made(name, control, of=WIDGETS):
    widget = of[name]()
    return widget, controls_of(widget)[control]


def generated(model, *of):
    with torch.inference_mode():
        return calm(model).generate(*of)


def embedded(model, x):
    with torch.inference_mode():
        return calm(model).embed(x)


def test_no_control_is_left_unused():
    there = {(name, c) for of in (WIDGETS, WITH_A_PAD) for name, make in of.items() for c in controls_of(make())}
    assert set(WIDGETS) | {"drawing_pad"} == set(widgets.__all__)
    assert there == {(name, c) for name, c in USED if has_pad() or "pad" not in f"{name} {c}"}


# latent_sliders


@used("latent_sliders", "z 1", "z 2", "z 3")
def test_a_slider_moves_its_own_dimension(control):
    widget, slider = made("latent_sliders", control)
    z, k = START.clone(), int(control[-1]) - 1
    assert shown(widget.picture) == png_of(generated(VAE, z[None]), zoom=7)
    z[k] = slider.value = 0.25 * slider.min + 0.75 * slider.max
    assert shown(widget.picture) == png_of(generated(VAE, z[None]), zoom=7)
    assert f"z = ({', '.join(f'{v:.1f}' for v in z.tolist())})" in widget.picture.value


def test_sliders_reach_three_standard_deviations_to_each_side_of_the_codes_centre():
    mean, std = CODES.mean(0), CODES.std(0)
    ends = zip((mean - 3 * std).tolist(), (mean + 3 * std).tolist(), strict=True)
    for slider, (low, high) in zip(WIDGETS["latent_sliders"]().sliders, ends, strict=True):
        assert (slider.min, slider.max) == pytest.approx((low, high), rel=1e-5)
        assert slider.step == pytest.approx((high - low) / 60, rel=1e-4)


@used("latent_sliders", "random z")
def test_random_z_is_drawn_from_the_gaussian_of_the_codes(control):
    widget, button = made("latent_sliders", control)
    draws = torch.Generator().manual_seed(0)
    for _ in range(2):
        button.click()
        z = CODES.mean(0) + CODES.std(0) * torch.randn(3, generator=draws)
        assert [slider.value for slider in widget.sliders] == pytest.approx(z.tolist(), abs=1e-5)
        assert shown(widget.picture) == png_of(generated(VAE, widget.code()), zoom=7)


@used("latent_sliders", "start again")
def test_start_again_leads_back_to_the_start(control):
    widget, button = made("latent_sliders", control)
    before = shown(widget.picture)
    widget.sliders[0].value, widget.sliders[2].value = 1.2, -1.0
    assert shown(widget.picture) != before
    button.click()
    assert [slider.value for slider in widget.sliders] == pytest.approx(START.tolist())
    assert shown(widget.picture) == before


# class_explorer


def of_classes(style, *classes):
    y = torch.tensor(classes)
    return generated(CONDITIONAL, style[None].expand(len(y), -1), y)


@used("class_explorer", "class")
def test_a_button_shows_the_style_in_its_class(control):
    widget, buttons = made("class_explorer", control)
    assert buttons.value == "2" and shown(widget.picture) == png_of(of_classes(STYLE, 2), zoom=7)
    buttons.value = "1"
    assert shown(widget.picture) == png_of(of_classes(STYLE, 1), zoom=7)


@used("class_explorer", "same style, all classes")
def test_the_tick_shows_the_style_in_every_class_and_back(control):
    widget, tick = made("class_explorer", control)
    tick.value = True
    assert shown(widget.picture) == png_of(of_classes(STYLE, 0, 1, 2, 3), columns=5, zoom=4)
    tick.value = False
    assert shown(widget.picture) == png_of(of_classes(STYLE, 2), zoom=7)


@used("class_explorer", "style 1", "style 2", "style 3")
def test_a_slider_moves_its_own_part_of_the_style(control):
    widget, slider = made("class_explorer", control)
    style = STYLE.clone()
    style[int(control[-1]) - 1] = slider.value = 2.25
    assert shown(widget.picture) == png_of(of_classes(style, 2), zoom=7)


@used("class_explorer", "random z", "start again")
def test_the_two_buttons_draw_a_style_and_lead_back(control):
    widget, button = made("class_explorer", control)
    widget.sliders[0].value = -2.0
    button.click()
    drawn = torch.randn(3, generator=torch.Generator().manual_seed(0))
    style = drawn if control == "random z" else STYLE
    assert [slider.value for slider in widget.sliders] == pytest.approx(style.tolist())
    assert shown(widget.picture) == png_of(of_classes(style, 2), zoom=7)


# latent_plane


@used("latent_plane", "z 1", "z 2")
def test_a_slider_of_the_plane_moves_its_own_coordinate(control):
    widget, slider = made("latent_plane", control)
    z = torch.tensor([[0.5, -1.5]])
    assert shown(widget.picture) == png_of(generated(PLANE, z), zoom=9)
    z[0, int(control[-1]) - 1] = slider.value = 2.5
    assert shown(widget.picture) == png_of(generated(PLANE, z), zoom=9)


@used("latent_plane", "pad")
@pytest.mark.skipif(not has_pad(), reason="anywidget is not installed")
def test_the_pad_moves_both_coordinates(control):
    widget, pad = made("latent_plane", control, WITH_A_PAD)
    assert pad.z == [0.5, -1.5] and pad.extent == 3.5
    pad.z = [2.0, -0.5]
    assert shown(widget.picture) == png_of(generated(PLANE, torch.tensor([[2.0, -0.5]])), zoom=9)
    assert 'alt="The image decoded from z = (2.0, -0.5)"' in widget.picture.value


# interpolation


def between(first, second, t, way=straight):
    a, b = embedded(VAE, FLOATS[[first, second]])
    middle = generated(VAE, way(a, b, torch.tensor([[t]])))
    return png_of(torch.cat([FLOATS[first : first + 1], middle, FLOATS[second : second + 1]]), 3, 6)


@used("interpolation", "from image", "to image")
def test_each_end_is_the_image_of_its_number(control):
    widget, number = made("interpolation", control)
    assert shown(widget.picture) == between(3, 7, 0.5)
    number.value = 9
    assert shown(widget.picture) == (between(9, 7, 0.5) if control == "from image" else between(3, 9, 0.5))
    assert (number.min, number.max) == (0, 11)


@used("interpolation", "t")
def test_t_leads_from_the_first_to_the_second(control):
    widget, slider = made("interpolation", control)
    for t in (0.0, 0.24, 1.0):
        slider.value = t
        assert shown(widget.picture) == between(3, 7, t)


@used("interpolation", "way")
def test_the_way_is_the_one_that_is_pressed(control):
    widget, buttons = made("interpolation", control)
    for name, way in (("spherical", spherical), ("straight", straight)):
        buttons.value = name
        assert shown(widget.picture) == between(3, 7, 0.5, way)
    lengths = embedded(VAE, FLOATS[[3, 7]]).norm(dim=1).tolist()
    assert f"{lengths[0]:.2f} and {lengths[1]:.2f} at the ends" in widget.length.value


@used("interpolation", "new pair")
def test_new_pair_draws_two_images_and_the_whole_way_between(control):
    widget, button = made("interpolation", control)
    button.click()
    i, j = torch.randperm(12, generator=torch.Generator().manual_seed(0))[:2].tolist()
    assert [choice.value for choice in widget.pair] == [i, j]
    assert shown(widget.picture) == between(i, j, 0.5)
    a, b = embedded(VAE, FLOATS[[i, j]])
    assert shown(widget.strip) == png_of(generated(VAE, straight(a, b, torch.linspace(0, 1, 11)[:, None])), 11, 2)


# noise_explorer


def mended(i, spoil, amount, model, seed=0):
    x = FLOATS[i : i + 1]
    x_noisy = spoil(x, amount, torch.Generator().manual_seed(seed))
    return torch.cat([x, x_noisy, generated(model, embedded(model, x_noisy))])


@used("noise_explorer", "noise", "amount", "image", "denoiser", "other noise")
def test_each_control_of_the_noise_changes_its_own_part(control):
    widget, one = made("noise_explorer", control)
    assert shown(widget.picture) == png_of(mended(0, gaussian, 0.3, VAE), 3, 6)
    values = {"noise": "masking", "amount": 0.8, "image": 5, "denoiser": "other"}
    if control in values:
        one.value = values[control]
    else:
        one.click()
    expected = {
        "noise": lambda: mended(0, masking, 0.3, VAE),
        "amount": lambda: mended(0, gaussian, 0.8, VAE),
        "image": lambda: mended(5, gaussian, 0.3, VAE),
        "denoiser": lambda: mended(0, gaussian, 0.3, OTHER),
        "other noise": lambda: mended(0, gaussian, 0.3, VAE, seed=1),
    }[control]()
    assert shown(widget.picture) == png_of(expected, 3, 6)
    noisy, denoised = (psnr(mse(image[None], expected[:1])) for image in expected[1:])
    assert widget.numbers.value == f"clean, with noise ({noisy:.1f} dB), and denoised ({denoised:.1f} dB)"


# prior_explorer


def drawn_from(name, turn=0):
    z = PRIORS[name].sample(320, torch.Generator().manual_seed(0))
    return z[16 * turn : 16 * (turn + 1)]


def shows_draws_of(widget, name, turn=0):
    z = drawn_from(name, turn)
    assert shown(widget.picture) == png_of(generated(VAE, z), 4, 3)
    assert shown(widget.map) == Plane(CODES, torch.arange(500) % 10).png(z)
    assert f"16 codes drawn from {name}, decoded" in widget.picture.value


@used("prior_explorer", "prior")
def test_the_prior_that_is_pressed_is_the_one_drawn_from(control):
    widget, buttons = made("prior_explorer", control)
    shows_draws_of(widget, "N(0, I)")
    buttons.value = "Gaussian"
    shows_draws_of(widget, "Gaussian")


@used("prior_explorer", "draw again")
def test_draw_again_shows_the_next_draws_and_in_the_end_the_first(control):
    widget, button = made("prior_explorer", control)
    for turn in (1, 2):
        button.click()
        shows_draws_of(widget, "N(0, I)", turn)
    widget.prior.value = "Gaussian"
    shows_draws_of(widget, "Gaussian", 2)
    for _ in range(18):
        button.click()
    shows_draws_of(widget, "Gaussian")


# denoising_walk


def walked(steps=8, seed=0, way=ancestral_path):
    random = torch.Generator().manual_seed(seed)
    noise = torch.randn(60, 2, generator=random)
    return way(half_way, noise, steps, **({"generator": random} if way is ancestral_path else {}))


def shows_walk(widget, path, step, said):
    lines = widget.curves.lines
    z, t = path[step], torch.full((60,), 1 - step / (len(path) - 2))
    for name, points in (("points", z), ("guesses", half_way(z, t))):
        assert torch.allclose(torch.tensor(np.array(lines[name].get_data())).T, points.double()), name
    assert shown(widget.picture) == widget.png()
    assert said in widget.picture.value


@used("denoising_walk", "t")
def test_t_walks_the_points(control):
    widget, slider = made("denoising_walk", control)
    for t, step in ((1.0, 0), (0.25, 6), (0.0, 8)):
        slider.value = t
        shows_walk(widget, walked(), step, f"60 points at t = {t:.2f}, 8 steps, fresh noise")


@used("denoising_walk", "steps", "way back", "other noise")
def test_another_walk_is_shown_at_the_same_time(control):
    widget, used_one = made("denoising_walk", control)
    if control == "steps":
        used_one.value = 4
        shows_walk(widget, walked(4), 2, "t = 0.50, 4 steps, fresh noise")
    elif control == "way back":
        used_one.value = "without"
        shows_walk(widget, walked(way=deterministic_path), 4, "8 steps, no fresh noise")
    else:
        used_one.click()
        shows_walk(widget, walked(seed=1), 4, "t = 0.50, 8 steps")


# beta_explorer


@used("beta_explorer", "β")
def test_beta_shows_the_pictures_and_the_numbers_of_its_own_model(control):
    widget, slider = made("beta_explorer", control)
    z = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    assert slider.value == 1 and [label for label, _ in slider.options] == ["0.5", "1", "4"]
    for beta, said in ((4.0, "12.5 + distortion 110.0 = 122.5"), (0.5, "30.0 + distortion 70.0 = 100.0")):
        slider.value = beta
        model = BY_BETA[beta]
        parts = [FLOATS[:10], generated(model, embedded(model, FLOATS[:10])), generated(model, z)]
        assert shown(widget.picture) == png_of(torch.cat(parts), 10, 2)
        assert f"rate (KL) {said} nats" in widget.readout.value and said in widget.picture.value
        assert f"β = {beta:g}:" in widget.picture.value


# Gaussians: what is drawn is in test_drawn_curves


@used("kl_explorer", "μ", "log σ²")
def test_a_slider_of_the_kl_moves_its_own_number(control):
    widget, slider = made("kl_explorer", control)
    slider.value = 0.7
    mu, logvar = (0.7, -1.0) if control == "μ" else (1.2, 0.7)
    kl = kl_divergence(Normal(mu, math.exp(logvar / 2)), Normal(0.0, 1.0)).item()
    assert f"= {kl:.2f} nats" in widget.readout.value
    assert f"N({mu:.2f}, σ = {math.exp(logvar / 2):.2f})" in widget.picture.value


@used("elbo_explorer", "mean μ", "spread σ")
def test_a_slider_of_q_moves_its_own_number_of_the_bound(control):
    widget, slider = made("elbo_explorer", control)
    slider.value = 1.1
    mu, sigma = (1.1, 0.7) if control == "mean μ" else (0.2, 1.1)
    kl = kl_divergence(Normal(mu, sigma), Normal(0.5, 0.4)).item()
    assert f"q with mean {mu:.2f} and spread {sigma:.2f}: ELBO {-kl:.2f} of " in widget.picture.value
    assert f"KL(q‖p(z|x)) <b>{kl:.2f}</b>" in widget.numbers.value


@used("forward_reverse_kl", "mean μ", "spread σ")
def test_a_slider_of_q_moves_its_own_number_of_both_divergences(control):
    widget, slider = made("forward_reverse_kl", control)
    slider.value = 1.1
    q = Normal(*((1.1, 0.7) if control == "mean μ" else (0.2, 1.1)))
    forward, reverse = kl_divergence(Normal(0.5, 0.4), q).item(), kl_divergence(q, Normal(0.5, 0.4)).item()
    assert f"forward KL {forward:.2f}, reverse KL {reverse:.2f}" in widget.picture.value
    assert f"KL(p‖q) <b>{forward:.2f}</b>" in widget.numbers.value
    assert f"KL(q‖p) <b>{reverse:.2f}</b>" in widget.numbers.value


# All


@pytest.mark.parametrize("name", WIDGETS)
def test_what_was_saved_is_what_was_shown_first(name):
    widget = WIDGETS[name]()
    first = shown(widget.picture)
    assert widget.still == first
    if name == "interpolation":
        assert widget.alt.startswith("Live in JupyterLab")


@pytest.mark.parametrize(
    "model", [VAE, OTHER, CONDITIONAL, PLANE, *BY_BETA.values()], ids=lambda model: type(model).__name__
)
def test_the_models_handed_over_stay_in_training_mode(model):
    assert model.training and model.decoder[2].training


# drawing_pad


def packed(x):
    return base64.b64encode((255 * x).round().byte().numpy().tobytes()).decode()


def drawn_by(models, x):
    """What a pad shows of an input: itself, and what each model makes of it."""
    return png_of(torch.cat([x, *(generated(m, embedded(m, x)) for m in models)]), columns=3, zoom=4)


@pytest.mark.skipif(not has_pad(), reason="anywidget is not installed")
@used("drawing_pad", "pad")
def test_a_drawing_goes_through_every_model(control):
    widget, pad = made("drawing_pad", control)
    pad.pixels = packed(FLOATS[3:4])
    assert shown(widget.picture) == drawn_by((VAE, OTHER), data.fit_and_centre(widget.drawing()))


@pytest.mark.skipif(not has_pad(), reason="anywidget is not installed")
@used("drawing_pad", "fit and centre, as MNIST does")
def test_without_the_tick_a_drawing_stays_where_it_is(control):
    widget, tick = made("drawing_pad", control)
    widget.pad.pixels = packed(FLOATS[3:4].roll(4, -1))
    tick.value = False
    assert shown(widget.picture) == drawn_by((VAE, OTHER), widget.drawing())


@pytest.mark.skipif(not has_pad(), reason="anywidget is not installed")
@used("drawing_pad", "clear")
def test_clear_takes_all_ink_away(control):
    widget, button = made("drawing_pad", control)
    button.click()
    assert widget.drawing().max() == 0
    assert shown(widget.picture) == drawn_by((VAE, OTHER), torch.zeros(1, 1, 28, 28))
