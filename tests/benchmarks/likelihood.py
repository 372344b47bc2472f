"""The NLL of the course's best models in the published setting: 5,000 draws for each of 10,000 binarized test images.

``python tests/benchmarks/likelihood.py`` loads the model that notebook 06 trained on this machine, or trains it, then
takes about 10 minutes on 2 quiet CPU cores; ``--model mixture`` takes the best of figures/leaderboard.md. Images are
binarized once, seeded; the encoder sees the binarized ones. It prints the running mean as it goes: the test images are
taken in a random order, so that every line is an estimate.
"""

import argparse
import time
from math import log, pi

from vae_helpers import data, training
from vae_helpers.evaluation import mean_and_error, sampled_log_p
from vae_helpers.losses import log_mean_exp, prior_loss, vae_loss
from vae_helpers.models import VAE

import torch
import torch.nn.functional as F
from torch import Tensor

BEST = {"smooth": lambda dataset, seed: training.best_vae(dataset), "mixture": training.best_mixture_vae}


def log_weights(model: VAE, x_bin: Tensor, n_samples: int, random: torch.Generator) -> Tensor:
    """log p(x, z_k) / q(z_k|x), (n_samples, n), every draw of every image decoded in one product."""
    mu, logvar = model.encode(x_bin)
    eps = torch.randn((n_samples, *mu.shape), generator=random, device=mu.device)
    z = mu + torch.exp(0.5 * logvar) * eps
    if hasattr(model, "prior"):
        log_q_without_constant = -0.5 * (eps.square() + logvar).sum(dim=2)
        log_prior = model.prior.log_prob(z.flatten(0, 1)).view(n_samples, -1)
        log_prior_over_q = log_prior + 0.5 * mu.shape[1] * log(2 * pi) - log_q_without_constant
    else:  # both hold (d/2) log 2π
        log_prior_over_q = -0.5 * (z.square() - eps.square() - logvar).sum(dim=2)
    logits = model.decode(z.flatten(0, 1)).flatten(1).unflatten(0, z.shape[:2])
    # log Bernoulli = x · l − Σ log (1 + eˡ)
    inked = torch.einsum("knp,np->kn", logits, x_bin.flatten(1))
    log_likelihood = inked - F.softplus(logits).sum(dim=2)
    return log_prior_over_q + log_likelihood


@torch.inference_mode()
def main() -> None:
    """Print the −ELBO, then the running NLL and its distance from the −ELBO, with standard errors; nats per image."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smooth", choices=BEST)
    parser.add_argument("--data", default="mnist", choices=data.NAMES)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="of the training of the mixture (0)")
    asked = parser.parse_args()
    dataset = data.load(asked.data)
    with torch.inference_mode(False), torch.enable_grad():
        model, history = BEST[asked.model](dataset, asked.seed)
    random = torch.Generator(dataset.x.device).manual_seed(1)
    x_bin = torch.bernoulli(data.to_float(dataset.x_test), generator=random)
    loss = prior_loss if hasattr(model, "prior") else vae_loss
    print(f"{history}\n−ELBO, {len(x_bin):,} images: {training.mean_loss(model, x_bin, loss)}", flush=True)
    bound = torch.cat([log_weights(model, part, 20, random).mean(dim=0) for part in x_bin.split(100)])
    print(f"−ELBO, 20 draws each: {-bound.mean():.2f}", flush=True)
    order = torch.randperm(len(x_bin), generator=random, device=x_bin.device)[: asked.images]
    plain = sampled_log_p(model, x_bin[:50], n_samples=200).mean()  # the package's way, for comparison
    quick = log_mean_exp(log_weights(model, x_bin[:50], 200, random)).mean()
    assert abs(plain - quick) < 0.5, (plain, quick)
    log_p, start = [], time.perf_counter()
    for part in order.split(20):
        draws = [log_weights(model, x_bin[part], 100, random) for _ in range(-(-asked.samples // 100))]
        log_p.append(log_mean_exp(torch.cat(draws)[: asked.samples]))
        if len(log_p) % 25 == 0 or 20 * len(log_p) >= len(order):
            so_far = torch.cat(log_p)
            nll, gap = mean_and_error(-so_far), mean_and_error(so_far - bound[order[: len(so_far)]])
            said = "{:.2f} ± {:.2f}, below the −ELBO by {:.2f} ± {:.2f}".format(*nll, *gap)
            print(f"{len(so_far):6,} images: NLL {said}  ({time.perf_counter() - start:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
