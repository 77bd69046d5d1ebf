"""Does it hold? Three tests, each one-sided at 5 %; a candidate holds where all three are passed.

1. *change*: adherence in the last quarter less that in the first, within a conversation, lies within a margin: two
   one-sided tests (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987), for "it fell by the margin
   or more" and "it rose by the margin or more". "Not significantly worse" does not show that.
2. *level*: adherence in the last quarter lies above a level. What never was good does not hold by staying bad.
3. *base*: adherence in the last quarter is not worse than the baseline's, before the same users, but for a margin.

Limits are those of :mod:`~holdfast.simulator.measure.clustered`. A test is *passed* where the limit lies on the good
side of what the study wrote down beforehand, *failed* where the opposite limit lies on the bad side, else *open*. All
three must be passed, so "holds" is said wrongly in at most 5 % (an intersection-union test: Berger, Technometrics 24,
1982). One failed test makes "does not hold"; each fails wrongly in at most 5 %.

Where everyone has the same value there are no limits, and a test is one of signs: n people lie on one side of a bound
by chance in .5^n, 3 % of five. It speaks of the person in the middle instead of the mean.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from holdfast.simulator.config.holding import HoldingTerms
from holdfast.simulator.measure.arrays import Floats, Ints
from holdfast.simulator.measure.bootstrap import too_few
from holdfast.simulator.measure.clustered import ClusteredMean
from holdfast.simulator.measure.estimates import Count, Estimate, Number, ResultsPart

TestName = Literal["change", "level", "base"]
TestOutcome = Literal["passed", "failed", "open", "untested", "is the baseline"]
HoldingVerdict = Literal["holds", "does not hold", "cannot be told"]
NOT_KNOWN = Estimate(mean=None, lo=None, hi=None)
Course = Literal["steady", "falls", "rises", "no change is shown", "untested"]


class HoldingTest(ResultsPart):
    """One of the three tests: the mean over conversations, its two one-sided 95 % limits, and what it must lie in."""

    test: TestName
    mean: Number
    lo: Number = Field(
        description="One-sided 95 % limit by Student's t, clustered by persona; null below five people, or all alike."
    )
    hi: Number = Field(description="The same from above; lo and hi together are a 90 % interval.")
    reason: str = Field(
        default="", description="That all people are alike, so that signs decide without limits; else empty."
    )
    above: float = Field(description="Passed only where lo is above this.")
    below: Number = Field(description="Passed only where hi is below this; null: no limit from above.")
    outcome: TestOutcome = Field(
        description="passed; failed: the limits, or all people where they are alike, lie beyond the bound altogether; "
        "open: neither is shown; untested: too few people, or nothing to test."
    )
    n: Count = Field(description="Conversations.")
    people: Count

    @property
    def estimate(self) -> Estimate:
        """The mean with both limits."""
        return Estimate(mean=self.mean, lo=self.lo, hi=self.hi, reason=self.reason)

    @property
    def ends(self) -> tuple[float, float] | None:
        """What is held against the bounds: the limits, the value twice where everyone has it; None where untested."""
        lo, hi = (self.mean, self.mean) if self.reason else (self.lo, self.hi)
        return None if lo is None or hi is None else (lo, hi)

    @property
    def in_words(self) -> str:
        """What the test says, as part of a sentence whose subject is the candidate."""
        if self.outcome == "untested":
            return untested(self)
        size = f"{abs(self.above):.2f}"
        fell = self.mean is not None and self.mean < self.above
        words: dict[TestName, dict[str, str]] = {
            "change": {
                "passed": f"moves by less than {size}",
                "failed": f"{'falls' if fell else 'rises'} by more than {size}",
                "open": f"may move by {size} or more",
            },
            "level": {
                "passed": f"ends above {size}",
                "failed": f"ends below {size}",
                "open": f"is not shown to end above {size}",
            },
            "base": {
                "passed": f"ends no more than {size} below the baseline",
                "failed": f"ends more than {size} below the baseline",
                "open": f"may end {size} or more below the baseline",
                "is the baseline": "is the baseline",
            },
        }
        return words[self.test][self.outcome]


class HoldsResults(ResultsPart):
    """Whether a candidate holds: all three tests passed; one failed: it does not hold; else it cannot be told."""

    verdict: HoldingVerdict
    course: Course = Field(
        description="steady: the change is shown to lie within the margin; falls, rises: else, and the limits of the "
        "change lie on one side of 0, and those of retention on the same side of 1. Whatever speaks of a fall rests on "
        "this."
    )
    change: HoldingTest
    level: HoldingTest
    base: HoldingTest
    note: str = Field(description="Why there is no verdict, or how many conversations it leaves out; or empty.")

    @property
    def tests(self) -> tuple[HoldingTest, ...]:
        """The three, in their order."""
        return (self.change, self.level, self.base)

    @property
    def why(self) -> str:
        """The tests that were not passed, in words; all three where it holds."""
        if few := untested(self.change):
            return few
        worst = {"holds": ("passed",), "does not hold": ("failed",), "cannot be told": ("open", "untested")}
        return ", ".join(test.in_words for test in self.tests if test.outcome in worst[self.verdict])


def holds(
    first: Floats,
    last: Floats,
    codes: Ints,
    terms: HoldingTerms,
    beside_base: ClusteredMean | None,
    *,
    retention: Estimate = NOT_KNOWN,
    shown_below_base: bool = True,
) -> HoldsResults:
    """Test a candidate.

    Args:
        first, last: Adherence in the first and the last quarter of each conversation, nan where there is none.
        codes: The persona of each conversation.
        beside_base: The last quarter less the baseline's; None for the baseline itself.
        retention: Last over first quarter: the page gives its limits beside the course, which must not contradict them.
        shown_below_base: Whether the comparison of the two candidates shows this one to adhere less. Without it the
            third test cannot fail: two figures of one page would contradict each other.
    """
    change = _test("change", ClusteredMean.of(last - first, codes), -terms.margin, terms.margin)
    level = _test("level", ClusteredMean.of(last, codes), terms.level)
    base = _test("base", beside_base or ClusteredMean(0.0, 0.0, 0, 0), -terms.below_base)
    if beside_base is None:
        base = base.model_copy(update={"outcome": "is the baseline", "lo": None, "hi": None})
    elif base.outcome == "failed" and not shown_below_base:
        base = base.model_copy(update={"outcome": "open"})
    outcomes = {test.outcome for test in (change, level, base)}
    verdict: HoldingVerdict = "cannot be told"
    if "failed" in outcomes:
        verdict = "does not hold"
    elif outcomes <= {"passed", "is the baseline"}:
        verdict = "holds"
    short = len(last) - change.n
    note = f"{short} of {len(last)} conversations did not reach the last quarter and are left out" if short else ""
    return HoldsResults(
        verdict=verdict,
        course=course_of(change, retention),
        change=change,
        level=level,
        base=base,
        note=untested(change) or note,
    )


def untested(test: HoldingTest) -> str:
    """Say why nothing is tested: ``"2 people: cannot be tested"``; "" where it is."""
    if test.n == 0:
        return f"{test.test}: no conversation to be tested"
    return too_few(test.people)


def course_of(change: HoldingTest, retention: Estimate) -> Course:
    """Say where adherence goes, in the one word that every section uses. Without limits ``retention`` says nothing."""
    if change.ends is None:
        return "untested"
    if change.outcome == "passed":
        return "steady"
    (lo, hi), sure, kept = change.ends, change.outcome == "failed", retention
    if hi < 0 and (sure or kept.hi is None or kept.hi < 1):
        return "falls"
    if lo > 0 and (sure or kept.lo is None or kept.lo > 1):
        return "rises"
    return "no change is shown"


def _test(name: TestName, mean: ClusteredMean, above: float, below: float | None = None) -> HoldingTest:
    lo, hi = mean.limits()
    test = HoldingTest(
        test=name,
        mean=mean.mean,
        lo=lo,
        hi=hi,
        reason=mean.reason,
        above=above,
        below=below,
        outcome="untested",
        n=mean.n,
        people=mean.people,
    )
    return test if test.ends is None else test.model_copy(update={"outcome": _outcome(*test.ends, above, below)})


def _outcome(lo: float, hi: float, above: float, below: float | None) -> TestOutcome:
    if lo > above and (below is None or hi < below):
        return "passed"
    return "failed" if hi < above or (below is not None and lo > below) else "open"
