"""The judge of samples: a small convolutional classifier, and the features that it judges by."""

from typing import Annotated

from vae_helpers.validation import PositiveInt, tensors, validated

from jaxtyping import Float
from torch import Tensor, nn

Images = Annotated[Float[Tensor, " batch 1 28 28"], tensors.suits_the_model]


class Judge(nn.Module):
    """Classifier of 28 × 28 images: two convolutions of stride 2, a layer of 128 features, a score per class.

    judge(x) gives the scores, before the softmax; ``judge.features(x)`` what they are made of.
    """

    @validated
    def __init__(self, n_classes: PositiveInt = 10) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(16, 32, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 7 * 7, 128),
            nn.ReLU(),
        )
        self.head = nn.Linear(128, n_classes)

    @validated
    def features(self, x: Images) -> Float[Tensor, " batch 128"]:
        """Images, as floats → features, all ≥ 0."""
        return self.body(x)

    @validated
    def forward(self, x: Images) -> Float[Tensor, " batch {self.n_classes}"]:
        """Images, as floats → scores before the softmax."""
        return self.head(self.body(x))
