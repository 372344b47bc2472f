"""What ``diagnose_vae`` reports: findings, questions, what was looked at, and what couldn't be."""

import textwrap
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that looks wrong. kind: a short name, for programs."""

    kind: str
    seen: str
    cause: str = ""
    check: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.seen, self.cause, self.check) if part)


class Question(Finding):
    """One thing that may be meant: a weight, another prior, no better than one picture."""


@dataclass(frozen=True)
class Diagnosis:
    """What ``diagnose_vae`` has to say; shown at the end of a cell. Finding nothing is no proof that nothing is wrong.

    findings: what is wrong: what was seen, what probably causes it, how to check. questions: what may be meant (a
    weight, another prior), with its number. looked_at, not_seen: which probes ran, and which couldn't, and why.
    """

    findings: tuple[Finding, ...]
    questions: tuple[Finding, ...] = ()
    looked_at: tuple[str, ...] = ()
    not_seen: tuple[str, ...] = ()

    def __repr__(self) -> str:
        found = [f"✗ {finding}" for finding in self.findings]
        if not found:
            what = "Nothing found" if not self.questions else "No finding, but something to answer"
            found = [f"○ {what}. That is no proof: these probes know the frequent mistakes only."]
        lines = [*found, *(f"? Deliberate? {question}" for question in self.questions)]
        lines += [f"Looked at: {', '.join(self.looked_at) or 'nothing'}."]
        lines += [f"Not looked at: {reason}" for reason in self.not_seen]
        return "\n".join(textwrap.fill(line, 88, subsequent_indent="  ") for line in lines)


class Notes:
    """The report while it is being written."""

    def __init__(self) -> None:
        self.findings, self.questions, self.looked_at, self.not_seen = [], [], [], []

    def say(self, *said: Finding) -> None:
        """Note what is wrong, and what may be; of one kind once."""
        for one in said:
            if not self.has(one.kind):
                (self.questions if isinstance(one, Question) else self.findings).append(one)

    def look(self, *what: str) -> None:
        """Note what has been looked at."""
        self.looked_at += what

    def skip(self, reason: str) -> None:
        """Note what couldn't be looked at, and why."""
        self.not_seen.append(reason)

    def has(self, *kinds: str) -> bool:
        """Whether something of one of these kinds has been said."""
        return any(said.kind in kinds for said in (*self.findings, *self.questions))

    def report(self) -> Diagnosis:
        """The report, finished."""
        lists = (self.findings, self.questions, dict.fromkeys(self.looked_at), dict.fromkeys(self.not_seen))
        return Diagnosis(*map(tuple, lists))
