"""The gate stops hardly any reply of people."""

import pytest

from holdfast.core.errors import HoldfastError
from holdfast.simulator.validation.folder import data_folder
from tests.agents.raters.gate.stop_rates import EPITOME, epitome, stopped

MOST = 0.02


@pytest.mark.parametrize("chosen", [True, False])
def test_at_most_two_in_a_hundred_replies_of_people_are_stopped(chosen: bool) -> None:
    try:
        data = data_folder(None)
    except HoldfastError as error:
        pytest.skip(str(error))
    if not (data / EPITOME).is_file():
        pytest.skip(f"{data / EPITOME} is absent")
    total, reasons = stopped(epitome(data, chosen=chosen))
    assert total > 900
    assert reasons.total() <= MOST * total
