"""What an exercise is: its probes, its right answer, and the mistakes that its check knows by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from vae_helpers.exercises.engine.relation import Finding

from jaxtyping import Float64
from torch import Tensor

Answer = Callable[..., object]


@dataclass(frozen=True)
class Mistake:
    """A known wrong answer: the function it amounts to, and what to tell the learner who wrote it.

    alike: the same mistake beside another right choice, such as a variance by n − 1.
    """

    answer: Answer
    message: str
    alike: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class Exercise:
    """One task with its right answer and the mistakes that its check knows by name.

    probes: seed → argument tuples of unequal sizes (batch 5, d = 3), so that no two mistakes look alike.
    measure: (answer, probe) → tensor that is compared; default the answer's own result. A random answer is measured
    by its moments.
    tolerance: relative and absolute; wider for moments.
    reference: a plain function of assignments and a return, whose steps the check can change one by one; words: what
    its local names are called in a sentence. also: other right answers. floats: whether
    a tensor of floats is asked for. graded: the arguments to which gradients must pass.
    labels: of a measure, what each number is.
    findings: (answer, seed) → what is wrong with it, the gravest first, nothing where it is right: of loops and draws,
    which are watched rather than compared. They may raise as the answer does.
    """

    id: str
    expects: str
    reference: Answer
    probes: Callable[..., list[tuple]] = lambda seed=0: []
    mistakes: tuple[Mistake, ...] = ()
    measure: Callable[[Answer, tuple], Float64[Tensor, "..."]] | None = None
    tolerance: float = 1e-4
    words: Mapping[str, str] = field(default_factory=dict, hash=False)
    also: tuple[Answer, ...] = ()
    labels: tuple[str, ...] = ()
    floats: bool = False
    graded: tuple[str, ...] = ()
    findings: Callable[[Answer, int], list[Finding]] | None = None
