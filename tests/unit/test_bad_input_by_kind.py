"""What learners really hand over, kind by kind, at every door: what is wrong, where, and how to mend it.

``test_bad_input`` goes through every argument; here are the sentences, and what must *not* be refused.
"""

import gc
import os
import re
from pathlib import Path

from vae_helpers import data, evaluation, exercises, losses, models, plotting, training, widgets
from vae_helpers.data import files
from vae_helpers.training import checkpoint
from vae_helpers.validation import objects, pixels
from vae_helpers.validation.looks import looked_at

import pytest
import torch
from torch.nn.functional import one_hot

from helpers.small_models import small_vae

GLYPHS = data.to_float(data.load_glyphs(n=20, n_test=1).x)
Y = torch.arange(20) % 10
VAE, LINEAR, CVAE = models.VAE(3, (8,)), models.LinearVAE(3), models.ConditionalVAE(3, (8,))
CLASS_VAE, AE = models.ClassPriorVAE(3, (8,)), models.Autoencoder(3, (8,))
LOGITS, PLANES = torch.zeros(20, 1, 28, 28), torch.zeros(20, 2, 28, 28)
CLEAN = {  # doors that want images in [0, 1]
    "fit": lambda x: training.fit(VAE, x, losses.vae_loss, epochs=1, progress=False),
    "mean_loss": lambda x: training.mean_loss(VAE, x, losses.vae_loss),
    "vae_loss": lambda x: losses.vae_loss(VAE, x),
    "binarized_loss": lambda x: losses.binarized_loss(VAE, x),
    "free_bits_loss": lambda x: losses.free_bits_loss(VAE, x),
    "linear_vae_loss": lambda x: losses.linear_vae_loss(LINEAR, x),
    "linear_vae_loss_exact": lambda x: losses.linear_vae_loss_exact(LINEAR, x),
    "conditional_vae_loss": lambda x: losses.conditional_vae_loss(CVAE, x, Y),
    "class_prior_loss": lambda x: losses.class_prior_loss(CLASS_VAE, x, Y),
    "autoencoder_loss": lambda x: losses.autoencoder_loss(AE, x),
    "denoising_loss": lambda x: losses.denoising_loss(AE, x, corrupt=lambda x: x),
    "bernoulli_nll": lambda x: losses.bernoulli_nll(LOGITS, x),
    "Bernoulli.nll": lambda x: models.Bernoulli().nll(LOGITS, x),
    "ContinuousBernoulli.nll": lambda x: models.ContinuousBernoulli().nll(LOGITS, x),
    "joint_log_prob": lambda x: losses.joint_log_prob(VAE, x, torch.zeros(20, 3)),
    "start_at_mean": lambda x: models.start_at_mean(VAE, x),
}
NOISY = {  # doors that noisy images pass too
    "VAE.encode": VAE.encode,
    "VAE.embed": VAE.embed,
    "LinearVAE.encode": LINEAR.encode,
    "Autoencoder.encode": AE.encode,
    "ConditionalVAE.encode": lambda x: CVAE.encode(x, Y),
    "masking": lambda x: data.masking(x, 0.25),
    "gaussian": lambda x: data.gaussian(x, 0.25),
    "salt_and_pepper": lambda x: data.salt_and_pepper(x, 0.25),
    "choose_pixels": lambda x: data.choose_pixels(x, 0.25),
    "Gaussian.nll": lambda x: models.Gaussian().nll(LOGITS, x),
    "GaussianPerPixel.nll": lambda x: models.GaussianPerPixel().nll(PLANES, x),
    "image_grid": plotting.image_grid,
    "mse_to_nearest": lambda x: evaluation.mse_to_nearest(x, GLYPHS),
}
OF_ANOTHER_SCALE = {
    "0 to 255": (255 * GLYPHS, r"from 0 to 255: divide by 255 \(\w+ / 255\)"),
    "−1 to 1": (2 * GLYPHS - 1, r"from -1 to 1: it is scaled to \[−1, 1\].*take \(\w+ \+ 1\) / 2"),
    "standardised": ((GLYPHS - 0.1307) / 0.3081, "leave out the transform that subtracts a mean"),
    "NaN": (torch.where(GLYPHS > 0.9, torch.nan, GLYPHS), r"holds NaN in \d+ of 20 images: drop or mend them"),
}


@pytest.mark.parametrize("door", [*CLEAN, *NOISY])
@pytest.mark.parametrize("kind", OF_ANOTHER_SCALE)
def test_images_of_another_scale_are_refused_with_the_mend_of_their_scale(door, kind):
    x, message = OF_ANOTHER_SCALE[kind]
    name = {"Bernoulli.nll": "nll", "ContinuousBernoulli.nll": "nll"}.get(door, door)
    with pytest.raises(ValueError, match=message) as refused:
        (CLEAN | NOISY)[door](x)
    assert re.match(rf"[\w.]*{name.split('.')[-1]}: (x|images) |[\w.]+: (x|images) ", str(refused.value))


@pytest.mark.parametrize("door", CLEAN)
def test_noise_is_refused_where_clean_images_are_asked_for(door):
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\].*clamp added noise with x\.clamp\(0, 1\)"):
        CLEAN[door](data.gaussian(GLYPHS, 0.3))


def noisy_images():
    random = torch.Generator().manual_seed(0)
    for sigma in (0.01, 0.1, 0.3, 0.5, 1.0, 5.0, 80.0):
        yield data.gaussian(GLYPHS, sigma, random)
        yield data.gaussian(data.masking(GLYPHS, 0.5, random), sigma, random)
        yield data.masking(data.gaussian(GLYPHS, sigma, random), 0.5, random)
        yield data.gaussian(torch.zeros(20, 1, 28, 28), sigma, random)
        yield torch.randn(20, 1, 28, 28, generator=random) * sigma
    yield from (
        torch.zeros_like(GLYPHS),
        torch.ones_like(GLYPHS),
        1 - GLYPHS,
        GLYPHS.round(),
        1.3 * GLYPHS,
        GLYPHS - 0.1,
    )


@pytest.mark.parametrize("door", NOISY)
def test_noise_of_any_strength_passes_where_noisy_images_do(door):
    for x in noisy_images():
        NOISY[door](x)


def test_a_diagnosis_passes_the_sentence_on():
    said = " ".join(str(exercises.diagnose_vae(VAE, losses.vae_loss, 2 * GLYPHS - 1)).split())
    assert "loss raised ValueError" in said and "it is scaled to [−1, 1]" in said


# Shapes and types

FOUND_SHAPES = {
    "one image": (GLYPHS[0], r"one image alone is a batch of one, x\.view\(1, 1, 28, 28\)"),
    "one picture": (GLYPHS[0, 0], r"one image alone is a batch of one, x\.view\(1, 1, 28, 28\)"),
    "one row": (GLYPHS[0].flatten(), r"one image alone is a batch of one, x\.view\(1, 1, 28, 28\)"),
    "flat": (GLYPHS.flatten(1), r"reshape it with x\.view\(-1, 1, 28, 28\)"),
    "without a channel": (GLYPHS[:, 0], r"reshape it with x\.view\(-1, 1, 28, 28\)"),
    "in colour": (GLYPHS.expand(-1, 3, -1, -1), r"are grey, data\.to_float\(x\)\.mean\(1, keepdim=True\)"),
    "in colour, last": (
        GLYPHS[:, 0, :, :, None].expand(-1, -1, -1, 3),
        r"are grey, data\.to_float\(x\)\.mean\(3\)\[:, None\]",
    ),
    "one in colour": (GLYPHS[0].expand(3, -1, -1), r"data\.to_float\(x\)\.mean\(0\)\[None, None\]"),
    "larger": (
        torch.rand(20, 1, 32, 32),
        r"resize it with torch\.nn\.functional\.interpolate\(data\.to_float\(x\), \(28, 28\)\)",
    ),
}
MENDED = {
    "one image": lambda x: x.view(1, 1, 28, 28),
    "one picture": lambda x: x.view(1, 1, 28, 28),
    "one row": lambda x: x.view(1, 1, 28, 28),
    "flat": lambda x: x.view(-1, 1, 28, 28),
    "without a channel": lambda x: x.view(-1, 1, 28, 28),
    "in colour": lambda x: data.to_float(x).mean(1, keepdim=True),
    "in colour, last": lambda x: data.to_float(x).mean(3)[:, None],
    "one in colour": lambda x: data.to_float(x).mean(0)[None, None],
    "larger": lambda x: torch.nn.functional.interpolate(data.to_float(x), (28, 28)),
}


@pytest.mark.parametrize("kind", FOUND_SHAPES)
def test_images_of_another_shape_are_refused_with_a_mend_that_works(kind):
    x, message = FOUND_SHAPES[kind]
    for door in (VAE.encode, CLEAN["fit"], CLEAN["vae_loss"], NOISY["masking"]):
        with pytest.raises(ValueError, match=message):
            door(x)
    VAE.encode(MENDED[kind](x))


@pytest.mark.parametrize("labels", [one_hot(Y, 10), one_hot(Y, 10).float()], ids=["int64", "float32"])
def test_one_hot_labels_are_refused_with_the_mend(labels):
    doors = (
        lambda y: CVAE.encode(GLYPHS, y),
        lambda y: CVAE.generate(torch.zeros(20, 3), y),
        lambda y: training.fit(CVAE, GLYPHS, losses.conditional_vae_loss, y),
        lambda y: losses.class_prior_loss(CLASS_VAE, GLYPHS, y),
        lambda y: models.join_label(torch.zeros(20, 3), y),
        lambda y: plotting.code_scatter(torch.zeros(20, 2), y),
        lambda y: evaluation.variance_within_classes(GLYPHS, y),
    )
    for door in doors:
        with pytest.raises(
            (TypeError, ValueError), match=r"one-hot labels become numbers of classes with y\.argmax\(1\)"
        ):
            door(labels)
    CVAE.encode(GLYPHS, labels.argmax(1))


@pytest.mark.parametrize(
    ("x", "precision", "mend"),
    [
        (GLYPHS.half(), torch.float32, r"x is float16, the model's weights are float32: convert it with x\.float\(\)"),
        (GLYPHS.bfloat16(), torch.float32, r"x is bfloat16, .*x\.float\(\)"),
        (GLYPHS.double(), torch.float32, r"x is float64, .*x\.float\(\)"),
        (GLYPHS, torch.float64, r"x is float32, the model's weights are float64: convert it with x\.double\(\)"),
    ],
)
def test_another_precision_than_the_models_is_refused_with_the_mend(x, precision, mend):
    model = small_vae().to(precision)
    with pytest.raises(TypeError, match=mend):
        model.encode(x)
    with pytest.raises(TypeError, match=mend.replace("x is", "z is").replace(r"x\.", r"z\.")):
        model.decode(torch.zeros(2, 3, dtype=x.dtype))


def test_under_autocast_half_precision_passes():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        VAE.decode(torch.zeros(2, 3, dtype=torch.bfloat16))
        with pytest.raises(TypeError, match="float64"):
            VAE.encode(GLYPHS.double())


# Devices, draws, models for widgets


def test_a_code_without_its_batch_axis_is_told_how_to_make_one():
    with pytest.raises(
        ValueError, match=r"z must have shape \(batch, 3\) for this model, got \(3,\); one alone needs z\[None\]"
    ):
        VAE.decode(torch.zeros(3))


def test_a_device_is_asked_to_compute_before_it_is_taken():
    """The device meta is there everywhere, and has no number to give."""
    assert data.why_not("cpu") == ""
    assert "the device meta fails at its first kernel (" in objects.why_not("meta")


@pytest.mark.parametrize(
    ("name", "message"), [("cuda", "PyTorch sees no GPU here"), ("mps", "but PyTorch sees no GPU of Apple's here")]
)
def test_a_device_that_is_not_there_is_refused_before_anything_is_drawn(name, message, monkeypatch):
    if name == "mps" and torch.backends.mps.is_available():
        pytest.skip("this machine has one")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(data.glyphs, "make", lambda *arguments, **more: pytest.fail("glyphs were drawn"))
    for enter in (
        lambda: data.load("glyphs", device=name),
        lambda: data.load_glyphs(torch.device(name), n=2, n_test=1),
    ):
        with pytest.raises(ValueError, match=rf'device is "{name}".*{message}.*take "cpu", or leave it out'):
            enter()


def test_no_draw_at_all_is_refused():
    with pytest.raises(ValueError, match=r"log_weights holds nothing: shape \(0, 4\)"):
        losses.log_mean_exp(torch.zeros(0, 4))
    with pytest.raises(ValueError, match="n_samples must be at least 1, got 0"):
        evaluation.sampled_log_p(VAE, GLYPHS.round(), n_samples=0)


def test_a_model_that_needs_labels_is_sent_to_the_widget_that_asks_for_them():
    plane, score = models.ConditionalVAE(2, (8,)), losses.Loss(1.0)
    for enter, name in (
        (lambda: widgets.latent_sliders(CVAE), "model"),
        (lambda: widgets.latent_plane(plane), "model"),
        (lambda: widgets.interpolation(CVAE, GLYPHS), "model"),
        (lambda: widgets.noise_explorer({"mine": CVAE}, GLYPHS), r"models\['mine'\]"),
        (lambda: widgets.beta_explorer({1.0: CVAE}, {1.0: score}, GLYPHS[:10]), r"models\[1.0\]"),
    ):
        with pytest.raises(TypeError, match=rf"{name}: ConditionalVAE needs labels, .*use widgets\.class_explorer"):
            enter()
    widgets.latent_sliders(CLASS_VAE)


# Files and folders


def test_a_folder_is_no_checkpoint(tmp_path):
    model, history = small_vae(), training.History()
    message = rf"must be a file, and {re.escape(str(tmp_path))} is a folder: name one in it, such as .*model\.pt"
    for enter in (
        lambda: training.fit(model, GLYPHS, lambda *given: pytest.fail("a step was made"), checkpoint=tmp_path),
        lambda: checkpoint.save(tmp_path, model, history),
        lambda: checkpoint.load(str(tmp_path), model),
        lambda: checkpoint.load_training(tmp_path, model, {}),
    ):
        with pytest.raises(ValueError, match=message):
            enter()


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A folder with data of both names, as short as can be."""
    small = {}
    for name, folder in (("mnist", "MNIST"), ("fashion", "FashionMNIST")):
        raw = tmp_path / "root" / folder / "raw"
        raw.mkdir(parents=True)
        (raw / "images").write_bytes(b"x")
        small[name] = (files.DataFile(Path(folder, "raw", "images"), 1, ""),)
    for name, its_files in small.items():
        monkeypatch.setitem(files.FILES, name, its_files)
    monkeypatch.setenv("VAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VAE_DATA", raising=False)
    return tmp_path / "root"


@pytest.mark.parametrize("name", ["mnist", "fashion"])
@pytest.mark.parametrize("inside", ["MNIST", "MNIST/raw", "FashionMNIST", "FashionMNIST/raw"])
def test_a_folder_inside_the_data_is_refused_with_the_one_that_was_meant(name, inside, published, monkeypatch):
    with pytest.raises(FileNotFoundError, match=rf"does not hold {name}.*Give {re.escape(str(published))}, or leave"):
        data.find(name, published / inside)
    monkeypatch.setenv("VAE_DATA", str(published / inside))
    with pytest.raises(
        FileNotFoundError, match=rf"VAE_DATA is .*inside the data: set it to {re.escape(str(published))}\."
    ):
        data.find(name)


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_path_in_quotes_is_refused_with_the_bare_one(quote, published, monkeypatch):
    quoted = f"{quote}{published}{quote}"
    mend = rf"quotes included: set it to {re.escape(str(published))} without them"
    with pytest.raises(FileNotFoundError, match=f"folder is {quote}.*{mend}"):
        data.find("mnist", quoted)
    for variable, enter in (("VAE_DATA", lambda: data.find("mnist")), ("VAE_CACHE", data.cache_folder)):
        monkeypatch.setenv(variable, quoted)
        with pytest.raises(FileNotFoundError, match=f"{variable} is {quote}.*{mend}"):
            enter()
        monkeypatch.delenv(variable)


def test_a_file_in_a_folders_place_is_refused(published, monkeypatch):
    file = published / "MNIST/raw/images"
    for variable, mend, enter in (
        ("VAE_DATA", "the folder that contains MNIST/raw", lambda: data.find("mnist")),
        ("VAE_DATA", "the folder that contains MNIST/raw", lambda: data.load("fashion", device="cpu")),
        ("VAE_CACHE", "a folder of yours", data.cache_folder),
        ("VAE_CACHE", "a folder of yours", lambda: checkpoint.remembered(VAE, "mnist", lambda: pytest.fail("trained"))),
    ):
        monkeypatch.setenv(variable, str(file))
        with pytest.raises(NotADirectoryError, match=rf"{variable} is .*images, which is a file: set it to {mend}"):
            enter()
        monkeypatch.delenv(variable)
    with pytest.raises(NotADirectoryError, match=r"folder is .*which is a file"):
        data.find("mnist", file)


def test_the_folder_given_comes_before_vae_data_and_that_before_the_cache(published, monkeypatch, tmp_path):
    places = {}
    for place in ("given", "named", "cached"):
        places[place] = tmp_path / place
        for folder in ("MNIST", "FashionMNIST"):
            (places[place] / folder / "raw").mkdir(parents=True)
            (places[place] / folder / "raw" / "images").write_bytes(b"x")
    monkeypatch.setenv("VAE_CACHE", str(places["cached"]))
    assert data.find("mnist") == places["cached"]
    monkeypatch.setenv("VAE_DATA", str(places["named"]))
    assert data.find("mnist") == data.find("fashion") == places["named"]
    assert data.find("mnist", places["given"]) == data.find("mnist", str(places["given"])) == places["given"]
    (places["named"] / "FashionMNIST/raw/images").unlink()
    assert data.find("mnist") == places["named"] and data.find("fashion") == places["cached"]


def test_an_empty_variable_is_one_that_is_not_set(published, monkeypatch):
    monkeypatch.setenv("VAE_DATA", "")
    assert data.find("mnist") is None
    monkeypatch.setenv("VAE_CACHE", "")
    assert data.cache_folder().name == "vae_helpers" and os.environ["VAE_CACHE"] == ""


# The price


def looks(monkeypatch):
    """How often the package looks at the ends of a tensor."""
    seen, aminmax = [], torch.aminmax
    monkeypatch.setattr(pixels.torch, "aminmax", lambda x: seen.append(tuple(x.shape)) or aminmax(x))
    return seen


@pytest.mark.parametrize(
    ("loss", "model", "tensors"),
    [
        (losses.vae_loss, VAE, 1),
        (losses.binarized_loss, VAE, 2),
        (losses.autoencoder_loss, AE, 1),
        (lambda m, x, y: losses.denoising_loss(m, x, corrupt=lambda x: data.gaussian(x, 0.3)), AE, 2),
    ],
)
def test_a_step_looks_once_at_each_tensor_of_images(loss, model, tensors, monkeypatch):
    x = GLYPHS.clone()
    seen = looks(monkeypatch)
    loss(model, x, None)
    assert len(seen) == tensors


def test_a_tensor_that_has_changed_is_looked_at_again(monkeypatch):
    x, seen = GLYPHS.clone(), looks(monkeypatch)
    VAE.encode(x)
    VAE.embed(x)
    assert len(seen) == 1
    x[3] *= 255
    with pytest.raises(ValueError, match="divide by 255"):
        VAE.encode(x)
    with torch.inference_mode():
        twice = GLYPHS.clone()
        VAE.encode(twice)
        twice[0] = torch.nan
        with pytest.raises(ValueError, match="NaN in 1 of 20"):
            VAE.encode(twice)


def test_a_tensor_is_not_kept_alive_by_having_been_looked_at():
    import weakref

    x = GLYPHS.clone()
    VAE.encode(x)
    gone = weakref.ref(x)
    del x
    gc.collect()
    assert gone() is None


def test_what_lies_on_another_device_is_not_looked_at_in_a_step_of_fit(monkeypatch):
    seen = looks(monkeypatch)
    with looked_at():
        pixels.in_unit_interval_in_a_step(torch.empty(4, 1, 28, 28, device="meta"), "x")
        pixels.perhaps_noisy_in_a_step(torch.empty(4, 1, 28, 28, device="meta"), "x")
    assert not seen


def test_what_stands_for_many_passes_as_before():
    each = torch.func.vmap(lambda x: VAE.encode(x[None])[0][0])(GLYPHS)
    assert torch.allclose(each, VAE.encode(GLYPHS)[0], atol=1e-5)
