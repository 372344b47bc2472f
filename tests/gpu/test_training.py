"""``fit`` and what goes with it, on a GPU: every recipe of the course, streamed or resident, resumed, undone."""

from contextlib import suppress
from functools import partial

from vae_helpers import data, losses, models
from vae_helpers.training import NotFiniteError, checkpoint, fit, mean_loss, processes
from vae_helpers.training.batches import Batches, free_bytes

import pytest
import torch
import torch.nn.functional as F

X = torch.rand(103, 1, 28, 28, generator=torch.Generator().manual_seed(0))
Y = torch.arange(103) % 10
QUIETLY = {"progress": False, "batch_size": 25}
EXACTLY = {**QUIETLY, "precision": "float32"}


def vae():
    return models.VAE(3, (8,))


def denoiser(corrupt):
    return lambda: models.WideAutoencoder(4), partial(losses.denoising_loss, corrupt=corrupt)


RECIPES = {  # a model, and what makes its loss
    "autoencoder": (lambda: models.Autoencoder(3, (8,)), losses.autoencoder_loss),
    "masking": denoiser(partial(data.masking, proportion=0.3)),
    "gaussian": denoiser(partial(data.gaussian, sigma_noise=0.3)),
    "salt and pepper": denoiser(partial(data.salt_and_pepper, proportion=0.3)),
    **{f"vae, {kind}": (partial(models.VAE, 3, (8,), kind), losses.vae_loss) for kind in models.LIKELIHOODS},
    "linear": (lambda: models.LinearVAE(3), losses.linear_vae_loss),
    "linear, exact": (lambda: models.LinearVAE(3), losses.linear_vae_loss_exact),
    "smooth": (lambda: models.SmoothVAE(3, (8,)), losses.binarized_loss),
    "free bits": (vae, losses.free_bits_loss),
    "warm-up": (vae, losses.vae_loss),
    "conditional": (lambda: models.ConditionalVAE(3, (8,)), losses.conditional_vae_loss),
    "class prior": (lambda: models.ClassPriorVAE(3, (8,)), losses.class_prior_loss),
}
LABELLED = ("conditional", "class prior")
KINDS = {  # where the images lie, as what
    "there": lambda: X.cuda(),
    "here": lambda: X,
    "bytes": lambda: (255 * X).byte(),
    "streamed": lambda: X,
}


@pytest.mark.parametrize("precision", ["bf16", "float32"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_trains(recipe, kind, precision):
    build, loss = RECIPES[recipe]
    loss = losses.WarmUp(loss, 5) if recipe == "warm-up" else loss
    model, x = build().cuda(), KINDS[kind]()
    y = Y.to(x.device) if recipe in LABELLED else None
    if hasattr(model.decoder, "__len__"):  # a decoder of several layers
        models.start_at_mean(model, x)
    held_out = {"x_val": x[:30], "y_val": None if y is None else y[:30]}
    limit = 0 if kind == "streamed" else None
    history = fit(model, x, loss, y, epochs=2, precision=precision, device_bytes=limit, **held_out, **QUIETLY)
    assert len(history.train) == len(history.val) == 2 and isinstance(history.train[-1].total, float)
    assert all(p.is_cuda for p in model.parameters())


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_images_model_and_labels_may_lie_on_either_device(device):
    for x, y in ((X.cuda(), Y), (X, Y.cuda())):
        model = models.ConditionalVAE(3, (8,)).to(device)
        fit(model, x, losses.conditional_vae_loss, y, epochs=1, **QUIETLY)
        assert isinstance(mean_loss(model, x, losses.conditional_vae_loss, y).total, float)
        assert next(model.parameters()).device.type == device


@pytest.mark.pretended
@pytest.mark.parametrize("streamed", [False, True])
def test_the_host_waits_as_often_for_many_steps_as_for_few(gpu, streamed):
    model, waits = models.ConditionalVAE(3, (8,)).cuda(), []
    x, y = (X, Y) if streamed else (X.cuda(), Y.cuda())
    for batch_size in (103, 7):
        gpu.waits.clear()
        how = {"epochs": 2, "progress": False, "device_bytes": 0 if streamed else None}
        fit(model, x.clone(), losses.conditional_vae_loss, y, batch_size=batch_size, **how)
        waits.append(+gpu.waits)
    assert waits[0] == waits[1]


def test_more_processes_than_gpus_are_refused(monkeypatch):
    for name, value in (("TORCHELASTIC_RUN_ID", "none"), ("LOCAL_RANK", str(torch.cuda.device_count()))):
        monkeypatch.setenv(name, value)
    says = r"more processes here than there are GPUs \(\d\).*--nproc-per-node"
    with pytest.raises(ValueError, match=says), processes.group(torch.device("cuda")):
        pytest.fail("it began")


@pytest.mark.parametrize("device_bytes", [None, 0])
def test_what_processes_agree_on_lies_on_the_gpu_as_nccl_asks(device_bytes, monkeypatch):
    handed = []
    monkeypatch.setattr(processes, "agreed", lambda values: (handed.append(values), values)[1])
    next(Batches(X, Y, 25, torch.device("cuda", 0), device_bytes).epoch())
    assert handed[0].is_cuda


class StoppedError(Exception):
    """A run that someone ended."""


def train(path, device="cuda", stop=None, resume=False):
    """Four epochs, or until ``stop``; all weights in a row, on the CPU."""

    def look(epoch):
        if epoch == stop:
            raise StoppedError

    torch.manual_seed(0)
    model = vae().to(device)
    loss = losses.WarmUp(losses.vae_loss, 9)
    with suppress(StoppedError):
        fit(model, X, loss, epochs=4, checkpoint=path, resume=resume, after_epoch=look, **EXACTLY)
    return torch.cat([p.detach().flatten() for p in model.parameters()]).cpu()


def test_a_resumed_run_ends_in_the_weights_of_a_whole_one(tmp_path):
    whole = train(tmp_path / "whole.pt")
    train(tmp_path / "run.pt", stop=3)
    assert torch.allclose(train(tmp_path / "run.pt", resume=True), whole, atol=1e-6)
    twin = vae()
    checkpoint.load(tmp_path / "run.pt", twin)
    assert torch.allclose(torch.cat([p.detach().flatten() for p in twin.parameters()]), whole, atol=1e-6)


@pytest.mark.parametrize(("first", "then"), [("cpu", "cuda"), ("cuda", "cpu")])
def test_a_run_may_go_on_on_the_other_device(tmp_path, first, then):
    train(tmp_path / "run.pt", first, stop=2)
    assert train(tmp_path / "run.pt", then, resume=True).isfinite().all()


def test_kept_weights_come_back_to_the_device_of_the_model():
    model, other = vae().cuda(), vae().cuda()
    checkpoint.remembered(model, "glyphs", lambda: fit(model, X, losses.vae_loss, epochs=1, **QUIETLY), lr=1)
    checkpoint.remembered(other, "glyphs", pytest.fail, lr=1)
    for weight, kept in zip(model.parameters(), other.parameters(), strict=True):
        assert kept.is_cuda and torch.equal(weight, kept)


def test_an_epoch_that_ends_in_nan_is_undone():
    model = vae().cuda()
    before = [p.detach().clone() for p in model.parameters()]
    spoiled = lambda m, x, y: losses.Loss(losses.vae_loss(m, x).reconstruction * float("nan"))  # noqa: E731
    with pytest.raises(NotFiniteError):
        fit(model, X, spoiled, epochs=1, **QUIETLY)
    assert all(map(torch.equal, before, model.parameters()))


def cross_entropy_of_probabilities(model, x, y=None):
    mu, logvar = model.encode(x)
    x_hat = model.generate(losses.reparameterize(mu, logvar))
    kl = losses.kl_to_standard_normal(mu, logvar).mean()
    return losses.Loss(F.binary_cross_entropy(x_hat, x, reduction="sum") / len(x), kl)


def test_what_autocast_refuses_is_said_in_our_words():
    model = vae().cuda()
    with pytest.raises(ValueError, match=r"binary_cross_entropy_with_logits.*precision=\"float32\""):
        fit(model, X, cross_entropy_of_probabilities, epochs=1, precision="bf16", **QUIETLY)
    fit(model, X, cross_entropy_of_probabilities, epochs=1, **EXACTLY)


def test_training_leaves_the_chance_of_both_devices_as_it_was():
    states = torch.get_rng_state(), torch.cuda.get_rng_state()
    model = vae().cuda()
    torch.set_rng_state(states[0])
    fit(model, X, losses.vae_loss, epochs=1, x_val=X, **QUIETLY)
    assert torch.equal(torch.get_rng_state(), states[0]) and torch.equal(torch.cuda.get_rng_state(), states[1])


def test_a_seed_gives_the_same_run_on_the_gpu():
    assert torch.allclose(*[_trained_with_seed(3) for _ in range(2)], atol=1e-6)
    assert not torch.allclose(_trained_with_seed(3), _trained_with_seed(4), atol=1e-6)


def _trained_with_seed(seed):
    torch.manual_seed(0)
    model = vae().cuda()
    torch.manual_seed(seed + 100)  # what lies around plays no part
    fit(model, X, losses.vae_loss, epochs=1, seed=seed, **EXACTLY)
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.pretended
def test_images_stay_on_the_host_where_the_gpus_memory_is_short(monkeypatch):
    gpu = torch.device("cuda", 0)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device=None: (1000, 2000))
    assert free_bytes(gpu) == 500
    batches = Batches(X, Y, 25, gpu)
    x, y = next(batches.epoch())
    assert not batches.resident and not batches.x.is_cuda and x.is_cuda and y.is_cuda
    assert Batches(X.cuda(), Y, 25, gpu).resident


def test_unless_asked_a_gpu_computes_in_float32():
    fit(vae().cuda(), X, cross_entropy_of_probabilities, epochs=1, **QUIETLY)
