"""The mistakes that a blind round plants: each in words, as a line of code, and by the number that tells it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Planted:
    """A mistake in words, a line that makes it, and what one measures then."""

    says: str
    line: str
    tells: str


MISTAKES = {
    "no noise": Planted("the decoder is given μ itself", "z = mu", "(z − μ)/σ is 0"),
    "σ² used as σ": Planted(
        "the noise is multiplied by σ² in the place of σ",
        "z = mu + logvar.exp() * eps",
        "(z − μ)/σ has mean 0, and a spread that isn't 1",
    ),
    "uniform noise": Planted(
        "the noise is uniform between 0 and 1", "eps = torch.rand_like(mu)", "(z − μ)/σ has mean ½, spread 0.29"
    ),
    "z scrambled": Planted(
        "each image is decoded from the z of another",
        "x_logits = model.decode(z.roll(1, 0))",
        "with a sound model (z − μ)/σ is several wide, for μ is another image's",
    ),
    "same head": Planted(
        "log σ² is the same number as μ",
        "mu, logvar = head(h), head(h)",
        "with a sound model (z − μ)/σ isn't 1 wide, and the KL that is charged isn't the right one",
    ),
    "KL swapped": Planted(
        "μ and log σ² are exchanged in the KL, and not in z",
        "kl = kl_to_standard_normal(logvar, mu)",
        "the noise is sound, the reconstruction too, the KL that is charged is not",
    ),
    "target": Planted(
        "the images are mirrored before they are compared",
        "bce(x_logits, x.flip(-1))",
        "what the loss charges beside the KL is far from your own reconstruction, and mirrored images mend it",
    ),
    "labels": Planted(
        "the labels are shifted by one image", "y = y.roll(1, 0)", "the model draws another class than it is asked for"
    ),
    "sign of the loss": Planted("the loss has its sign turned", "return -loss", "it starts at −550, and falls"),
    "learning rate": Planted(
        "the learning rate is a hundred times too high",
        "Adam(model.parameters(), lr=0.2)",
        "the loss is sound on a sound model; on this one the KL is far from 0 at the level of the mean image",
    ),
    "encoder left out": Planted(
        "the encoder's parameters are not in the optimizer",
        "Adam(model.decoder.parameters())",
        "the loss is sound on a sound model; on this one the KL is as small as untrained, at the mean image's level",
    ),
}


def evidence_of(text: object) -> str:
    """A sentence that holds a number; ValueError for any other."""
    if not isinstance(text, str) or not any(c.isdigit() for c in text):
        raise ValueError(f"First the evidence: a sentence with the number that you measured, got {text!r}.")
    return text


def line_of(text: object) -> str:
    """A line of code; ValueError for what is none."""
    if not isinstance(text, str) or len(text.strip()) < 4:
        raise ValueError(f"Then the line, as code: what would make that number? got {text!r}.")
    return text.strip()
