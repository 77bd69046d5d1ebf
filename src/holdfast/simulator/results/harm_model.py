"""What a results file says of a task in which a candidate adheres less than the baseline."""

from pydantic import Field

from holdfast.simulator.measure.bootstrap import too_few
from holdfast.simulator.measure.estimates import Count, Estimate, ResultsPart
from holdfast.simulator.measure.pairwise import ALPHA, by_signs


class TaskHarm(ResultsPart):
    """A candidate that adheres less than the baseline in one task, before the same users."""

    candidate: str
    task: str
    difference: Estimate = Field(description="Mean adherence, candidate - baseline; limits null below five people.")
    people: Count

    @property
    def shown(self) -> bool:
        """Whether the limits lie below 0; where all differ alike, whether sign flips say so."""
        if self.difference.reason:
            return by_signs(self.people) < ALPHA
        return self.difference.hi is not None and self.difference.hi < 0

    @property
    def untested(self) -> str:
        """``"2 people: cannot be tested"``, or empty."""
        return too_few(self.people)

    @property
    def in_words(self) -> str:
        """As a sentence's part."""
        lost = f"{self.candidate} in {self.task} {self.difference.mean:.2f}"
        if self.difference.reason:
            return f"{lost} [{self.difference.reason}]"
        return f"{lost} [{self.difference.lo:.2f}, {self.difference.hi:.2f}]" if self.difference.bounded else lost
