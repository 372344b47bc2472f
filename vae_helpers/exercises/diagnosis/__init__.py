"""``diagnose_vae``: a spy on somebody's model, probes of its loss, and findings in plain words."""

from vae_helpers.exercises.diagnosis.diagnose import diagnose_vae
from vae_helpers.exercises.diagnosis.images import share_of_twins
from vae_helpers.exercises.diagnosis.report import Diagnosis, Finding

__all__ = [
    "Diagnosis",
    "Finding",
    "diagnose_vae",
    "share_of_twins",
]
