"""What was found out about an answer: how it differs from the right one, as data and in a sentence."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Relation:
    """How an answer differs from the right one, as data. place: which step; factor: by how much, or what instead."""

    kind: str
    place: str = ""
    factor: str = ""


@dataclass(frozen=True)
class Finding:
    """One mistake: its relation, and the sentence that tells the learner, with what follows from it."""

    relation: Relation
    says: str
