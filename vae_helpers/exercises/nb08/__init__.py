"""Exercises of notebook 08: labels handed over, a prior per class, what is asked and what comes, accounts in nats."""

from vae_helpers.exercises.nb08.asking import AGREEMENT_AND_VARIANCE, ROW_PER_CLASS
from vae_helpers.exercises.nb08.class_prior import CLASS_MEANS, KL_TO_EVERY_CLASS, NEAREST_PRIOR
from vae_helpers.exercises.nb08.labels import CONDITIONAL_LOSS, JOIN_LABEL
from vae_helpers.exercises.nb08.nats import HIDDEN_NLL, MIXTURE_NLL

EXERCISES = (
    JOIN_LABEL,
    CONDITIONAL_LOSS,
    CLASS_MEANS,
    KL_TO_EVERY_CLASS,
    NEAREST_PRIOR,
    ROW_PER_CLASS,
    AGREEMENT_AND_VARIANCE,
    MIXTURE_NLL,
    HIDDEN_NLL,
)
