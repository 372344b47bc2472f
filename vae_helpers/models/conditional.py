"""Two VAEs that can be asked for a class: labels concatenated, or a Gaussian of its own per class.

Both are written out in notebook 08; a test holds the definitions together. A *style* is a draw from N(0, I):
``place`` makes the code z of it, so that one style can be shown in every class, whichever the model.
"""

from typing import Annotated

from vae_helpers.models.networks import Codes, Images, Pictures, mlp
from vae_helpers.models.vae import VAE
from vae_helpers.validation import LabelsInAStep, PositiveInt, Widths, tensors, validated

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

Classes = Annotated[LabelsInAStep[Tensor, " batch"], tensors.suits_the_model]  # one for each image or code


@validated
def join_label(
    a: Float[Tensor, " batch k"], y: LabelsInAStep[Tensor, " batch"], n_classes: PositiveInt = 10
) -> Float[Tensor, " batch {a.shape[1]+n_classes}"]:
    """Rows with the one-hot label of each behind them."""
    return torch.cat([a, F.one_hot(y, n_classes).to(a)], dim=1)


class ConditionalVAE(nn.Module):
    """Conditional VAE: the one-hot label stands beside the image in the encoder and beside z in the decoder.

    Prior N(0, I), the same for every class. Kingma et al. 2014 (M2), Sohn et al. 2015. Labels that are missing, of
    another type or shape, or not below ``n_classes`` raise TypeError or ValueError in every method.
    """

    @validated
    def __init__(self, latent_dim: PositiveInt, hidden: Widths = (400,), n_classes: PositiveInt = 10) -> None:
        super().__init__()
        self.latent_dim, self.n_classes = latent_dim, n_classes
        self.encoder = mlp(784 + n_classes, *hidden, 2 * latent_dim)
        self.decoder = mlp(latent_dim + n_classes, *reversed(hidden), 784)

    @validated
    def encode(self, x: Images, y: Classes) -> tuple[Codes, Codes]:
        """Images and their labels → (mu, logvar) of q(z|x, y)."""
        seen = join_label(x.flatten(1), y, self.n_classes)
        mu, logvar = self.encoder(seen).chunk(2, dim=1)
        return mu, logvar.clamp(-30, 20)

    @validated
    def decode(self, z: Codes, y: Classes) -> Pictures:
        """Codes and labels → x_logits, before the sigmoid."""
        seen = join_label(z, y, self.n_classes)
        return self.decoder(seen).unflatten(1, (1, 28, 28))

    @validated
    def place(self, style: Codes, y: Classes) -> Codes:
        """Styles, drawn from N(0, I), as codes z of class y: here they are the codes."""
        return style

    @validated
    def embed(self, x: Images, y: Classes) -> Codes:
        """Images and their labels → posterior means μ: deterministic."""
        return self.encode(x, y)[0]

    @validated
    def generate(self, z: Codes, y: Classes) -> Pictures:
        """Codes and labels → images x̂ in [0, 1]: the mean of p(x|z, y), not a draw from it."""
        return self.decode(z, y).sigmoid()


class ClassPriorVAE(VAE):
    """VAE with a prior N(μ_y, I) per class, its mean learned; encoder and decoder are a VAE's and never see y.

    ``class_means`` (n_classes, latent_dim) is a weight like any other. Labels as of ``ConditionalVAE``.
    """

    @validated
    def __init__(self, latent_dim: PositiveInt, hidden: Widths = (400,), n_classes: PositiveInt = 10) -> None:
        super().__init__(latent_dim, hidden)
        self.n_classes = n_classes
        self.class_means = nn.Parameter(torch.randn(n_classes, latent_dim))

    @validated
    def place(self, style: Codes, y: Classes) -> Codes:
        """Styles, drawn from N(0, I), as codes z of class y: μ_y + style."""
        return self.class_means[y] + style
