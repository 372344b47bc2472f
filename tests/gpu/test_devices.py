"""Which device the course takes; a default device of the learner's; labels out of range; Apple's GPUs."""

import os
import subprocess
import sys

from vae_helpers import data, evaluation, exercises, losses, models
from vae_helpers.evaluation.sample_scores import SampleScores
from vae_helpers.training import fit, mean_loss
from vae_helpers.training.randomness import own_random_state

import pytest
import torch

from helpers.places import ROOT

X = torch.rand(60, 1, 28, 28, generator=torch.Generator().manual_seed(0))
Y = torch.arange(60) % 10
QUIETLY = {"progress": False, "batch_size": 25}


def test_the_gpu_is_taken_where_there_is_one():
    assert data.default_device() == torch.device("cuda")
    dataset = data.load("glyphs")
    assert dataset.x.is_cuda and dataset.y_test.is_cuda and repr(dataset).endswith("cuda:0")


def test_vae_device_asks_for_another(monkeypatch):
    monkeypatch.setenv("VAE_DEVICE", "cpu")
    assert data.default_device() == torch.device("cpu") == data.load("glyphs").x.device
    monkeypatch.setenv("VAE_DEVICE", "cuda")
    assert data.default_device() == torch.device("cuda")
    monkeypatch.setenv("VAE_DEVICE", "")
    assert data.default_device() == torch.device("cuda")


@pytest.mark.parametrize(("asked", "says"), [("gpu!", "VAE_DEVICE must be a device"), ("mps", "GPU of Apple's")])
def test_a_vae_device_that_is_none_is_refused(monkeypatch, asked, says):
    monkeypatch.setenv("VAE_DEVICE", asked)
    with pytest.raises(ValueError, match=rf"VAE_DEVICE.*{says}|{says}"):
        data.default_device()


@pytest.mark.pretended(capability=(6, 1))
def test_a_gpu_that_says_it_is_there_and_does_not_compute_is_passed_over(monkeypatch):
    assert torch.cuda.is_available()
    with pytest.warns(UserWarning, match=r"fails at its first kernel \(CUDA error: no kernel image.*VAE_DEVICE=cpu"):
        assert data.default_device() == torch.device("cpu")
    monkeypatch.setenv("VAE_DEVICE", "cuda")
    with pytest.raises(ValueError, match="VAE_DEVICE asks for cuda, but the device cuda fails at its first kernel"):
        data.default_device()


@pytest.mark.parametrize("given", [torch.tensor([3, 10]), torch.tensor([3, -1])], ids=["too large", "negative"])
@pytest.mark.parametrize("gradients", [True, False])
def test_labels_out_of_range_are_an_error_and_cost_no_device(given, gradients):
    z, y = torch.randn(2, 3, device="cuda"), given.cuda()
    asked = {
        "generate": lambda m: m.generate(z, y),
        "place": lambda m: m.place(z, y),
        "embed": lambda m: m.embed(X[:2].cuda(), y),
    }
    with torch.set_grad_enabled(gradients):
        for build, names in ((models.ConditionalVAE, asked), (models.ClassPriorVAE, ["place"])):
            for model in (build(3, (8,)).cuda().eval(), build(3, (8,)).cuda().train()):
                for name in names:
                    with pytest.raises(ValueError, match="y must hold labels from 0 to 9"):
                        asked[name](model)
        with pytest.raises(ValueError, match="y must hold labels from 0 to 9"):
            models.join_label(z, y)
    assert z.sum().isfinite()


def test_fit_looks_at_labels_before_it_steps():
    for y in (Y + 1, Y - 1):
        with pytest.raises(ValueError, match="y must hold labels from 0 to 9"):
            fit(models.ConditionalVAE(3, (8,)).cuda(), X, losses.conditional_vae_loss, y.cuda(), epochs=1, **QUIETLY)


@pytest.fixture
def default_device():
    """torch.set_default_device("cuda"), a common idiom."""
    torch.set_default_device("cuda")
    yield
    torch.set_default_device(None)


@pytest.mark.parametrize("id", exercises.EXERCISES)
def test_the_checks_know_right_and_wrong_whatever_the_default_device(id, default_device):
    exercise = exercises.EXERCISES[id]
    assert exercises.check(id, exercise.reference).passed
    assert exercises.check(id, lambda *arguments, **named: None).status == "not attempted"


def test_a_check_reads_what_an_answer_returns_from_the_gpu():
    reference = exercises.EXERCISES["reparameterize"].reference
    there = lambda mu, logvar: reference(mu, logvar).cuda()  # noqa: E731
    assert exercises.check("reparameterize", there).passed
    mixed = lambda mu, logvar: reference(mu, logvar) + mu.cuda()  # noqa: E731
    assert "one tensor lies on the GPU, another on the CPU" in str(exercises.check("reparameterize", mixed).message)


@pytest.mark.parametrize("device", ["cuda", "cpu"])
@pytest.mark.parametrize("device_bytes", [None, 0])
def test_training_takes_its_device_from_the_model_whatever_the_default(device, device_bytes, default_device):
    model = models.VAE(2, (8,)).to(device)
    history = fit(model, X, losses.vae_loss, epochs=2, x_val=X, device_bytes=device_bytes, **QUIETLY)
    assert len(history.val) == 2 and next(model.parameters()).device.type == device
    x_bin = X.round().to(device)
    assert evaluation.sampled_log_p(model, x_bin, n_samples=2).device.type == device
    assert isinstance(mean_loss(model, X, losses.vae_loss).total, float)


def test_glyphs_are_the_same_whatever_the_default_device(default_device):
    drawn = data.load_glyphs("cuda", 50, 10)
    torch.set_default_device(None)
    assert torch.equal(drawn.x.cpu(), data.load_glyphs("cpu", 50, 10).x) and drawn.x.is_cuda


def test_plain_numbers_become_tensors_of_the_cpu_whatever_the_default_device(default_device):
    made = [losses.log_snr(0.5), *losses.alpha_and_sigma(0.5)]
    assert {t.device.type for t in made} == {"cpu"}


def test_checks_leave_the_chance_of_the_gpu_as_it_was():
    state = torch.cuda.get_rng_state()
    exercises.check("walk", exercises.EXERCISES["walk"].reference)
    assert torch.equal(torch.cuda.get_rng_state(), state)


def test_both_conditional_models_are_scored_for_each_class():
    for build in (models.ConditionalVAE, models.ClassPriorVAE):
        scores = evaluation.sampled_log_p_of_each_class(build(3, (8,)).cuda(), X[:5].round().cuda(), n_samples=2)
        assert scores.is_cuda and scores.shape == (5, 10)


def pca_of(x):
    return losses.ppca(*losses.mean_and_covariance(x), 3)


def test_probabilistic_pca_is_exact_there():
    model, rows = pca_of(X.cuda()), data.in_float64(X.cuda().flatten(1))
    exact, q = losses.log_evidence(model, rows), losses.posterior(model, rows)
    assert exact.is_cuda and torch.allclose(losses.linear_gaussian_elbo(model, rows, q), exact)
    assert exact.mean().item() == pytest.approx(losses.training_log_likelihood(model), abs=1e-6)


@pytest.mark.pretended(name="mps")
def test_apples_gpu_is_taken_where_it_is_asked_for(monkeypatch):
    assert data.default_device() == torch.device("cpu")
    monkeypatch.setenv("VAE_DEVICE", "mps")
    assert data.default_device() == torch.device("mps")
    assert data.load("glyphs").x.device.type == "mps"


@pytest.mark.pretended(name="mps")
def test_without_float64_such_numbers_are_those_of_the_cpu():
    there = X.to("mps")
    assert data.in_float64(there).device.type == "cpu" and data.mean_image(there).device.type == "mps"
    assert evaluation.mse(there, 1 - there) == pytest.approx(evaluation.mse(X, 1 - X), rel=1e-12)
    assert evaluation.mean_and_error(there.flatten()) == evaluation.mean_and_error(X.flatten())
    assert evaluation.agreement(lambda x: x.flatten(1)[:, :10], there, Y.to("mps")) < 1
    assert torch.allclose(losses.log_evidence(pca_of(there), X.flatten(1).double()), pca_evidence_here(), atol=1e-6)


@pytest.mark.pretended(name="mps")
def test_scores_are_averaged_in_float64_whatever_the_default_device():
    scores = [SampleScores(k, k + 0.5, k / 4, 0.9) for k in (0.0, 1.0, 2.0)]
    torch.set_default_device("mps")
    try:
        mean, spread = evaluation.mean_and_spread(scores)
    finally:
        torch.set_default_device(None)
    assert (mean.fd50, mean.judge_fd, spread.fd50, spread.recall) == (1, 1.5, 1, 0.25)


def pca_evidence_here():
    return losses.log_evidence(pca_of(X), X.flatten(1).double())


@pytest.mark.pretended(name="mps")
@pytest.mark.parametrize("device_bytes", [None, 0])
def test_apples_gpu_trains_and_resumes(tmp_path, device_bytes):
    ends = []
    for resumed in (False, True):
        model = (torch.manual_seed(0), models.ConditionalVAE(3, (8,)).to("mps"))[1]
        path = tmp_path / f"{resumed}.pt"
        how = {"checkpoint": path, "resume": resumed, "device_bytes": device_bytes, "epochs": 3, **QUIETLY}
        if resumed:
            with pytest.raises(ZeroDivisionError):
                fit(model, X, losses.conditional_vae_loss, Y, after_epoch=lambda k: 1 / (k - 3), **how)
        fit(model, X, losses.conditional_vae_loss, Y, x_val=X, y_val=Y, **how)
        ends.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(*ends) and ends[0].device.type == "mps"


@pytest.mark.pretended(name="mps")
def test_apples_chance_is_left_as_it_was():
    state = torch.mps.get_rng_state()
    with own_random_state(3):
        torch.rand(5, device="mps")
    exercises.check("walk", exercises.EXERCISES["walk"].reference)
    assert torch.equal(torch.mps.get_rng_state(), state)


IMPORTED_LATE = """import contextlib, pkgutil, sys
import torch
from pretended_gpu.entry import pretended_gpu
with contextlib.nullcontext() if torch.cuda.is_available() else pretended_gpu():
    torch.set_default_device("cuda")
    import vae_helpers
    for module in pkgutil.walk_packages(vae_helpers.__path__, "vae_helpers."):
        if not module.name.endswith("__main__"):
            __import__(module.name)
    for name, module in list(sys.modules.items()):
        for called, value in list(vars(module).items()) if name.startswith("vae_helpers") else ():
            if isinstance(value, torch.Tensor) and value.device.type != "cpu":
                print(name, called)
"""


def test_no_constant_lies_on_the_default_device_that_a_learner_sets_before_the_import():
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": paths}
    done = subprocess.run([sys.executable, "-c", IMPORTED_LATE], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
