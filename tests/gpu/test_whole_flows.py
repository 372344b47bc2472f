"""What a learner does from end to end, on a GPU: widgets moved, the command line, the best model, a diagnosis."""

from vae_helpers import data, evaluation, exercises, losses, models, plotting, train, widgets
from vae_helpers.training import best, best_vae

import ipywidgets
import pytest
import torch

X = torch.rand(103, 1, 28, 28, generator=torch.Generator().manual_seed(0))
Y = torch.arange(103) % 10


def widgets_of_the_course():
    """Each widget, of models and codes on the GPU."""
    vae, plane, ae = models.VAE(3, (8,)).cuda(), models.VAE(2, (8,)).cuda(), models.Autoencoder(3, (8,)).cuda()
    cvae, class_prior = models.ConditionalVAE(3, (8,)).cuda(), models.ClassPriorVAE(3, (8,)).cuda()
    x, y = X.cuda(), Y.cuda()
    codes, scores = evaluation.in_batches(plane.embed, x), {1.0: losses.Loss(1.0, 1.0), 4.0: losses.Loss(2.0)}
    return {
        "sliders": lambda: widgets.latent_sliders(vae, codes=evaluation.in_batches(vae.embed, x)),
        "sliders from a code": lambda: widgets.latent_sliders(ae, start=ae.embed(x)[0]),
        "plane": lambda: widgets.latent_plane(plane, codes, y),
        "plane of sliders": lambda: widgets.latent_plane(plane, codes, y, pad=False),
        "between codes": lambda: widgets.interpolation(vae, x),
        "classes": lambda: widgets.class_explorer(cvae, 3, style=torch.randn(3, device="cuda")),
        "classes of a prior": lambda: widgets.class_explorer(class_prior),
        "noise": lambda: widgets.noise_explorer({"a": ae}, x),
        "beta": lambda: widgets.beta_explorer({1.0: vae, 4.0: vae}, scores, x[:10]),
        "kl": widgets.kl_explorer,
        "elbo": lambda: widgets.elbo_explorer(lambda z: -z.square()),
        "both divergences": lambda: widgets.forward_reverse_kl(lambda z: -z.square()),
        "priors": lambda: widgets.prior_explorer(vae, priors_there(), torch.randn(50, 3, device="cuda"), y[:50]),
        "a walk": lambda: widgets.denoising_walk(models.ResidualDenoiser(2, 8, 1).cuda(), codes, steps=4),
        "the pad": lambda: widgets.drawing_pad({"a": vae}),
    }


def priors_there():
    """Priors on the GPU, by name."""
    return {"N(0, I)": models.StandardGaussian(3).cuda(), "a mixture": models.Mixture(4, 3).cuda()}


WIDGETS = ["sliders", "sliders from a code", "plane", "plane of sliders", "between codes", "classes"]
WIDGETS += ["classes of a prior", "noise", "beta", "kl", "elbo", "both divergences", "priors", "a walk", "the pad"]


def controls_in(widget):
    for child in getattr(widget, "children", ()):
        yield child
        yield from controls_in(child)


def touch(control):
    """Move, press or choose, as a hand would; a button's callbacks are called, for ``click`` hides what they raise."""
    if isinstance(control, ipywidgets.Button):
        for pressed in control._click_handlers.callbacks:
            pressed(control)
    elif isinstance(control, ipywidgets.FloatSlider):
        control.value = 0.5 * (control.min + control.max) + control.step
    elif isinstance(control, ipywidgets.Checkbox):
        control.value = not control.value
    elif isinstance(control, (ipywidgets.ToggleButtons, ipywidgets.Dropdown, ipywidgets.SelectionSlider)):
        control.index = len(control.options) - 1
    elif isinstance(control, (ipywidgets.BoundedIntText, ipywidgets.IntSlider)):
        control.value = control.max


@pytest.mark.parametrize("default", [None, "cuda"])
@pytest.mark.parametrize("name", WIDGETS)
def test_every_control_of_a_widget_moves(name, default):
    make = widgets_of_the_course()[name]
    torch.set_default_device(default)
    try:
        widget = make()
        for control in list(controls_in(widget)):
            touch(control)
    finally:
        torch.set_default_device(None)
    assert not widget.errors.outputs


def test_all_widgets_are_moved():
    assert set(widgets_of_the_course()) == set(WIDGETS) and len(WIDGETS) >= len(widgets.__all__)


@pytest.fixture
def tiny(monkeypatch):
    """Data of 103 images, as if loaded."""
    x = (255 * X).byte()
    monkeypatch.setattr(data, "load", lambda name, device=None: data.Dataset("glyphs", x, Y, x, Y))


@pytest.mark.parametrize("model", train.RECIPES)
def test_the_command_line_trains_and_resumes(model, tiny, capsys, monkeypatch):
    places, fit = [], train.fit

    def watched(model, *rest, **how):
        places.append(models.device_of(model))
        return fit(model, *rest, **how)

    monkeypatch.setattr(train, "fit", watched)
    how = ["--model", model, "--latent-dim", "3", "--epochs", "2", "--batch-size", "25", "--quiet", "--data", "glyphs"]
    assert train.main(how) == 0
    assert "on cuda" in capsys.readouterr().out
    for device in ("cuda", "cuda:0"):
        assert train.main([*how, "--resume", "--device", device]) == 0
    assert {place.type for place in places} == {"cuda"}


def test_the_command_line_refuses_a_gpu_that_is_not_there(capsys):
    with pytest.raises(SystemExit):
        train.main(["--device", "mps"])
    assert "sees no GPU of Apple's" in capsys.readouterr().err


def test_the_best_model_is_trained_there_and_found_again(monkeypatch):
    monkeypatch.setattr(best, "HELD_OUT", 20)
    monkeypatch.setattr(best, "EPOCHS", 2)
    small = data.Dataset("glyphs", (255 * X).byte().cuda(), Y.cuda(), (255 * X).byte().cuda(), Y.cuda())
    weights = [torch.cat([p.flatten() for p in best_vae(small)[0].parameters()]) for _ in range(2)]
    assert weights[0].is_cuda and torch.equal(*weights)


def test_the_best_mixture_is_trained_there(monkeypatch):
    monkeypatch.setattr(best, "HELD_OUT", 20)
    monkeypatch.setattr(best, "SECONDS", 0.5)
    small = data.Dataset("glyphs", (255 * X).byte().cuda(), Y.cuda(), (255 * X).byte().cuda(), Y.cuda())
    model, history = best.best_mixture_vae(small)
    assert history.train and all(p.is_cuda and p.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_a_capstone_is_handed_in_from_either_device(device):
    model, data_there = models.ConditionalVAE(3, (8,)).cuda(), (X.to(device), Y.to(device))
    models.start_at_mean(model, X.cuda())
    handed = exercises.capstone(model, losses.conditional_vae_loss, data_there, data_there, about="noise of my own")
    assert handed.nats > 0 and set(handed.levels) == {"a coin for each pixel", "the mean image", "a perfect copy"}


@pytest.mark.parametrize("device", ["cuda", "cpu"])
@pytest.mark.parametrize("labelled", [False, True])
def test_a_diagnosis_finds_nothing_wrong_with_a_right_model(device, labelled):
    x, y = X.to(device), Y.to(device)
    model = (models.ConditionalVAE(3, (8,)) if labelled else models.VAE(3, (8,))).cuda()
    loss = losses.conditional_vae_loss if labelled else losses.vae_loss
    state = torch.cuda.get_rng_state()
    found = exercises.diagnose_vae(model, loss, (x, y) if labelled else x, 1 - x, evaluate=loss)
    assert not found.findings and not found.not_seen
    assert torch.equal(torch.cuda.get_rng_state(), state)


def by_own_lines(model, x):
    """A loss that names no device: on the CPU it agrees with the model there, on the GPU where that is the default."""
    mu, logvar = model.encode(x)
    z = mu + (logvar / 2).exp() * torch.randn(mu.shape)
    reconstruction = torch.nn.functional.binary_cross_entropy_with_logits(model.decode(z), x, reduction="sum") / len(x)
    return reconstruction + 0.5 * (mu**2 + logvar.exp() - logvar - torch.ones(1)).sum() / len(x)


def on_the_gpu_alone(model, x):
    """The same, of a model that says where it computes, as many do."""
    return by_own_lines(model, x.cuda())


@pytest.mark.parametrize("device", ["cuda", "cpu"])
@pytest.mark.parametrize("loss", [losses.vae_loss, by_own_lines, on_the_gpu_alone])
def test_a_diagnosis_is_the_same_whatever_the_default_device(loss, device):
    torch.set_default_device("cuda")
    try:
        found = exercises.diagnose_vae(models.VAE(3, (8,)), loss, X.to(device), 1 - X, evaluate=loss)
    finally:
        torch.set_default_device(None)
    assert not found.findings and not found.not_seen


def test_a_blind_round_is_trained_on_the_cpu_whatever_the_default_device():
    torch.set_default_device("cuda")
    try:
        round_ = exercises.blind_round(models.VAE(3, (8,)), losses.vae_loss, X, seed=3, steps=2)
    finally:
        torch.set_default_device(None)
    assert {p.device.type for p in round_.model.parameters()} == {"cpu"}


def test_a_diagnosis_takes_a_loader_of_the_cpu_for_a_model_of_the_gpu():
    pairs = torch.utils.data.TensorDataset(X, Y)
    loader = torch.utils.data.DataLoader(pairs, batch_size=10, shuffle=True)
    for model, loss in (
        (models.VAE(3, (8,)).cuda(), losses.vae_loss),
        (models.ConditionalVAE(3, (8,)).cuda(), losses.conditional_vae_loss),
    ):
        assert not exercises.diagnose_vae(model, loss, loader).findings


def test_rows_of_images_may_come_from_both_devices():
    plotting.image_rows({"there": X[:5].cuda(), "here": X[:5]})
