"""Exercises of notebook 06: ``closed_forms``, ``estimates`` of log p(x), ``k_draws``, ``refinement``, ``comparison``.

``k_draws`` and ``refinement`` are loops, watched on a ``watched_vae``.
"""

from vae_helpers.exercises.nb06 import closed_forms, comparison, estimates, k_draws, refinement

EXERCISES = (
    *closed_forms.EXERCISES,
    *estimates.EXERCISES,
    *k_draws.EXERCISES,
    *refinement.EXERCISES,
    *comparison.EXERCISES,
)
