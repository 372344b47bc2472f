"""The label beside both inputs, and the loss of a VAE that is told it."""

from collections.abc import Callable

from vae_helpers.exercises.engine import Answer, Exercise, Mistake
from vae_helpers.losses import bernoulli_nll, kl_to_standard_normal

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _joining_probes(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(3 + 1000 * seed)
    return [  # the second batch lacks a 9
        (torch.rand(n, 784, generator=g), torch.randn(n, d, generator=g), torch.randint(0, k, (n,), generator=g))
        for n, d, k in ((5, 3, 10), (4, 7, 9))
    ]


def _joined(encoder_label: Answer, decoder_label: Answer) -> Answer:
    """The answer that puts one kind of label beside x and another beside z."""
    return lambda x, z, y: torch.cat([x, encoder_label(y), z, decoder_label(y)], dim=1)


def _one_hot(y: Tensor) -> Tensor:
    return F.one_hot(y, 10).float()


def _nothing(y: Tensor) -> Tensor:
    return torch.zeros(len(y), 0)


def _number(y: Tensor) -> Tensor:
    return y[:, None].float()


def _cramped(y: Tensor) -> Tensor:
    return F.one_hot(y, int(y.max()) + 1).float()


def _join_label(x: Tensor, z: Tensor, y: Tensor) -> Tensor:
    label = F.one_hot(y, 10).float()
    return torch.cat([x, label, z, label], dim=1)


JOIN_LABEL = Exercise(
    id="join-label",
    expects="one row per image, (batch, 784 + 10 + d + 10): x, its one-hot label, z, the one-hot label again",
    reference=_join_label,
    probes=_joining_probes,
    mistakes=(
        Mistake(
            _joined(_number, _number),
            "the label went in as one number. Then an 8 is eight times a 1 and lies between 7 and 9: an order that "
            "classes don't have. F.one_hot(y, 10) gives each class an input of its own.",
        ),
        Mistake(
            _joined(_one_hot, _nothing),
            "the decoder doesn't get the label. Then it must read the class from z, and nobody can ask it for a 7.",
        ),
        Mistake(
            _joined(_nothing, _one_hot),
            "the encoder doesn't get the label. The model still runs, but q(z|x) must serve without knowing y; "
            "the bound wants q(z|x, y).",
        ),
        Mistake(
            _joined(_nothing, _nothing),
            "no label anywhere: that is a VAE without condition, which nobody can ask for a 7.",
        ),
        Mistake(
            lambda x, z, y: torch.cat([torch.cat([x, z], 1), torch.cat([_one_hot(y), _one_hot(y)], 1)], dim=1),
            "the parts stand in another order: x and z side by side, then the labels. The encoder's input is "
            "x and label, the decoder's z and label.",
        ),
        Mistake(
            lambda x, z, y: torch.cat([_one_hot(y), x, _one_hot(y), z], dim=1),
            "the labels stand in front of x and z. No harm to a network, but here they come behind.",
        ),
        Mistake(
            _joined(_cramped, _cramped),
            "one_hot without the number of classes: its width is the largest label *in this batch* plus one. "
            "A batch without a 9 would get another width: F.one_hot(y, 10).",
        ),
        Mistake(
            _joined(lambda y: 1 - _one_hot(y), lambda y: 1 - _one_hot(y)),
            "ones and zeros are exchanged: each label marks all classes but its own.",
        ),
        Mistake(
            _joined(lambda y: _one_hot(y).roll(1, 1), lambda y: _one_hot(y).roll(1, 1)),
            "each label stands one column too far: class 0 belongs into column 0.",
        ),
        Mistake(
            _joined(*2 * [lambda y: _number(y).repeat(1, 10)]),
            "the label went in as its number, ten times over: an 8 lies between 7 and 9, an order that classes don't "
            "have. F.one_hot(y, 10) gives each class an input of its own.",
        ),
    ),
)


class _Told(nn.Module):
    """A conditional VAE of few weights, which also runs where a label is withheld: then no switch is on."""

    def __init__(self, latent_dim: int, g: torch.Generator) -> None:
        super().__init__()
        self.encoder = nn.Parameter(torch.randn(794, 2 * latent_dim, generator=g) / 20)
        self.decoder = nn.Parameter(torch.randn(latent_dim + 10, 784, generator=g))

    def encode(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Images and their labels → (mu, logvar)."""
        mu, logvar = (torch.cat([x.flatten(1), _switches(y, len(x))], dim=1) @ self.encoder).chunk(2, dim=1)
        return mu, logvar

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes and labels → x_logits."""
        return (torch.cat([z, _switches(y, len(z))], dim=1) @ self.decoder).unflatten(1, (1, 28, 28))

    def generate(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes and labels → images."""
        return self.decode(z, y).sigmoid()


def _switches(y: Tensor | None, n: int) -> Tensor:
    return torch.zeros(n, 10) if y is None else 3 * _one_hot(y)


def _models_images_labels(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(81 + 1000 * seed)
    return [
        (
            _Told(d, g),
            torch.rand(n, 1, 28, 28, generator=g),
            torch.randint(0, 10, (n,), generator=g),
            torch.randn(n, d, generator=g),
        )
        for n, d in ((5, 3), (6, 4))
    ]


def _conditional_loss(model: nn.Module, x: Tensor, y: Tensor, eps: Tensor) -> Tensor:
    cloud = model.encode(x, y)
    mu = cloud[0]
    logvar = cloud[1]
    z = mu + (0.5 * logvar).exp() * eps
    x_logits = model.decode(z, y)
    pixels = F.binary_cross_entropy_with_logits(x_logits, x, reduction="none")
    reconstruction = pixels.flatten(1).sum(dim=1)
    kl = (0.5 * (mu.square() + logvar.exp() - logvar - 1)).sum(dim=1)
    return torch.stack([reconstruction, kl], dim=1)


def _parts(x_logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return torch.stack([bernoulli_nll(x_logits, x), kl_to_standard_normal(mu, logvar)], dim=1)


def _told(encoder_sees: bool, decoder_sees: bool) -> Answer:
    """The answer that hands y to one of the networks only, or to none."""

    def answer(model: nn.Module, x: Tensor, y: Tensor, eps: Tensor) -> Tensor:
        """Its two columns."""
        mu, logvar = model.encode(x, y if encoder_sees else None)
        z = mu + (0.5 * logvar).exp() * eps
        return _parts(model.decode(z, y if decoder_sees else None), x, mu, logvar)

    return answer


def _decoding(
    code: Callable[[Tensor, Tensor, Tensor], Tensor], image: Callable[[Tensor], Tensor] = Tensor.clone
) -> Answer:
    def answer(model: nn.Module, x: Tensor, y: Tensor, eps: Tensor) -> Tensor:
        """The two columns, from another code or with another output."""
        mu, logvar = model.encode(x, y)
        return _parts(image(model.decode(code(mu, logvar, eps), y)), x, mu, logvar)

    return answer


CONDITIONAL_LOSS = Exercise(
    id="conditional-loss",
    expects="two columns, (batch, 2), in nats per image: −log p(x∣z, y), and the KL from N(0, I)",
    reference=_conditional_loss,
    probes=_models_images_labels,
    graded=("model",),
    words={
        "cloud": "what encode returns",
        "mu": "μ",
        "logvar": "log σ²",
        "z": "z",
        "x_logits": "the logits",
        "pixels": "the cost of each pixel",
        "reconstruction": "the reconstruction",
        "kl": "the KL",
    },
    mistakes=(
        Mistake(
            _told(True, False),
            "y reaches the encoder only: the decoder isn't told which class to draw, must read it from z, and nobody "
            "can ask it for a 7.",
        ),
        Mistake(
            _told(False, True),
            "y reaches the decoder only: a cloud is chosen without knowing the class. Still a bound, but a looser one: "
            "the formula has q(z|x, y).",
        ),
        Mistake(
            _told(False, False),
            "y reaches neither network: that is the loss of notebook 05, of a model that can't be asked.",
        ),
        Mistake(
            _decoding(lambda mu, logvar, eps: mu + logvar * eps),
            "log σ² itself multiplies ε, which may turn its sign. The network's output is a logarithm: "
            "σ = exp(½ log σ²).",
        ),
        Mistake(
            _decoding(lambda mu, logvar, eps: mu + (0.5 * logvar).exp() * torch.randn_like(eps)),
            "the noise is drawn anew. Use the eps that is handed over, so that the same ε gives the same loss.",
        ),
        Mistake(
            _decoding(lambda mu, logvar, eps: eps),
            "the decoder gets ε and never hears of the image: z = μ + σ ε.",
        ),
        Mistake(
            _decoding(lambda mu, logvar, eps: mu + (0.5 * logvar).exp() * eps, torch.sigmoid),
            "a sigmoid stands before a loss that takes logits and applies its own: no pixel comes out darker than ½.",
        ),
        Mistake(
            _decoding(lambda mu, logvar, eps: mu + logvar.exp() * eps),
            "exp(log σ²) is σ², and it multiplies ε: where σ < 1 less noise is drawn than the KL is paid for. "
            "σ = exp(½ log σ²).",
        ),
    ),
)
