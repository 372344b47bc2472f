"""Every public function refuses what it can't use, and names the argument.

``CASES`` holds, for each public function, class and method of the package, a call that works, and for single arguments
values that must raise TypeError or ValueError with the argument's name in the message. A test goes through the modules
and fails where a public name is missing, so that a new function comes with its row.

What runs at every training step (corruptions, losses, likelihoods, encode) looks at the *values* of images on the CPU
alone: a GPU would have to wait at every step. ``fit`` looks at all images and labels once, at its door,
and at the loss once an epoch. What a network made (logits, codes, log σ²) is not looked at: a NaN in it gives a NaN,
which is seen.

``BEHIND`` names what has no rows, and why: results that the package makes, and machinery behind a checked door.
"""

import importlib
import inspect
import pkgutil
import re
import tempfile
from pathlib import Path

import vae_helpers
from vae_helpers import data, evaluation, exercises, losses, models, plotting, training, widgets
from vae_helpers.data import devices, downloads, files, glyphs, places
from vae_helpers.exercises import diagnosis
from vae_helpers.losses import Loss
from vae_helpers.training import History, best, optimizers, timed

import pytest
import torch
from jaxtyping import TypeCheckError
from PIL import Image
from torch import nn
from torch.distributions import MultivariateNormal
from torch.nn.functional import one_hot

NAN, INF = float("nan"), float("inf")
GENERATOR = torch.Generator().manual_seed(0)
X = torch.rand(12, 1, 28, 28, generator=GENERATOR)
BYTES = (255 * X).byte()
Y = torch.arange(12) % 10
ROWS = torch.randn(12, 3, generator=GENERATOR)
LOGITS = torch.randn(12, 1, 28, 28, generator=GENERATOR)
TWO_PLANES = torch.randn(12, 2, 28, 28, generator=GENERATOR)
GRID = torch.linspace(-4, 4, 50)
LOG_P = -0.5 * GRID.square()
ONE = torch.zeros(())


def with_one(value, like):
    """A copy whose first number is another."""
    copy = like.clone()
    copy.view(-1)[0] = value
    return copy


# Values that are no …
NO_TENSOR = [None, "images", 3, [1.0, 2.0], X.numpy()]
NO_FLOATS = [*NO_TENSOR, BYTES, Y]
NO_IMAGES = [*NO_TENSOR, X.flatten(1), X[0], X[:0], X[:, :, :27], Y, BYTES.long()]
NO_FLOAT_IMAGES = [*NO_IMAGES, BYTES]
NAN_IMAGES = [with_one(NAN, X), with_one(INF, X)]
NO_PIXELS = [*NO_IMAGES, *NAN_IMAGES, X * 255, X - 1]  # where values are looked at
RESCALED = [*NAN_IMAGES, X * 255, 2 * X - 1]  # what no noise can have made of images
NO_PIXELS_IN_A_STEP = [*NO_FLOAT_IMAGES, *NAN_IMAGES, X * 255, X - 1]
NO_NOISY_IMAGES = [*NO_FLOAT_IMAGES, *RESCALED]
NO_LABELS = ["labels", [1, 2], Y.float(), Y.int(), Y[:5], Y[:, None], one_hot(Y, 10), one_hot(Y, 10).float()]
NO_CLASSES = [*NO_LABELS, Y - 1, Y + 5]  # where values are looked at
NO_ROWS = [*NO_FLOATS, ROWS[0], ROWS[None], ROWS.long()]
NO_TABLE = [*NO_ROWS, ROWS[:0], with_one(NAN, ROWS), with_one(INF, ROWS)]
NO_CODES = [*NO_ROWS, ROWS[:, :2], ROWS.double()]
TIMES = torch.linspace(0.1, 0.9, 12)
NO_DIAL = [None, NAN, INF, True, "t", [0.5], Y]  # any shape will do, a plain number as well
NO_TIMES_AT_ALL = [None, 0.5, "t", [0.5], Y]
NO_TIMES = [*NO_TIMES_AT_ALL, TIMES[:5], TIMES[:, None], ONE]
OTHER_DATA = [*NO_FLOATS, ROWS[:5], ROWS[:, :2], ROWS[0]]
NO_NUMBER = [None, "1", True, NAN, INF, [1.0], torch.ones(3)]
NOT_NEGATIVE = [*NO_NUMBER, -0.1]
NOT_POSITIVE = [*NOT_NEGATIVE, 0]
NO_COUNT = [None, "2", True, 2.5, NAN, 0, -3]
NO_SEED = [None, "2", True, 2.5, -1, 2**64]
NO_FLAG = [None, 1, "yes", 0.5]
NO_FUNCTION = [None, 3, "f", X]
NO_TEXT = [None, 3, b"text"]
NO_MODEL = [None, 3, "vae", X, len]
NO_WIDTHS = [400, "400", (0,), (400, -1), (2.5,), (True,), (None,)]
NO_NAME = [None, 3, "mnits", ["mnist"]]
NO_DEVICE = [3, "gpu!", ["cpu"], "cuda:99"]


def album() -> Path:
    """A folder of twenty small pictures, there until the tests end."""
    folder = Path(ALBUM.name)
    for k in range(20):
        Image.new("L", (3, 2), k).save(folder / f"{k}.png")
    return folder


ALBUM = tempfile.TemporaryDirectory()
NO_FOLDER = [3, b"data", ["data"]]
NO_GENERATOR = [3, "seed"]
NO_FIGURE = [None, "figure", X]


def without_none(values):
    """Where None stands for a default."""
    return [value for value in values if value is not None]


def to_nothing(z, t):
    """A denoiser, or a velocity, that knows nothing."""
    return 0 * z


DENOISE = {"denoise": to_nothing, "x": ROWS}
NO_DENOISE = {"denoise": NO_FUNCTION, "x": NO_FLOATS}


def other_shapes(t):
    return [t[:5], t[..., :-1], t.byte(), t.numpy(), None]


VAE, CVAE, CLASS_VAE = models.VAE(3, (8,)), models.ConditionalVAE(3, (8,)), models.ClassPriorVAE(3, (8,))
AE, LINEAR, WIDE = models.Autoencoder(3, (8,)), models.LinearVAE(3), models.WideAutoencoder(4)
PLANE = models.VAE(2, (8,))
MIXTURE, CLASS_MIXTURE = models.Mixture(4, 3), models.ClassMixture(4, 3)
QUICK_MIXTURE = models.QuickMixture(4, 3)
FULL_MIXTURE = models.FullMixture(
    torch.zeros(4), torch.randn(4, 3, generator=GENERATOR), torch.eye(3).expand(4, -1, -1)
)
FULL_GAUSSIAN, STANDARD = models.FullGaussian(torch.zeros(3), torch.eye(3)), models.StandardGaussian(3)
SECOND, JUDGE = models.SecondLayer(3, 2, (8,)), models.Judge()
DENOISER = models.ResidualDenoiser(3, 8, 1)
WITH_PRIOR, BY_CLASS, TWO_LAYERS = models.VAE(3, (8,)), models.ConditionalVAE(3, (8,)), models.VAE(3, (8,))
WITH_PRIOR.prior, BY_CLASS.prior, TWO_LAYERS.prior = MIXTURE, CLASS_MIXTURE, SECOND
VAMP = models.VampPrior(VAE.encode, X[0], 4)
FITTED = losses.ppca(torch.zeros(6), torch.diag(torch.arange(1.0, 7.0)), 2)
PIXELS = torch.randn(5, 6, dtype=torch.float64, generator=GENERATOR)
Q = MultivariateNormal(torch.zeros(5, 2).double(), torch.eye(2).double())
COVARIANCE = torch.eye(3)
NO_COVARIANCE = [None, "S", COVARIANCE.long(), COVARIANCE[:2], torch.ones(3, 3), -COVARIANCE, with_one(NAN, COVARIANCE)]
HISTORY = History(train=[Loss(100.0, 20.0)], val=[], seconds=[1.0])
FIGURE, AXES = plotting.canvas(2, 2)
AXIS = AXES[0, 0]
TINY = data.Dataset("glyphs", BYTES, Y, BYTES, Y)
MANY = (255 * torch.rand(140, 1, 28, 28, generator=GENERATOR)).byte()
SAMPLES = data.Dataset("glyphs", MANY, torch.arange(140) % 10, MANY, torch.arange(140) % 10)
SCORES = evaluation.SampleScores(1.0, 2.0, 0.5, 0.5)
DRAWN = {"dataset": [None, "mnist", X], "n": NO_COUNT, "seed": NO_SEED}
joint = lambda z: -0.5 * z.square().sum(1)  # noqa: E731
mean_only = lambda x: (x.flatten(1)[:, :3], x.flatten(1)[:, :3])  # noqa: E731

ALIKE = {"mu": NO_ROWS, "logvar": other_shapes(ROWS)}
CORRUPTION = {"x": NO_NOISY_IMAGES, "proportion": [*NOT_NEGATIVE, 1.1], "generator": [3, "seed"]}
SIGMA = {"x": NO_NOISY_IMAGES, "sigma_noise": NOT_NEGATIVE, "generator": [3, "seed"], "clip": NO_FLAG}
ENCODE = {"x": [*NO_NOISY_IMAGES, X.double(), X.half()]}
DECODE = {"z": NO_CODES}
STYLE = {"style": NO_CODES, "y": [None, *NO_CLASSES]}
OF_LOGITS = {"x_logits": NO_FLOAT_IMAGES, "x": [*NO_PIXELS_IN_A_STEP, X[:5]]}
OF_OUTPUTS = {"outputs": NO_FLOAT_IMAGES, "x": [*NO_NOISY_IMAGES, X[:5]]}
OF_PLANES = {"outputs": [*NO_FLOATS, LOGITS, TWO_PLANES[0]], "x": NO_NOISY_IMAGES}
LOSS = {"model": NO_MODEL, "x": NO_PIXELS_IN_A_STEP}
DENSITIES = {"grid": [*NO_FLOATS, GRID.flip(0), GRID[:1], with_one(NAN, GRID), GRID[None]]}
NO_DENSITY = [*NO_FLOATS, LOG_P[:-1], with_one(NAN, LOG_P), with_one(-INF, LOG_P)]
SAMPLING = {"n_samples": NO_COUNT, "seed": NO_SEED}
NO_BINARIES = [*NO_FLOAT_IMAGES, X, with_one(NAN, X.round())]
CLOUDS = {"z": [*NO_TABLE, ROWS[:, :2]], "mu": [*NO_TABLE, ROWS[:, :2]], "logvar": [*NO_TABLE, ROWS[:5]]}
SLIDERS = {
    "mu": [*NO_NUMBER, 6.0],
    "sigma": [*NO_NUMBER, 0.0, -1.0, 9.0],
    "low": [*NO_NUMBER, 7.0],
    "high": [*NO_NUMBER, -7.0],
}
NO_LOG_DENSITY = [*NO_FUNCTION, lambda z: z[:3], lambda z: "text", lambda z: z / 0]


FITTING = {"codes": [*NO_TABLE, ROWS[:1]], "n_components": [*NO_COUNT, 13], "seed": NO_SEED}


def sizes(**more):
    return {"latent_dim": NO_COUNT, **more}


def table(*rows):
    """Rows (function, valid arguments, {argument: bad values}), by the function's name in its module."""
    return {f"{f.__module__.removeprefix('vae_helpers.')}.{f.__qualname__}": (f, v, bad) for f, v, bad in rows}


def method(model, name, valid, bad):
    """A row of a model's method, under the name of the class that defines it."""
    bound = getattr(model, name)
    return {f"{type(model).__module__.removeprefix('vae_helpers.')}.{type(model).__name__}.{name}": (bound, valid, bad)}


def methods_of_models():
    rows = {}
    for model in (VAE, AE, LINEAR, CVAE):
        y = {"y": Y} if model is CVAE else {}
        bad_y = {"y": [None, *NO_CLASSES]} if model is CVAE else {}
        for name in ("encode", "embed"):
            rows |= method(model, name, {"x": X, **y}, {**ENCODE, **bad_y})
        for name in ("decode", "generate"):
            rows |= method(model, name, {"z": ROWS, **y}, {**DECODE, **bad_y})
    for model in (CVAE, CLASS_VAE):
        rows |= method(model, "place", {"style": ROWS, "y": Y}, STYLE)
    return rows


def methods_of_likelihoods():
    rows = {}
    for kind, argument, outputs, bad in (
        (models.Bernoulli, "x_logits", LOGITS, OF_LOGITS),
        (models.ContinuousBernoulli, "x_logits", LOGITS, OF_LOGITS),
        (models.Gaussian, "outputs", LOGITS, OF_OUTPUTS),
        (models.GaussianPerPixel, "outputs", TWO_PLANES, OF_PLANES),
    ):
        rows |= method(kind(), "nll", {argument: outputs, "x": X}, bad)
        for name in ("mean", "draw"):
            rows |= method(kind(), name, {argument: outputs}, {argument: bad[argument]})
    return rows | method(
        models.GaussianPerPixel(), "parameters_of", {"outputs": TWO_PLANES}, {"outputs": OF_PLANES["outputs"]}
    )


def methods_of_plans():
    share = [*NOT_NEGATIVE, 1.1]
    arguments = {"lr": NOT_POSITIVE, "batch_size": NO_COUNT, "draws": NO_COUNT}
    arguments |= dict.fromkeys(("rise", "warm_up", "draws_from"), share)
    rows = {"training.plan.Plan": (training.Plan, {}, arguments)}
    bad = {"model": NO_MODEL, "x_bin": NO_BINARIES, "plan": [None, 3], "share": share}
    valid = {"model": VAE, "x_bin": X.round(), "plan": training.Plan(), "share": 0.5}
    rows["training.timed.bound_at"] = (timed.bound_at, valid, bad)
    rows["training.best.settings"] = (best.settings, {"seed": 3}, {"seed": NO_SEED})
    return rows


def methods_of_priors():
    rows = {}
    no_draw = {"n": NO_COUNT, "generator": NO_GENERATOR}
    for prior in (STANDARD, FULL_GAUSSIAN, MIXTURE, FULL_MIXTURE, VAMP):
        rows |= method(prior, "log_prob", {"z": ROWS}, DECODE)
        rows |= method(prior, "sample", {"n": 5}, no_draw)
    rows |= method(CLASS_MIXTURE, "log_prob", {"z": ROWS, "y": Y}, {**DECODE, "y": [None, *NO_CLASSES]})
    no_label = [None, *(y for y in NO_CLASSES if y is not NO_LABELS[4])]  # any number of labels is a number of codes
    rows |= method(CLASS_MIXTURE, "sample", {"y": Y}, {"y": no_label, "generator": NO_GENERATOR})
    rows |= method(QUICK_MIXTURE, "log_prob", {"z": ROWS}, DECODE)
    rows |= method(VAMP, "pseudo_inputs", {}, {})
    rows |= method(SECOND, "encode", {"z": ROWS}, DECODE)
    rows |= method(SECOND, "decode", {"z": ROWS[:, :2]}, {"z": [*NO_ROWS, ROWS]})
    rows |= method(SECOND, "sample", {"n": 5}, no_draw)
    of_judge = [*NO_FLOATS, X.flatten(1), X[0], X[:, :, :27]]
    for name in ("features", "forward"):
        rows |= method(JUDGE, name, {"x": X}, {"x": of_judge})
    for kind in (models.Mixture, models.FullMixture):
        rows |= of_class(kind, "fitted_to", {"codes": ROWS, "n_components": 2}, FITTING)
    rows |= of_class(models.FullGaussian, "fitted_to", {"codes": ROWS}, {"codes": [*NO_TABLE, ROWS[:3]]})
    by_class = {**FITTING, "y": [None, *NO_CLASSES], "n_classes": NO_COUNT}
    valid = {"codes": LOGITS.view(-1, 3)[:48], "y": Y.repeat(4), "n_components": 2}
    return rows | of_class(models.ClassMixture, "fitted_to", valid, {**by_class, "codes": NO_TABLE})


def of_class(kind, name, valid, bad):
    """A row of a class's own method."""
    return {f"{kind.__module__.removeprefix('vae_helpers.')}.{kind.__name__}.{name}": (getattr(kind, name), valid, bad)}


CASES = {
    **table(
        # networks
        (models.mlp, {"sizes": (784, 8, 3)}, {"sizes": [(), (3,), (0, 3), (3, -1), (3, 2.5), (True, 3), (None, 3)]}),
        (models.Autoencoder, {"latent_dim": 3}, sizes(hidden=NO_WIDTHS)),
        (models.WideAutoencoder, {"latent_dim": 3}, sizes()),
        (models.VAE, {"latent_dim": 3}, sizes(hidden=NO_WIDTHS, likelihood=[None, 3, "poisson", ["gaussian"]])),
        (models.LinearVAE, {"latent_dim": 3}, sizes()),
        (models.ConditionalVAE, {"latent_dim": 3}, sizes(hidden=NO_WIDTHS, n_classes=NO_COUNT)),
        (models.ClassPriorVAE, {"latent_dim": 3}, sizes(hidden=NO_WIDTHS, n_classes=NO_COUNT)),
        (models.SmoothVAE, {"latent_dim": 3}, sizes(hidden=NO_WIDTHS)),
        (models.MixtureVAE, {"latent_dim": 3}, sizes(hidden=NO_WIDTHS, n_components=NO_COUNT)),
        (models.start_at_mean, {"model": VAE, "x": X}, {"model": [*NO_MODEL, nn.ReLU()], "x": NO_PIXELS}),
        (models.n_parameters, {"model": VAE}, {"model": NO_MODEL}),
        (models.device_of, {"model": VAE}, {"model": [*NO_MODEL, nn.ReLU()]}),
        (models.copy_of, {"model": VAE}, {"model": NO_MODEL}),
        (
            models.join_label,
            {"a": ROWS, "y": Y},
            {"a": NO_ROWS, "y": [None, *NO_CLASSES], "n_classes": NO_COUNT},
        ),
        # priors, the judge
        (models.StandardGaussian, {"latent_dim": 3}, sizes()),
        (
            models.FullGaussian,
            {"mean": ROWS[0], "scale_tril": COVARIANCE},
            {
                "mean": [*NO_FLOATS, ROWS, with_one(NAN, ROWS[0])],
                "scale_tril": [*NO_FLOATS, ROWS, ROWS[0], with_one(NAN, COVARIANCE)],
            },
        ),
        (models.Mixture, {"n_components": 4, "latent_dim": 3}, sizes(n_components=NO_COUNT)),
        (models.QuickMixture, {"n_components": 4, "latent_dim": 3}, sizes(n_components=NO_COUNT)),
        (
            models.FullMixture,
            {"logits": ROWS[:, 0], "means": ROWS, "scale_trils": COVARIANCE.expand(12, -1, -1)},
            {
                "logits": [*NO_FLOATS, ROWS, with_one(NAN, ROWS[:, 0])],
                "means": [*NO_TABLE, ROWS[:5]],
                "scale_trils": [*NO_FLOATS, COVARIANCE, COVARIANCE.expand(5, -1, -1)],
            },
        ),
        (
            models.ClassMixture,
            {"n_components": 4, "latent_dim": 3},
            sizes(n_components=NO_COUNT, n_classes=NO_COUNT),
        ),
        (
            models.VampPrior,
            {"encode": VAE.encode, "mean_image": X[0]},
            {
                "encode": NO_FUNCTION,
                "mean_image": [*NO_TENSOR, X, 255 * X[0], with_one(NAN, X[0])],
                "n_pseudo_inputs": NO_COUNT,
            },
        ),
        (models.SecondLayer, {"latent_dim": 3, "upper_dim": 2}, sizes(upper_dim=NO_COUNT, hidden=NO_WIDTHS)),
        (models.Judge, {}, {"n_classes": NO_COUNT}),
        (
            models.ResidualDenoiser,
            {"dim": 3},
            {"dim": NO_COUNT, "width": NO_COUNT, "n_blocks": NO_COUNT, "n_classes": NO_COUNT},
        ),
        (
            DENOISER.forward,
            {"z": ROWS, "t": TIMES, "y": Y},
            {"z": NO_CODES, "t": NO_TIMES, "y": [*NO_LABELS, Y - 1, Y + 5]},
        ),
        # losses
        (
            losses.gaussian_log_prob,
            {"z": ROWS[:, None], "mu": ROWS, "logvar": ROWS},
            {"z": [*NO_FLOATS, ROWS[:5]], "mu": [*NO_FLOATS, ROWS[:, :2]], "logvar": [*NO_FLOATS, ROWS[:, :2]]},
        ),
        (losses.log_snr, {"t": TIMES}, {"t": NO_DIAL}),
        (losses.alpha_and_sigma, {"t": TIMES}, {"t": NO_DIAL}),
        (losses.noised, {"x": ROWS, "t": TIMES, "eps": ROWS}, {"x": NO_FLOATS, "t": NO_TIMES, "eps": OTHER_DATA}),
        (
            losses.step_posterior,
            {"z_t": ROWS, "x": ROWS, "s": TIMES / 2, "t": TIMES},
            {"z_t": NO_FLOATS, "x": OTHER_DATA, "s": NO_TIMES, "t": NO_TIMES},
        ),
        (losses.step_variance, {"s": TIMES / 2, "t": TIMES}, {"s": NO_TIMES_AT_ALL, "t": NO_TIMES}),
        (
            losses.step_kl,
            {"x": ROWS, "x_hat": ROWS, "s": TIMES / 2, "t": TIMES},
            {
                "x": NO_FLOATS,
                "x_hat": OTHER_DATA,
                "s": NO_TIMES,
                "t": NO_TIMES,
                "variance": [None, 3, "b", ["beta"]],
            },
        ),
        (losses.end_terms, DENOISE, NO_DENOISE),
        (
            losses.discrete_bound,
            {**DENOISE, "steps": 2},
            {**NO_DENOISE, "steps": NO_COUNT, "variance": [None, 3, "b", ["beta"]]},
        ),
        (losses.continuous_bound, DENOISE, {**NO_DENOISE, "draws": NO_COUNT}),
        (losses.stratified_times, {"n": 5}, {"n": NO_COUNT, "device": NO_DEVICE[:3]}),
        (
            losses.weighted_denoising,
            {**DENOISE, "t": TIMES, "eps": ROWS},
            {"denoise": NO_FUNCTION, "x": NO_FLOATS, "t": NO_TIMES, "eps": OTHER_DATA},
        ),
        *(
            (function, {"z_t": ROWS, guess: ROWS, "t": TIMES}, {"z_t": NO_FLOATS, guess: OTHER_DATA, "t": NO_TIMES})
            for function, guess in (
                (losses.x_from_eps, "eps"),
                (losses.x_from_score, "score"),
                (losses.x_from_v, "v"),
                (losses.eps_from_x, "x_hat"),
                (losses.score_from_x, "x_hat"),
                (losses.v_from_x, "x_hat"),
            )
        ),
        (
            models.ancestral_path,
            {"denoise": to_nothing, "noise": ROWS, "steps": 2},
            {
                "denoise": NO_FUNCTION,
                "noise": NO_FLOATS,
                "steps": NO_COUNT,
                "variance": [None, 3, "b", ["beta"]],
                "generator": [3, "seed"],
            },
        ),
        (
            models.deterministic_path,
            {"denoise": to_nothing, "noise": ROWS, "steps": 2},
            {"denoise": NO_FUNCTION, "noise": NO_FLOATS, "steps": NO_COUNT},
        ),
        (
            models.flow_path,
            {"velocity": to_nothing, "noise": ROWS, "steps": 2},
            {
                "velocity": NO_FUNCTION,
                "noise": NO_FLOATS,
                "steps": NO_COUNT,
                "method": [None, 3, "rk4", ["euler"]],
            },
        ),
        (
            losses.product_of_gaussians,
            {"mu_a": ROWS, "logvar_a": ROWS, "mu_b": ROWS, "logvar_b": ROWS},
            {
                "mu_a": NO_ROWS,
                "logvar_a": other_shapes(ROWS),
                "mu_b": other_shapes(ROWS),
                "logvar_b": other_shapes(ROWS),
            },
        ),
        (
            losses.prior_loss,
            {"model": WITH_PRIOR, "x": X},
            {**LOSS, "model": [*NO_MODEL, VAE, TWO_LAYERS], "beta": NOT_NEGATIVE},
        ),
        (
            losses.conditional_prior_loss,
            {"model": BY_CLASS, "x": X, "y": Y},
            {**LOSS, "model": [*NO_MODEL, CVAE, TWO_LAYERS], "y": [None, *NO_CLASSES], "beta": NOT_NEGATIVE},
        ),
        (losses.sees_labels, {"model": CVAE}, {"model": NO_MODEL}),
        (
            losses.cloud_of,
            {"model": CVAE, "x": X, "y": Y},
            {**LOSS, "model": [*NO_MODEL, AE], "y": [None, *NO_CLASSES]},
        ),
        (
            losses.log_weights,
            {"model": BY_CLASS, "x": X, "y": Y, "k": 2},
            {**LOSS, "model": [*NO_MODEL, TWO_LAYERS], "y": [None, *NO_CLASSES], "k": NO_COUNT},
        ),
        (
            losses.iwae_loss,
            {"model": BY_CLASS, "x": X.round(), "y": Y, "k": 2},
            {"model": [*NO_MODEL, TWO_LAYERS], "x": NO_BINARIES, "y": [None, *NO_CLASSES], "k": NO_COUNT},
        ),
        (
            losses.binarized_iwae_loss,
            {"model": BY_CLASS, "x": X, "y": Y, "k": 2},
            {**LOSS, "model": [*NO_MODEL, TWO_LAYERS], "y": [None, *NO_CLASSES], "k": NO_COUNT},
        ),
        (losses.normalized_weights, {"log_weights": ROWS}, {"log_weights": [*NO_FLOATS, ONE, ROWS[:0]]}),
        (
            losses.second_layer_loss,
            {"second": SECOND, "z": ROWS},
            {"second": [*NO_MODEL, VAE], "z": NO_CODES, "beta": NOT_NEGATIVE},
        ),
        (
            losses.bottom_up_loss,
            {"model": TWO_LAYERS, "x": X},
            {**LOSS, "model": [*NO_MODEL, VAE, WITH_PRIOR], "beta": NOT_NEGATIVE},
        ),
        (
            losses.top_down_loss,
            {"model": TWO_LAYERS, "x": X},
            {**LOSS, "model": [*NO_MODEL, VAE, WITH_PRIOR], "beta": NOT_NEGATIVE},
        ),
        (losses.squared_error, {"x_hat": X, "x": X}, {"x_hat": [*NO_FLOATS, X[0, 0, 0], X[:5]], "x": other_shapes(X)}),
        (
            losses.bernoulli_nll,
            {"x_logits": LOGITS, "x": X},
            {"x_logits": [*NO_FLOATS, X[0, 0, 0], X[:5]], "x": [*other_shapes(X), *NAN_IMAGES, X * 255, X - 1]},
        ),
        (
            losses.gaussian_nll,
            {"x_hat": X, "x": X, "logvar_x": ONE},
            {"x_hat": NO_FLOATS, "x": other_shapes(X), "logvar_x": [None, 1, 0.5, "s", torch.zeros(3), ONE.long()]},
        ),
        (losses.kl_to_standard_normal, {"mu": ROWS, "logvar": ROWS}, ALIKE),
        (
            losses.kl_to_class_mean,
            {"mu": ROWS, "logvar": ROWS, "mu_y": ROWS},
            {**ALIKE, "mu_y": other_shapes(ROWS)},
        ),
        (
            losses.kl_diagonal,
            {"mu": ROWS, "logvar": ROWS, "mu_p": ROWS, "logvar_p": ROWS},
            {**ALIKE, "mu_p": other_shapes(ROWS), "logvar_p": other_shapes(ROWS)},
        ),
        (
            losses.kl_normal,
            {"mu_q": ROWS, "sigma_q": ROWS.exp(), "mu_p": ROWS, "sigma_p": ROWS.exp()},
            {
                "mu_q": [*NO_FLOATS, ROWS[:5]],
                "mu_p": [*NO_FLOATS, ROWS[:5]],
                "sigma_q": [*NO_FLOATS, ROWS, 0 * ROWS, NAN * ROWS],
                "sigma_p": [*NO_FLOATS, ROWS, 0 * ROWS, NAN * ROWS],
            },
        ),
        (
            losses.kl_full,
            {"mu_q": ROWS[0], "cov_q": COVARIANCE, "mu_p": ROWS[1], "cov_p": COVARIANCE},
            {
                "mu_q": [*NO_FLOATS, ROWS, with_one(NAN, ROWS[0])],
                "mu_p": [*NO_FLOATS, ROWS, ROWS[0, :2], with_one(NAN, ROWS[0])],
                "cov_q": NO_COVARIANCE,
                "cov_p": NO_COVARIANCE,
            },
        ),
        (losses.reparameterize, {"mu": ROWS, "logvar": ROWS}, {"mu": NO_FLOATS, "logvar": other_shapes(ROWS)}),
        (losses.autoencoder_loss, {"model": AE, "x": X}, LOSS),
        (
            losses.denoising_loss,
            {"model": AE, "x": X, "corrupt": lambda x: x},
            {**LOSS, "corrupt": NO_FUNCTION},
        ),
        (
            losses.vae_loss,
            {"model": VAE, "x": X},
            {**LOSS, "model": [*NO_MODEL, WITH_PRIOR], "beta": NOT_NEGATIVE},
        ),
        (losses.linear_vae_loss, {"model": LINEAR, "x": X}, {**LOSS, "model": [*NO_MODEL, VAE]}),
        (losses.linear_vae_loss_exact, {"model": LINEAR, "x": X}, {**LOSS, "model": [*NO_MODEL, VAE]}),
        (
            losses.linear_vae_loss_of_moments,
            {"model": LINEAR, "mean": torch.zeros(784), "covariance": torch.eye(784)},
            {
                "model": [*NO_MODEL, VAE],
                "mean": [*NO_FLOATS, torch.zeros(3), torch.zeros(784).double()],
                "covariance": [*NO_FLOATS, COVARIANCE, torch.eye(784).double()],
            },
        ),
        (
            losses.kl_on_grid,
            {"log_q": LOG_P, "log_p": LOG_P, "grid": GRID},
            {"log_q": NO_DENSITY, "log_p": NO_DENSITY, **DENSITIES},
        ),
        (
            losses.elbo_on_grid,
            {"log_q": LOG_P, "log_joint": LOG_P, "grid": GRID},
            {"log_q": NO_DENSITY, "log_joint": NO_DENSITY, **DENSITIES},
        ),
        (losses.log_evidence_on_grid, {"log_joint": LOG_P, "grid": GRID}, {"log_joint": NO_DENSITY, **DENSITIES}),
        (
            losses.conditional_vae_loss,
            {"model": CVAE, "x": X, "y": Y},
            {"model": [*NO_MODEL, VAE], "x": NO_PIXELS_IN_A_STEP, "y": [None, *NO_CLASSES], "beta": NOT_NEGATIVE},
        ),
        (
            losses.class_prior_loss,
            {"model": CLASS_VAE, "x": X, "y": Y},
            {"model": [*NO_MODEL, VAE], "x": NO_PIXELS_IN_A_STEP, "y": [None, *NO_CLASSES], "beta": NOT_NEGATIVE},
        ),
        (
            losses.joint_log_prob,
            {"model": CVAE, "x": X, "z": ROWS, "y": Y},
            {"model": NO_MODEL, "x": NO_PIXELS_IN_A_STEP, "z": NO_CODES, "y": [None, *NO_CLASSES]},
        ),
        (
            losses.binarized_loss,
            {"model": VAE, "x": X},
            {"model": NO_MODEL, "x": NO_PIXELS_IN_A_STEP, "beta": NOT_NEGATIVE},
        ),
        (losses.WarmUp, {"loss": losses.vae_loss, "steps": 5}, {"loss": NO_FUNCTION, "steps": NO_COUNT}),
        (
            losses.free_bits,
            {"kl_each": ROWS[0], "free": 0.5},
            {"kl_each": [*NO_FLOATS, ROWS], "free": NOT_NEGATIVE},
        ),
        (losses.free_bits_loss, {"model": VAE, "x": X}, {**LOSS, "free": NOT_NEGATIVE}),
        (
            losses.units_at_optimum,
            {"eigenvalues": torch.arange(1.0, 7.0), "sigma2": 1.0, "latent_dim": 3},
            {
                "eigenvalues": [*NO_FLOATS, ROWS, with_one(NAN, ROWS[0])],
                "sigma2": NOT_POSITIVE,
                "latent_dim": NO_COUNT,
                "beta": NOT_POSITIVE,
            },
        ),
        # corruption
        (data.choose_pixels, {"x": X, "proportion": 0.3}, CORRUPTION),
        (data.masking, {"x": X, "proportion": 0.3}, CORRUPTION),
        (data.salt_and_pepper, {"x": X, "proportion": 0.3}, CORRUPTION),
        (data.gaussian, {"x": X, "sigma_noise": 0.3}, SIGMA),
        # data
        (
            data.load,
            {"name": "glyphs", "device": "cpu"},
            {"name": NO_NAME, "folder": NO_FOLDER, "device": NO_DEVICE},
        ),
        (
            data.load_glyphs,
            {"n": 2, "n_test": 1},
            {"device": [None, *NO_DEVICE], "n": NO_COUNT, "n_test": NO_COUNT, "seed": NO_SEED},
        ),
        (data.find, {"name": "mnist"}, {"name": NO_NAME, "folder": NO_FOLDER}),
        (data.fit_and_centre, {"x": X}, {"x": NO_PIXELS}),
        (
            data.from_folder,
            {"folder": album(), "device": "cpu"},
            {"folder": NO_FOLDER, "invert": NO_FLAG, "seed": NO_SEED, "device": NO_DEVICE},
        ),
        (data.to_float, {"x": BYTES}, {"x": [*NO_TENSOR, Y, X > 0.5]}),
        (data.mean_image, {"x": X}, {"x": NO_PIXELS}),
        (data.default_device, {}, {}),
        (data.why_not, {"device": "cpu"}, {"device": [None, *(d for d in NO_DEVICE if d != "cuda:99")]}),
        (devices.new_tensors_on, {"device": "cpu"}, {"device": [None, *(d for d in NO_DEVICE if d != "cuda:99")]}),
        (data.in_float64, {"t": X}, {"t": NO_TENSOR}),
        (data.cache_folder, {}, {}),
        (optimizers.without_compiler, {}, {}),
        (glyphs.make, {"n": 2}, {"n": [*NO_COUNT, X], "seed": NO_SEED}),
        (files.missing_files, {"name": "mnist", "folder": Path("nowhere")}, {"name": NO_NAME}),
        (
            places.named_folder,
            {"value": "nowhere", "called": "value"},
            {"value": [None, *NO_FOLDER], "called": NO_TEXT},
        ),
        (places.root_meant, {"name": "mnist", "folder": Path("nowhere")}, {"name": NO_NAME}),
        # figures of merit
        (
            evaluation.in_batches,
            {"function": VAE.embed, "x": X},
            {
                "function": [*NO_FUNCTION, lambda x: 3.0],
                "x": [*NO_TENSOR, ONE, X[:0], *NAN_IMAGES],
                "batch_size": NO_COUNT,
            },
        ),
        (evaluation.mse, {"x_hat": X, "x": X}, {"x_hat": [*NO_IMAGES, *RESCALED, X[:5]], "x": [*NO_PIXELS, X[:5]]}),
        (
            evaluation.reconstruction_mse,
            {"reconstruct": lambda x: x, "x": X},
            {
                "reconstruct": NO_FUNCTION,
                "x": NO_PIXELS,
                "target": [*without_none(NO_PIXELS), X[:5]],
                "batch_size": NO_COUNT,
            },
        ),
        (evaluation.psnr, {"mean_squared_error": 0.1}, {"mean_squared_error": NOT_POSITIVE}),
        (
            evaluation.mse_to_nearest,
            {"images": X, "bank": X},
            {"images": [*NO_IMAGES, *RESCALED], "bank": [*NO_IMAGES, *RESCALED]},
        ),
        (
            evaluation.frechet_distance,
            {"features": ROWS, "reference": ROWS},
            {
                "features": [None, "features", ROWS[0], ROWS[:3], ROWS[:, :2], with_one(NAN, ROWS)],
                "reference": [None, "features", ROWS[0], ROWS[:3], ROWS[:, :2], with_one(NAN, ROWS)],
            },
        ),
        (
            losses.log_weight,
            {"log_joint": joint, "mu": ROWS, "logvar": ROWS, "eps": ROWS},
            {"log_joint": NO_FUNCTION, **ALIKE, "eps": other_shapes(ROWS)},
        ),
        (losses.log_mean_exp, {"log_weights": ROWS}, {"log_weights": [*NO_FLOATS, ONE, ROWS[:0]]}),
        (
            evaluation.importance_sampled_log_p,
            {"encode": mean_only, "log_joint": lambda x, z: joint(z), "given": (X,)},
            {
                "encode": NO_FUNCTION,
                "log_joint": NO_FUNCTION,
                "given": [(), (None,), ("x",), (X, Y[:5]), (ONE,), (X[:0],)],
                "batch_size": NO_COUNT,
                **SAMPLING,
            },
        ),
        (
            evaluation.sampled_log_p,
            {"model": CVAE, "x_bin": X.round(), "y": Y, "n_samples": 2},
            {"model": NO_MODEL, "x_bin": NO_BINARIES, "y": [None, *NO_CLASSES], **SAMPLING},
        ),
        (
            evaluation.refined_q,
            {"model": VAE, "encode": VAE.encode, "x_bin": X.round(), "steps": 1},
            {
                "model": NO_MODEL,
                "encode": NO_FUNCTION,
                "x_bin": NO_BINARIES,
                "steps": NO_COUNT,
                "lr": NOT_POSITIVE,
                "seed": NO_SEED,
            },
        ),
        (
            evaluation.sampled_log_p_of_each_class,
            {"model": CLASS_VAE, "x_bin": X.round(), "n_samples": 2},
            {"model": [*NO_MODEL, VAE], "x_bin": NO_BINARIES, **SAMPLING},
        ),
        (
            evaluation.mean_and_error,
            {"values": ROWS[:, 0]},
            {"values": [*NO_FLOATS, ROWS, ROWS[:1, 0], with_one(NAN, ROWS[0])]},
        ),
        (
            evaluation.agreement,
            {"classifier": lambda x: torch.zeros(len(x), 10), "images": X, "y": Y},
            {"classifier": NO_FUNCTION, "images": [*NO_IMAGES, *RESCALED], "y": [None, *NO_CLASSES]},
        ),
        (
            evaluation.variance_within_classes,
            {"images": X, "y": Y},
            {"images": [*NO_IMAGES, *RESCALED], "y": [None, *NO_CLASSES]},
        ),
        # samples
        (
            evaluation.SampleScorer,
            {"judge": JUDGE, "dataset": SAMPLES},
            {"judge": [*NO_MODEL, VAE], "dataset": [None, "mnist", X], "seed": NO_SEED},
        ),
        (
            evaluation.recall,
            {"samples": ROWS, "reference": ROWS},
            {
                "samples": [*NO_TABLE, ROWS[:1]],
                "reference": [*NO_TABLE, ROWS[:, :2]],
                "nearest": [*NO_COUNT, 12],
            },
        ),
        (
            evaluation.sure,
            {"judge": JUDGE, "images": X},
            {"judge": NO_MODEL, "images": [*NO_IMAGES, *RESCALED], "least": NOT_POSITIVE},
        ),
        (evaluation.mean_and_spread, {"rows": [SCORES, SCORES]}, {"rows": [None, SCORES, [SCORES], [3, 4]]}),
        (evaluation.training_images, {"dataset": TINY, "n": 5}, DRAWN),
        (
            evaluation.decoded_codes,
            {"model": CVAE, "dataset": TINY, "n": 5},
            {**DRAWN, "model": [*NO_MODEL, AE]},
        ),
        (evaluation.pixel_gaussian, {"dataset": TINY, "n": 5}, DRAWN),
        # codes
        (evaluation.kl_per_dimension, {"mu": ROWS, "logvar": ROWS}, {"mu": NO_TABLE, "logvar": [*NO_TABLE, ROWS[:5]]}),
        (evaluation.active_units, {"mu": ROWS}, {"mu": NO_TABLE, "threshold": NOT_NEGATIVE}),
        (evaluation.log_clouds, {"z": ROWS, "mu": ROWS, "logvar": ROWS}, CLOUDS),
        (evaluation.log_aggregate, {"z": ROWS, "mu": ROWS, "logvar": ROWS}, {**CLOUDS, "batch_size": NO_COUNT}),
        (
            evaluation.mutual_information,
            {"z": ROWS, "mu": ROWS, "logvar": ROWS},
            {**CLOUDS, "z": [*CLOUDS["z"], ROWS[:5]]},
        ),
        (evaluation.r_squared, {"codes": ROWS, "factors": ROWS}, {"codes": [*NO_TABLE, ROWS[:5]], "factors": NO_TABLE}),
        (evaluation.separation, {"r2": ROWS}, {"r2": [*NO_TABLE, ROWS[:1]]}),
        (
            evaluation.straight,
            {"z_a": ROWS, "z_b": ROWS, "t": 0.5},
            {"z_a": NO_CODES[:-1], "z_b": NO_CODES[:-1], "t": [*NO_NUMBER, torch.full((12, 1), NAN)]},
        ),
        (
            evaluation.spherical,
            {"z_a": ROWS, "z_b": ROWS.flip(0), "t": 0.5},
            {"z_a": [*NO_CODES[:-1], 0 * ROWS], "z_b": NO_CODES[:-1], "t": [*NO_NUMBER, torch.full((12, 1), NAN)]},
        ),
        # probabilistic PCA
        (losses.mean_and_covariance, {"x": X}, {"x": NO_PIXELS}),
        (
            losses.ppca,
            {"mean": torch.zeros(3), "covariance": COVARIANCE, "latent_dim": 2},
            {
                "mean": [*NO_FLOATS, ROWS, with_one(NAN, torch.zeros(3))],
                "covariance": [*NO_TABLE, COVARIANCE[:2]],
                "latent_dim": [*NO_COUNT, 3],
            },
        ),
        (losses.training_log_likelihood, {"model": FITTED}, {"model": NO_MODEL}),
        (
            losses.log_evidence,
            {"model": FITTED, "x": PIXELS},
            {"model": NO_MODEL, "x": [*NO_FLOATS, PIXELS.float(), PIXELS[0], PIXELS[:, :3], with_one(NAN, PIXELS)]},
        ),
        (
            losses.posterior,
            {"model": FITTED, "x": PIXELS},
            {"model": NO_MODEL, "x": [*NO_FLOATS, PIXELS.float(), PIXELS[0], PIXELS[:, :3], with_one(NAN, PIXELS)]},
        ),
        (
            losses.linear_gaussian_elbo,
            {"model": FITTED, "x": PIXELS, "q": Q},
            {"model": NO_MODEL, "x": [*NO_FLOATS, PIXELS.float(), PIXELS[:, :3], with_one(NAN, PIXELS)], "q": NO_MODEL},
        ),
        # pictures
        (plotting.show, {"figure": FIGURE, "alt": "Nothing."}, {"figure": NO_FIGURE, "alt": [*NO_TEXT, "", " "]}),
        (plotting.compact_png, {"figure": FIGURE}, {"figure": NO_FIGURE}),
        (
            plotting.canvas,
            {"width": 2, "height": 1},
            {"width": NOT_POSITIVE, "height": NOT_POSITIVE, "columns": NO_COUNT, "rows": NO_COUNT},
        ),
        (
            plotting.tile,
            {"images": X, "columns": 4},
            {"images": [*NO_IMAGES, *RESCALED], "columns": NO_COUNT, "gap": NO_SEED[:-1]},
        ),
        (
            plotting.draw_images,
            {"axes": AXIS, "images": X, "columns": 4},
            {"axes": NO_FIGURE, "images": [*NO_IMAGES, *RESCALED], "columns": NO_COUNT, "gap": NO_SEED[:-1]},
        ),
        (
            plotting.image_grid,
            {"images": X},
            {
                "images": [*NO_IMAGES, *RESCALED],
                "columns": NO_COUNT,
                "title": NO_TEXT,
                "gap": NO_SEED[:-1],
                "inches": NOT_POSITIVE,
            },
        ),
        (
            plotting.image_rows,
            {"rows": {"clean": X, "again": X}},
            {
                "rows": [None, X, {}, {"a": X, "b": X[:5]}, {"a": X, "b": NAN_IMAGES[0]}, {"a": "x"}],
                "inches": NOT_POSITIVE,
            },
        ),
        (
            plotting.loss_curves,
            {"history": HISTORY},
            {"history": [None, [1.0], History()], "parts": NO_FLAG, "levels": [3, [1.0], "level"]},
        ),
        (
            plotting.draw_codes,
            {"axes": AXIS, "z": ROWS[:, :2], "y": Y},
            {"axes": NO_FIGURE, "z": [*NO_TABLE, ROWS], "y": [None, *NO_CLASSES]},
        ),
        (
            plotting.code_scatter,
            {"z": ROWS[:, :2], "y": Y},
            {"z": [*NO_TABLE, ROWS], "y": [None, *NO_CLASSES], "title": NO_TEXT},
        ),
        (
            plotting.png_of,
            {"images": X},
            {"images": [*NO_IMAGES, *RESCALED], "columns": NO_COUNT, "zoom": NO_COUNT},
        ),
        # widgets
        (
            widgets.beta_explorer,
            {"models": {1.0: VAE}, "losses": {1.0: Loss(1.0)}, "x": X[:10]},
            {
                "models": [None, VAE, {}, {2.0: VAE}, {1.0: "vae"}, {1.0: CVAE}],
                "losses": [None, 3, {}, {1.0: 3.0}],
                "x": [*NO_PIXELS, X],
            },
        ),
        (
            widgets.class_explorer,
            {"model": CVAE},
            {
                "model": [*NO_MODEL, VAE],
                "label": [None, "3", 10, -1, 2.5, True],
                "style": ["style", ROWS, with_one(NAN, ROWS[0])],
            },
        ),
        (
            widgets.drawing_pad,
            {"models": {"autoencoder": AE}},
            {
                "models": [None, AE, {}, {"ae": 3}, {"ae": models.VAE}, {3: AE}, {"input": AE}, {"ae": lambda x: x[0]}],
                "x_start": [*without_none(NO_PIXELS), X],
            },
        ),
        (widgets.elbo_explorer, {"log_joint": lambda z: -z.square()}, {"log_joint": NO_LOG_DENSITY, **SLIDERS}),
        (widgets.forward_reverse_kl, {"log_target": lambda z: -z.square()}, {"log_target": NO_LOG_DENSITY, **SLIDERS}),
        (
            widgets.interpolation,
            {"model": VAE, "x": X},
            {
                "model": [*NO_MODEL, CVAE],
                "x": [*NO_PIXELS, X[:1]],
                "pair": [None, 3, (0,), (0, 12), (-1, 0), (0, 1.5), (True, 2), (0, 1, 2)],
            },
        ),
        (widgets.kl_explorer, {}, {"mu": NO_NUMBER, "logvar": NO_NUMBER}),
        (
            widgets.latent_plane,
            {"model": PLANE, "codes": ROWS[:, :2], "y": Y, "pad": False},
            {
                "model": [*NO_MODEL, VAE, CVAE],
                "codes": [*without_none(NO_TABLE), ROWS],
                "y": [None, *NO_CLASSES],
                "start": [None, 3, (0.0,), (0.0, NAN), (9.0, 0.0), ("a", "b")],
                "pad": without_none(NO_FLAG),
            },
        ),
        (
            widgets.latent_sliders,
            {"model": VAE},
            {
                "model": [*NO_MODEL, CVAE],
                "start": ["start", ROWS, with_one(NAN, ROWS[0])],
                "codes": [*without_none(NO_ROWS), ROWS[:, :2], ROWS[:1], with_one(NAN, ROWS)],
            },
        ),
        (
            widgets.noise_explorer,
            {"models": {"plain": VAE}, "images": X},
            {
                "models": [None, VAE, {}, {"plain": 3}, {"plain": CVAE}],
                "images": NO_PIXELS,
                "kind": [None, 3, "fog", ["masking"]],
                "amount": [*NOT_NEGATIVE, 1.1],
            },
        ),
        (
            widgets.denoising_walk,
            {"denoise": to_nothing, "points": ROWS[:, :2], "steps": 4},
            {
                "denoise": [None, 3, "net", X, lambda z, t: z[:1], lambda z, t: None],
                "points": [*NO_TABLE, ROWS, ROWS[:1, :2]],
                "steps": [*NO_COUNT, 3, 128],
            },
        ),
        (
            widgets.prior_explorer,
            {"model": VAE, "priors": {"mixture": MIXTURE}, "codes": ROWS, "y": Y},
            {
                "model": [*NO_MODEL, CVAE],
                "priors": [None, MIXTURE, {}, {"a": 3}, {"a": VAE}, {"a": CLASS_MIXTURE}, {"a": models.Mixture(2, 2)}],
                "codes": [*NO_TABLE, ROWS[:, :2], ROWS[:1]],
                "y": NO_CLASSES,
            },
        ),
        # exercises
        (
            exercises.check,
            {"exercise_id": "walk", "answer": None, "seed": 0},
            {"exercise_id": [None, 3, "wlak", ["walk"]], "seed": [-1, 0.5, None]},
        ),
        (
            exercises.mine,
            {"exercise_id": "walk", "answer": None, "otherwise": torch.lerp},
            {"exercise_id": [None, 3, "wlak", ["walk"]], "otherwise": [3, "lerp"]},
        ),
        (
            exercises.diagnose_vae,
            {"model": VAE, "loss": losses.vae_loss, "train_data": X},
            {"train_data": [None, 3, "x", ONE, X[:0], [], (X, X, X)[:0]], "test_data": [3, "x", ONE, X[:0]]},
        ),
        (
            exercises.blind_round,
            {"model": VAE, "loss": losses.vae_loss, "train_data": X, "steps": 1, "seed": 1},
            {
                "model": [None, "plain"],
                "loss": [None, 3],
                "train_data": [None, 3, "x", ONE, X[:0]],
                "level": [None, 0, 3, "two"],
                "seed": ["x", 1.5],
                "steps": NO_COUNT,
            },
        ),
        (
            exercises.capstone,
            {"model": VAE, "loss": losses.vae_loss, "train_data": X, "test_data": X, "about": "grey noise of mine"},
            {
                "model": [None, "plain"],
                "loss": [None, 3],
                "train_data": [None, 3, "x", ONE, X[:0]],
                "test_data": [None, 3, "x", ONE, X[:0]],
                "about": [None, 3],
            },
        ),
        (exercises.keep_record, {"keep": True}, {"keep": [None, "off", 3]}),
        (
            diagnosis.share_of_twins,
            {"x": X, "test": X},
            {"x": [None, "x", X[:0], X[:, :, :5]], "test": [None, "x", X[:0], X[:, :, :5]], "n": NO_COUNT},
        ),
    ),
    **methods_of_plans(),
    **methods_of_models(),
    **methods_of_likelihoods(),
    **methods_of_priors(),
}
# Valid calls that would train for minutes, reach for a network, or read files: their bad values alone are tried.
REFUSALS = table(
    (training.best_vae, {"dataset": TINY}, {"dataset": [None, "mnist", X, TINY]}),
    (training.best_mixture_vae, {"dataset": TINY}, {"dataset": [None, "mnist", X, TINY], "seed": NO_SEED}),
    (
        training.fit_for,
        {"model": VAE, "x": X},
        {
            "model": NO_MODEL,
            "x": NO_PIXELS,
            "seconds": NOT_POSITIVE,
            "plan": [None, 3, {"lr": 0.1}],
            "seed": NO_SEED,
            "progress": NO_FLAG,
            "clock": NO_FUNCTION,
        },
    ),
    (training.trained_judge, {"dataset": TINY}, {"dataset": [None, "mnist", X]}),
    (downloads.download, {"name": "mnist", "cache": Path("nowhere")}, {"name": NO_NAME}),
    (
        files.read_split,
        {"name": "mnist", "folder": Path("nowhere"), "split": "train"},
        {"name": NO_NAME, "split": [None, "val", 3]},
    ),
)
BEHIND = {
    "tested with the training loop: test_loop, test_checkpoint, test_train": [
        "training.loop",
        "training.checkpoint",
        "training.history",
        "training.progress",
        "training.precision",
        "train",
    ],
    "machinery of fit, which checks at its door": [
        "training.batches",
        "training.processes",
        "training.randomness",
        "training.run",
        "training.stopping",
        "training.judge.judge_loss",
    ],
    "the doctor's looks at a machine, from the command line: test_doctor": ["doctor"],
    "the checks themselves, and decorators": ["validation", "losses.half_precision", "losses.diffusion.beside"],
    "behind exercises.check and diagnose_vae, which turn every mistake into a verdict or a finding": [
        "exercises.engine",
        "exercises.diagnosis.blind.BlindRound",
        "exercises.diagnosis.blind.Mistaken",
        "exercises.diagnosis.calling",
        "exercises.diagnosis.halves",
        "exercises.diagnosis.images.images_and_labels",
        "exercises.diagnosis.images.some_of",
        "exercises.diagnosis.images.twins",
        "exercises.diagnosis.interface",
        "exercises.diagnosis.kl",
        "exercises.diagnosis.level",
        "exercises.diagnosis.modes",
        "exercises.diagnosis.noise",
        "exercises.diagnosis.places",
        "exercises.diagnosis.planted",
        "exercises.diagnosis.reading",
        "exercises.diagnosis.reconstruction",
        "exercises.diagnosis.report",
        "exercises.diagnosis.spy",
        "exercises.diagnosis.targets",
        "exercises.diagnosis.weights",
        "exercises.nb",
    ],
    "behind the command line of grading and the record, which turn all that is handed in into rows: test_grade, "
    "test_grade_finding, test_record": [
        "exercises.grade",
        "exercises.record.__main__",
        "exercises.record.certificate",
        "exercises.record.capstones.Capstone",
        "exercises.record.notes",
        "exercises.record.summary",
    ],
    "made by the functions of vae_helpers.widgets, which check": [
        "widgets.curves",
        "widgets.playable",
        "widgets.beta.BetaExplorer",
        "widgets.classes.ClassExplorer",
        "widgets.gaussians.GaussianExplorer",
        "widgets.gaussians.ElboExplorer",
        "widgets.gaussians.ForwardReverseKL",
        "widgets.gaussians.values_on",
        "widgets.gaussians.legend_above",
        "widgets.between_codes.Strip",
        "widgets.between_codes.Interpolation",
        "widgets.kl.KLExplorer",
        "widgets.kl.parts_of_kl",
        "widgets.kl.density",
        "widgets.pad.Captioned",
        "widgets.pad.DrawingPad",
        "widgets.plane.LatentPlane",
        "widgets.plane.has_pad",
        "widgets.priors.Map",
        "widgets.priors.Plane",
        "widgets.priors.PriorExplorer",
        "widgets.walks.DenoisingWalk",
        "widgets.sliders.LatentSliders",
        "widgets.noise.NoiseExplorer",
    ],
    "what a function returns, and errors: nobody's input": [
        "losses.loss.Loss",
        "evaluation.sample_scores.SampleScores",
        "losses.probabilistic_pca.LinearGaussian",
        "data.dataset.Dataset",
        "data.files.DataFile",
        "data.files.DamagedFileError",
        "data.downloads.CacheError",
        "data.downloads.announce_glyphs",
    ],
    "without arguments: what pixels are is in their methods": [
        "models.likelihoods.Bernoulli",
        "models.likelihoods.ContinuousBernoulli",
        "models.likelihoods.Gaussian",
        "models.likelihoods.GaussianPerPixel",
    ],
    "second names of straight and spherical": ["evaluation.interpolation.lerp", "evaluation.interpolation.slerp"],
}
BAD = [
    pytest.param(function, valid, argument, values, id=f"{name}-{argument}")
    for name, (function, valid, bad) in (CASES | REFUSALS).items()
    for argument, values in bad.items()
]


def public_names():
    """All that a module of the package defines under a public name; of networks and likelihoods their methods too."""
    for found in pkgutil.walk_packages(vae_helpers.__path__, "vae_helpers."):
        module = importlib.import_module(found.name)
        of_module = found.name.removeprefix("vae_helpers.")
        for name, value in vars(module).items():
            own = getattr(value, "__module__", None) == found.name and not name.startswith("_")
            if own and (inspect.isfunction(value) or inspect.isclass(value)):
                yield f"{of_module}.{name}", value
            if own and inspect.isclass(value) and issubclass(value, nn.Module):
                yield from ((f"{of_module}.{name}.{m}", f) for m, f in vars(value).items() if _is_method(m, f))


def _is_method(name, value):
    return inspect.isfunction(getattr(value, "__func__", value)) and not name.startswith("_")


def is_behind(name):
    """Whether a public name has no rows, for one of the reasons given."""
    excused = [start for starts in BEHIND.values() for start in starts]
    return any(name == e or name.startswith((e + ".", e) if e.endswith("nb") else e + ".") for e in excused) and (
        name not in CASES
    )


def call(function, arguments):
    """Call with arguments by name, those of ``*name`` by place."""
    kinds = inspect.signature(function).parameters
    several = next((name for name, p in kinds.items() if p.kind is p.VAR_POSITIONAL), None)
    if several not in arguments:
        return function(**arguments)
    before = list(kinds)[: list(kinds).index(several)]
    rest = {name: value for name, value in arguments.items() if name != several and name not in before}
    return function(*(arguments[name] for name in before), *arguments[several], **rest)


def test_every_public_name_has_its_rows_or_a_reason_to_have_none():
    tested = set(CASES) | set(REFUSALS)
    names = dict(public_names())
    assert not [name for name in names if name not in tested and not is_behind(name)]
    assert not [name for name in tested if name not in names]


def test_every_argument_is_tried_or_known_not_to_matter():
    """Arguments without rows: what is passed on to matplotlib, and labels that a model without classes ignores."""
    ignored = {"y", "kwargs", "column_labels", "activation", "answer", "evaluate", "self", "folder", "cache"}
    for name, (function, _, bad) in CASES.items():
        left = set(inspect.signature(function).parameters) - set(bad) - ignored
        assert not left or name == "exercises.diagnosis.diagnose.diagnose_vae", (name, left)


@pytest.mark.parametrize("name", CASES)
def test_the_valid_call_works(name):
    function, valid, _ = CASES[name]
    call(function, valid)


def answer_to(function, arguments, argument):
    """What is said to a bad value: "" where it is refused by the argument's name, else what happened instead."""
    try:
        call(function, arguments)
    except TypeCheckError as error:
        return f"{arguments[argument]!r:.60} was taken, and met a type that is checked in tests only: {error!s:.200}"
    except (TypeError, ValueError) as error:
        named = re.search(rf"(?<!\w){argument}(?!\w)", str(error))
        return "" if named else f"{arguments[argument]!r:.60}: {argument} is not named in: {error}"
    return f"{arguments[argument]!r:.60} was taken"


@pytest.mark.parametrize(("function", "valid", "argument", "values"), BAD)
def test_bad_values_are_refused_by_the_arguments_name(function, valid, argument, values):
    answers = [answer_to(function, {**valid, argument: value}, argument) for value in values]
    assert not [answer for answer in answers if answer]


@pytest.mark.parametrize("name", [name for name in CASES if not inspect.ismethod(CASES[name][0])])
def test_a_checked_function_keeps_its_name_and_docstring(name):
    function = CASES[name][0]
    assert name.endswith(function.__name__)
    assert inspect.getdoc(function)
