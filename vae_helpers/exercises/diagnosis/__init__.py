"""``diagnose_vae``: a spy on somebody's model, probes of its loss, and findings in plain words."""

from vae_helpers.exercises.diagnosis.blind import BlindRound, blind_round
from vae_helpers.exercises.diagnosis.diagnose import diagnose_vae
from vae_helpers.exercises.diagnosis.images import share_of_twins
from vae_helpers.exercises.diagnosis.report import Diagnosis, Finding, Question

__all__ = [
    "BlindRound",
    "Diagnosis",
    "Finding",
    "Question",
    "blind_round",
    "diagnose_vae",
    "share_of_twins",
]
