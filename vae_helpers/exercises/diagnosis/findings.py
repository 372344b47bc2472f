"""The findings of ``diagnose_vae`` in words: what was seen, what probably causes it, how to check."""

from collections.abc import Iterator
from dataclasses import dataclass

from vae_helpers.exercises.diagnosis.probes import Fit, Noise
from vae_helpers.exercises.diagnosis.spy import AnyTensor

from torch import nn


@dataclass(frozen=True)
class Finding:
    """One thing that looks wrong. kind: a short name, for programs."""

    kind: str
    seen: str
    cause: str = ""
    check: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.seen, self.cause, self.check) if part)


def no_methods(model: object, lacking: list[str]) -> Finding:
    """The model has no encode or decode."""
    if not isinstance(model, nn.Module):
        return Finding("no model", f"The model is a {type(model).__name__}, not a torch.nn.Module.")
    return Finding(
        "no methods",
        f"{type(model).__name__} has no {' and no '.join(lacking)}.",
        "The probes need encode(x) → (mu, logvar) and decode(z).",
        "If yours have other names, wrap the model in a small Module with these two methods.",
    )


def broken_answer(sentence: str) -> Finding:
    """encode, or the loss, returned what can't be used."""
    return Finding("broken", sentence)


def raised_error(name: str, error: Exception) -> Finding:
    """The loss, or the evaluation, raised."""
    return Finding(
        "raised",
        f"{name} raised {type(error).__name__}: {str(error)[:200]}",
        check=f"Call {name}(model, x) yourself on 1,000 images, floats in [0, 1]; hand over (x, y) if it needs labels.",
    )


def wrong_noise(found: Noise) -> Finding:
    """z is not drawn from N(μ, σ²)."""
    if found.kind == "none":
        return Finding(
            "no noise",
            "decode is given μ itself: no noise is drawn, and the clouds' widths have no effect on the picture.",
            "Probably the line z = mu + sigma * eps is missing (or the expectation is taken in closed form).",
            "Call the loss twice: it returns the same number to the last digit.",
        )
    width = ", ".join(f"{w:.2f}" for w in found.widths)
    texts = {
        "uniform noise": (
            f"(z − μ)/σ lies between 0 and 1, with mean {found.mean:.2f}.",
            "ε is uniform: rand_like where randn_like belongs. Every z lies above its μ.",
            "The mean of (z − μ)/σ over many images must be 0, its standard deviation 1.",
        ),
        "one noise for all": (
            "(z − μ)/σ is the same for all images.",
            "One ε serves the whole batch.",
            "Draw ε in the shape of mu: torch.randn_like(mu).",
        ),
        "σ² used as σ": (
            f"At log σ² = −2, −1 and 0.7, z spreads by {width} around μ; σ is 0.37, 0.61 and 1.42.",
            "exp(logvar) stands where σ belongs. It is σ²: σ is exp(0.5 · logvar).",
            "The standard deviation of (z − μ)/exp(0.5 · logvar) must be 1.",
        ),
        "noise of another width": (
            f"At log σ² = −2, −1 and 0.7, z spreads by {width} around μ; σ is 0.37, 0.61 and 1.42.",
            "ε is multiplied by something that is not σ = exp(0.5 · logvar), or is not of variance 1.",
            "The standard deviation of (z − μ)/exp(0.5 · logvar) must be 1.",
        ),
        "noise off centre": (
            f"(z − μ)/σ has mean {found.mean:.2f}, not 0.",
            "ε is not drawn from N(0, 1), or something is added to z.",
            "The mean of (z − μ)/σ over many images must be 0.",
        ),
    }
    return Finding(found.kind, *texts[found.kind])


def no_gradient(found: Noise) -> Finding:
    """The graph is cut between the encoder and z."""
    lost = " and ".join(n for n, ok in (("μ", found.reaches_mu), ("log σ²", found.reaches_logvar)) if not ok)
    return Finding(
        "no gradient",
        f"No gradient flows from z back to {lost}.",
        "The graph is cut: .sample() in place of .rsample(), .detach(), .data, no_grad, or numpy.",
        "z.sum().backward() must leave a gradient in the encoder's last layer.",
    )


KL_TEXTS = {
    "swapped": "It is the closed form with μ and log σ² exchanged. Look where the pair is unpacked: two modules, or a "
    "function's arguments, disagree on the order.",
    "squared twice": "exp(logvar) was taken for σ and squared again. It is σ² already.",
    "logvar for sigma": "logvar stands where σ belongs. The encoder's output is a logarithm: σ² = exp(logvar).",
    "no mu": "μ² is missing: nothing keeps the codes near 0.",
    "only mu": "Only μ² is there: nothing keeps the clouds' widths from shrinking to points.",
    "no log": "− log σ² is missing: the cheapest cloud is a point.",
    "log turned": "The sign of log σ² is turned: the cheapest cloud is a point.",
    "mu not squared": "μ is not squared: moving a code one way costs, the other way pays.",
    "": "It is none of the mistakes known here.",
}


def wrong_kl(found: Fit) -> Finding:
    """The loss's KL is not the closed form, or isn't there."""
    check = "Compare your kl with torch.distributions.kl_divergence on random mu and logvar of shape (5, 3)."
    if found.form == "missing":
        return Finding(
            "no KL",
            "With z held still, the loss does not change with μ and log σ².",
            "The KL is not part of it (of a tuple, the first number counts as the loss).",
            check,
        )
    name = f"KL {found.form}" if found.form else "KL unknown"
    seen = "The KL in the loss is not ½ Σ (μ² + σ² − log σ² − 1), nor a multiple of it."
    return Finding(name, seen, KL_TEXTS[found.form], check)


def prior_elsewhere() -> Finding:
    """The KL is not to a Gaussian around 0, and no labels could explain it."""
    return Finding(
        "prior elsewhere",
        "The KL tells μ from −μ: its prior is not centred at 0.",
        "μ_y of a conditional model? Then hand over labels too: train_data=(x, y).",
        "At μ = 0, σ = 1 the KL to N(0, I) is 0.",
    )


def wrong_reconstruction(found: Fit, x: AnyTensor) -> Iterator[Finding]:
    """A sigmoid too many; images that a cross-entropy can't take."""
    if found.form == "sigmoid twice":
        yield Finding(
            "sigmoid twice",
            "The loss treats probabilities as logits: it takes the sigmoid of a sigmoid. No pixel falls below ½.",
            "A sigmoid at the decoder's end (or in the loss) comes before binary_cross_entropy_with_logits.",
            f"A black image costs at least {x[0].numel()} · ln 2 = {x[0].numel() * 0.6931:.0f} nats, "
            "far above the mean image's level. Drop the sigmoid.",
        )
    low, high = x.amin().item(), x.amax().item()
    if found.form in ("bernoulli", "sigmoid twice") and (low < -1e-6 or high > 1 + 1e-6):
        yield Finding(
            "pixels out of range",
            f"The pixels run from {low:.2g} to {high:.2g}, and the loss is a cross-entropy, which wants [0, 1].",
            "The images were standardised (transforms.Normalize?) or not divided by 255.",
            "Outside [0, 1] a cross-entropy falls without end: look for a negative reconstruction.",
        )


def wrong_weight(kl: Fit, rec: Fit, sizes: dict[str, int]) -> Iterator[Finding]:
    """The KL's weight against a reconstruction summed over pixels: anything but 1."""
    pixels, d, batch = sizes["pixels"], sizes["d"], sizes["batch"]
    beta = kl.weight / rec.weight
    if "square" in rec.form and beta > 0 and not _near(beta, pixels):
        return  # a squared error's weight is the decoder's 1/2σ_x², free to choose: only a mean over pixels is named
    if _near(beta, 1):
        return
    seen = f"Against a reconstruction summed over pixels, the KL weighs {beta:.4g} times."
    closed = "Print both parts beside their closed forms, each summed over its own axis and averaged over images."
    pytorch = "Compare kl with torch.distributions.kl_divergence."
    named = [
        (beta < 0, "KL sign", "The sign of the KL is turned: the loss pays for leaving the prior, without end.",
         "A KL is never negative, nor is a sum of KL and cross-entropy."),
        (_near(beta, 2), "KL twice", "Either the ½ in front of the KL is missing, or β = 2 is meant: no number can "
         "tell the two apart.", pytorch),
        (_near(beta, 0.5), "KL half", "Either the KL has one ½ too many, or β = ½ is meant.", pytorch),
        (_near(beta, pixels), "mean beside sum", f"The reconstruction is a mean over {pixels} pixels, the KL a sum: "
         f"a hidden β of {pixels}, and collapse.", closed),
        (_near(beta, pixels / d), "two means", f"Both are means, over {pixels} pixels and {d} dimensions: a hidden "
         f"β of {pixels}/{d}.", closed),
        (_near(beta, 1 / d), "mean KL", f"The KL is a mean over its {d} dimensions: a hidden β of 1/{d}.", closed),
        (_near(beta, batch) or _near(beta, 1 / batch), "batch size", "One part is a sum over the batch, the other a "
         "mean: the KL's weight changes with the batch size.", closed),
        (_near(beta, batch * pixels) or _near(beta, pixels / batch), "batch size", "The two are reduced over pixels "
         "and batch in different ways.", closed),
        (True, "beta", f"That is a β of {beta:.4g}: fine if you chose it; else look for a mean where a sum belongs.",
         closed),
    ]  # fmt: skip
    yield next(Finding(kind, seen, cause, check) for applies, kind, cause, check in named if applies)


def _near(a: float, b: float) -> bool:
    return abs(a / b - 1) < 0.03


def collapsed_codes(kl: float) -> Finding:
    """The codes say nothing."""
    return Finding(
        "collapse",
        f"The KL of this model is {kl:.1g} nats per image: the codes say nothing, and all samples are alike.",
        "Posterior collapse, mostly by a KL that weighs too much; or the model is untrained and its codes are tiny.",
        "Compare the reconstruction with the level of the mean image.",
    )


def mean_at_evaluation() -> Finding:
    """The figure reported is not an ELBO."""
    return Finding(
        "mean at evaluation",
        "evaluate decodes μ itself and draws no z: its figure is no ELBO, and no bound on log p(x).",
        "z = mu at evaluation, or a model that skips the noise in eval mode. The figure looks better than it is.",
        "Evaluate with two seeds: an honest estimate differs in the last digits. Draw z from q(z|x).",
    )


def twins_found(share: float) -> Finding:
    """Test images are training images."""
    return Finding(
        "test = training",
        f"{share:.0%} of the test images are training images, pixel by pixel.",
        "Probably the test loader reads the training set (train=True left in), or both are cut from one tensor.",
        "Print the shapes, and the distance of a test image to its nearest training image: it must not be 0.",
    )
