"""The mechanism of a check: an answer is run on probes, and compared with the right one and with known mistakes."""

from vae_helpers.exercises.engine.exercise import Answer, Exercise, Mistake
from vae_helpers.exercises.engine.probes import NotATensorError, NotAttemptedError, WrongShapeError, result_of, run
from vae_helpers.exercises.engine.verdict import Verdict, agree, examine

__all__ = [
    "Answer",
    "Exercise",
    "Mistake",
    "NotATensorError",
    "NotAttemptedError",
    "Verdict",
    "WrongShapeError",
    "agree",
    "examine",
    "result_of",
    "run",
]
