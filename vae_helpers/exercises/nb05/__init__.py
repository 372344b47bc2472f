"""Exercises of notebook 05: the ``network``, its ``objective``, ``passes`` over images, ``codes``, new digits.

These come from the prior (``draws``) and from a ``mixture`` that is fitted afterwards.
"""

from vae_helpers.exercises.nb05 import codes, draws, mixture, network, objective, passes

EXERCISES = (
    *network.EXERCISES,
    *objective.EXERCISES,
    *passes.EXERCISES,
    *codes.EXERCISES,
    *draws.EXERCISES,
    *mixture.EXERCISES,
)
