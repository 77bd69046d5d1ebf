"""Several trainings of one arm: each against every untrained candidate, and their mean with t limits."""

from collections.abc import Mapping, Sequence

from pydantic import Field

from holdfast.core.wording import how_many
from holdfast.simulator.measure.bootstrap import too_few
from holdfast.simulator.measure.estimates import Count, Estimate, Number, ResultsPart
from holdfast.simulator.measure.pairwise import METRICS, PairResults
from holdfast.simulator.measure.replicates import mean_of_trainings


class TrainingsDifference(ResultsPart):
    """An arm that was trained several times, less an untrained candidate, in adherence over the last quarter."""

    arm: str = Field(description="What the study calls the candidate.")
    against: str
    by_training: dict[str, Number] = Field(description="The difference of each training, by its name.")
    difference: Estimate = Field(
        description="Mean over trainings; 95 % limits by t with trainings - 1 degrees of freedom, for another training "
        "before these people; null below two trainings or five people."
    )
    people: Count = Field(description="Fewest people that met any of them and the untrained candidate.")

    @property
    def in_words(self) -> str:
        """As a sentence's part."""
        mean, lo, hi = self.difference.mean, self.difference.lo, self.difference.hi
        why = f" [{self.difference.reason}]" if self.difference.reason else ""
        size = f"{mean:+.2f}{why}" if lo is None else f"{mean:+.2f} [{lo:+.2f}, {hi:+.2f}]"
        each = ", ".join("-" if value is None else f"{value:+.2f}" for value in self.by_training.values())
        trainings = how_many(len(self.by_training), "training")
        return f"{self.arm} less {self.against}, over {trainings}: {size} ({each}){self._few}"

    @property
    def _few(self) -> str:
        return f"; {too_few(self.people)}" if too_few(self.people) else ""


def training_differences(
    pairs: Sequence[PairResults], trainings: Mapping[str, Sequence[str]]
) -> list[TrainingsDifference]:
    """Compare arms that were trained more than once with each untrained candidate.

    ``trainings``: arm -> the candidates that its trainings are.
    """
    differences = []
    for arm, members in trainings.items():
        of_arm = [p for p in pairs if p.a in members and p.metric == METRICS[0] and p.family != "alike"]
        for against in dict.fromkeys(pair.b for pair in of_arm) if len(members) > 1 else ():
            by_training = {pair.a: pair for pair in of_arm if pair.b == against}
            figures = [pair.mean for pair in by_training.values() if pair.mean is not None]
            people = min(pair.people for pair in by_training.values())
            mean = mean_of_trainings(figures)
            differences.append(
                TrainingsDifference(
                    arm=arm,
                    against=against,
                    by_training={name: by_training[name].mean for name in members if name in by_training},
                    difference=Estimate(mean=mean.mean, lo=None, hi=None) if too_few(people) else mean,
                    people=people,
                )
            )
    return differences
