"""The record of a learner's work, on their own machine: what was checked, what it said, and a page to keep."""

from vae_helpers.exercises.record.capstones import Capstone, capstone
from vae_helpers.exercises.record.notes import keep_record, note
from vae_helpers.exercises.record.summary import Progress, progress

__all__ = ["Capstone", "Progress", "capstone", "keep_record", "note", "progress"]
