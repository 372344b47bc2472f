"""What the KL weighs beside the reconstruction, its sign, and the sizes its weight is made of; KLs in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from vae_helpers.exercises.diagnosis.kl import Kl
from vae_helpers.exercises.diagnosis.reconstruction import Reconstruction
from vae_helpers.exercises.diagnosis.report import Finding, Question

CLOSED = "Print both parts beside their closed forms, each summed over its own axis and averaged over images."
PYTORCH = "Compare your kl with torch.distributions.kl_divergence on random mu and logvar of shape (5, 3)."
WRONG = {
    "swapped": "It is the closed form with μ and log σ² exchanged. Look where the pair is unpacked: two modules, or a "
    "function's arguments, disagree on the order.",
    "squared twice": "exp(logvar) was taken for σ and squared again. It is σ² already.",
    "root": "It is the closed form of ½ log σ²: exp(logvar / 2) stands for σ².",
    "σ for σ²": "σ stands where σ² belongs: exp(0.5 · logvar) was not squared.",
    "logvar for sigma": "logvar stands where σ belongs. The encoder's output is a logarithm: σ² = exp(logvar).",
    "no mu": "μ² is missing: nothing keeps the codes near 0.",
    "only mu": "Only μ² is there: nothing keeps the clouds' widths from shrinking to points.",
    "no log": "− log σ² is missing: the cheapest cloud is a point.",
    "no sigma": "σ² is missing: nothing keeps the clouds from growing without end.",
    "log turned": "The sign of log σ² is turned: the cheapest cloud is a point.",
    "mu not squared": "μ is not squared: moving a code one way costs, the other way pays.",
    "reversed": "It is KL(p ‖ q), the divergence the other way round: the arguments of kl_divergence are exchanged. "
    "The ELBO wants KL(q ‖ p), q first.",
    "log squared": "(log σ)² stands where log σ² = 2 log σ belongs. A square of a logarithm is not the logarithm of a "
    "square.",
}
MEANT = {
    "several draws": ("KL of several draws", "The loss is a bound of several draws per image (IWAE), not an ELBO."),
    "free bits": ("free bits", "Near the prior the KL has no gradient: free bits, or a KL that is cut off below."),
    "capacity": ("capacity", "Near the prior the KL's sign is turned: |KL − C|, a capacity to be filled."),
    "prior per image": ("prior elsewhere", "The prior has a mean of its own for each image, and no labels explain it."),
    "weight 0": ("KL weight 0", "The loss computes a KL and weighs it 0: the first step of a warm-up? Without one, "
                 "there is no KL."),
    "unknown": ("KL unknown", "What the loss asks of μ and log σ² is not the closed KL to N(0, I), nor a multiple of "
                "it: another prior or estimate? It is none of the mistakes known here."),
}  # fmt: skip


def said_of_kl(kl: Kl, labelled: bool) -> Iterator[Finding]:
    """Findings and questions about the form of the KL."""
    terms = " ".join(f"{factor:+.3g} · {name}" for name, factor in kl.terms.items())
    if kl.form in WRONG:
        seen = "The KL in the loss is not ½ Σ (μ² + σ² − log σ² − 1), nor a multiple of it."
        yield Finding(f"KL {kl.form}", seen, WRONG[kl.form], f"Measured: {terms}. {PYTORCH}")
    elif kl.form == "missing":
        yield Finding(
            "no KL",
            "With z held still, the loss does not change with μ and log σ².",
            "The KL is not part of it (of a tuple, the first number counts as the loss).",
            PYTORCH,
        )
    elif kl.form == "cut":
        text = "The KL changes the loss but sends no gradient to μ and log σ²: .item(), .detach(), numpy or no_grad."
        yield Finding("KL without gradient", text, "", "Training can't see it.")
    elif kl.form == "other":
        yield from _of_three_terms(kl, terms)
    elif kl.form == "prior":
        yield _prior(kl)
    elif kl.form in MEANT and not (kl.form == "prior per image" and labelled):
        yield Question(*MEANT[kl.form], check=PYTORCH if kl.form == "unknown" else "")


def _of_three_terms(kl: Kl, terms: str) -> Iterator[Finding]:
    """Terms that weigh differently."""
    a, b, c = (kl.terms.get(t, 0.0) for t in ("μ²", "σ²", "log σ²"))
    if a and b and c and set(kl.terms) == {"μ²", "σ²", "log σ²"}:
        text = f"The parts of the KL weigh differently: {terms}, where the factors should be ½, ½ and −½."
        yield Finding("KL parts", text, "A ½ or a bracket that holds for one part only.", PYTORCH)
    else:
        text = f"The KL in the loss is {terms}, and should be ½ μ² + ½ σ² − ½ log σ²."
        yield Question("KL unknown", text, "Another prior, or a slip?", PYTORCH)


def _prior(kl: Kl) -> Finding:
    if abs(kl.prior_mean) > 1e-3:
        text = f"The KL is to a prior of mean {kl.prior_mean:.3g} and variance {kl.prior_var:.3g}, not to N(0, 1)."
        cause = "μ_y of a conditional model? Then hand over labels too: train_data=(x, y)."
        return Question("prior elsewhere", text, cause, "At μ = 0, σ = 1 the KL to N(0, I) is 0.")
    text = f"The KL is to a prior N(0, {kl.prior_var:.3g}), not to N(0, 1)."
    half = "A ½ in front of one part only gives the same." if _near(kl.prior_var, 0.5) or _near(kl.prior_var, 2) else ""
    return Question("prior of another width", text, f"{half} Then draw z from that prior too.".strip(), PYTORCH)


@dataclass(frozen=True)
class Sizes:
    """The sizes that a weight may be made of."""

    pixels: int
    d: int
    batch: int
    other_batch: int


def _near(a: float, b: float) -> bool:
    return abs(a / b - 1) < 0.01


def said_of_weight(kl: tuple[float, float], rec: tuple[Reconstruction, float], sizes: Sizes) -> Iterator[Finding]:
    """Findings and questions about the weights of KL and reconstruction, at two batch sizes."""
    form, weight = rec[0], rec[0].weight
    if weight < 0 and kl[0] < 0:
        text = "The whole loss has its sign turned: it falls as images fit worse and codes leave the prior."
        yield Finding("sign of the loss", text, "It is the ELBO, to be maximised. An optimizer minimises.", "Minus it.")
    elif weight < 0:
        text = "The sign of the reconstruction is turned: the loss falls as images fit worse."
        yield Finding("sign of the reconstruction", text, "A log-likelihood is to be subtracted.", CLOSED)
    elif kl[0] < 0:
        yield Finding(
            "KL sign",
            f"Against a reconstruction summed over pixels, the KL weighs {kl[0] / weight:.4g} times.",
            "The sign of the KL is turned: the loss pays for leaving the prior, without end.",
            "A KL is never negative, nor is a sum of KL and cross-entropy.",
        )
    if weight * kl[0] <= 0:
        return
    beta, other = kl[0] / weight, kl[1] / rec[1]
    seen = f"Against a reconstruction summed over pixels, the KL weighs {beta:.4g} times."
    if not _near(beta, other):
        yield _of_batch(beta, other, sizes)
    elif form.square and (_near(abs(kl[0]), 1) or any(_near(beta, k) for k in (0.5, 1, 2))):
        if any(_near(beta, k * sizes.pixels) for k in (0.5, 1, 2)):
            found = _mean_beside_sum(seen, sizes)
            yield Question(*vars(found).values()) if form.form == "absolute" else found
    elif not _near(beta, 1):
        yield _of_constant(beta, seen, sizes, form.square)


def _mean_beside_sum(seen: str, sizes: Sizes) -> Finding:
    text = f"The reconstruction is a mean over {sizes.pixels} pixels, the KL a sum: a hidden "
    text += f"β of {sizes.pixels}, and collapse."
    return Finding("mean beside sum", seen, text, CLOSED)


def _of_batch(beta: float, other: float, sizes: Sizes) -> Finding:
    """A weight that changes with the batch size."""
    n, m, pixels = sizes.batch, sizes.other_batch, sizes.pixels
    seen = f"The KL weighs {beta:.4g} times at {n} images a batch, and {other:.4g} times at {m}."
    if not (_near(beta / other, n / m) or _near(beta / other, m / n)):
        text = "The KL's weight changes from call to call: a warm-up? Or a weight that depends on the batch."
        return Question("KL weight changes", seen, text, CLOSED)
    grows = _near(beta / other, n / m)
    per_image = beta / n if grows else beta * n
    fixed = 1 / per_image if grows else per_image
    if grows and _near(per_image, 1 / sizes.d):
        text = f"The KL is summed over the batch and averaged over the {sizes.d} dimensions: the axes are exchanged."
        return Finding(
            "wrong axis", seen, text, "Sum over the dimensions, dim=1, average over the images; try 2 sizes."
        )
    for over in (1, pixels, 1 / pixels):
        if (
            3.5 < fixed * over < 5000
            and _near(fixed * over, round(fixed * over))
            and round(fixed * over) not in (pixels,)
        ):
            size = round(fixed * over)
            if size & (size - 1) == 0 or size % 10 == 0:
                text = f"It is 1 at a batch of {size} only: the code holds a batch size. The last batch is smaller."
                return Question("batch size fixed", seen, text, "Divide by len(x).")
    amount = "" if _near(per_image, 1) else f" times {_product(per_image, sizes)}"
    text = (
        f"One part is a sum over the batch, the other a mean: the weight is {'the' if grows else '1 over the'} batch "
        f"size{amount}, and changes with it."
    )
    return Finding("batch size", seen, text, CLOSED)


def _product(number: float, sizes: Sizes) -> str:
    """A number as a product of sizes, where it is one."""
    known = {f"{sizes.pixels} pixels": sizes.pixels, f"1/{sizes.pixels}": 1 / sizes.pixels, f"1/{sizes.d}": 1 / sizes.d,
             f"{sizes.pixels}/{sizes.d}": sizes.pixels / sizes.d, f"2 · {sizes.pixels}": 2 * sizes.pixels,
             f"{sizes.pixels}/2": sizes.pixels / 2}  # fmt: skip
    return next((name for name, value in known.items() if _near(number, value)), f"{number:.3g}")


def _of_constant(beta: float, seen: str, sizes: Sizes, square: bool) -> Finding:
    """A weight that is the same at every batch size, and not 1."""
    pixels, d = sizes.pixels, sizes.d
    if _near(beta, pixels) or (square and (_near(beta, 2 * pixels) or _near(beta, pixels / 2))):
        return _mean_beside_sum(seen, sizes)
    ratio = beta * d / pixels
    named = [
        (_near(beta, 2), "KL twice", "Either the ½ in front of the KL is missing, or β = 2 is meant: no number can "
         "tell the two apart.", PYTORCH),
        (_near(beta, 0.5), "KL half", "Either the KL has one ½ too many, or β = ½ is meant, or a warm-up is half way.",
         PYTORCH),
        (_near(beta, 2 * pixels), "mean beside sum", f"That is 2 · {pixels}: the reconstruction a mean, the KL a sum "
         "without its ½.", CLOSED),
        (_near(ratio, 1), "two means", f"Both are means, over {pixels} pixels and {d} dimensions: a hidden "
         f"β of {pixels}/{d}.", CLOSED),
        (_near(beta, 1 / d), "mean KL", f"The KL is a mean over its {d} dimensions: a hidden β of 1/{d}.", CLOSED),
        (_near(beta, 1 / pixels), "KL per pixel", f"The KL alone is divided by {pixels} pixels: a hidden β of "
         f"1/{pixels}.", CLOSED),
        (square, "beta", f"For a decoder of spread σ_x the squared error weighs 1/(2σ_x²): so this is a KL of weight 1 "
         f"at σ_x = {(beta / 2) ** 0.5:.3g}. A weight that you chose?", CLOSED),
        (_round(ratio) and not _round(beta), "two means", f"That is {ratio:.3g} · {pixels}/{d}: both are means, over "
         f"{pixels} pixels and {d} dimensions, and a weight of {ratio:.3g}.", CLOSED),
        (_round(beta / pixels) and not _round(beta), "mean beside sum", f"That is {beta / pixels:.3g} · {pixels}: the "
         f"reconstruction is a mean over pixels, the KL a sum, with a weight of {beta / pixels:.3g}.", CLOSED),
        (True, "beta", f"That is a β of {beta:.4g}: fine if you chose it; else look for a mean where a sum belongs.",
         CLOSED),
    ]  # fmt: skip
    kind, cause, check = next(row[1:] for row in named if row[0])
    return Question(kind, seen, cause, check)


def _round(number: float) -> bool:
    """Whether a number has one digit that counts."""
    return abs(float(f"{number:.0e}") / number - 1) < 1e-3
