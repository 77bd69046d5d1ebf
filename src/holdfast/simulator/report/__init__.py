"""One self-contained HTML page from a study's results and episodes: no network, readable without JavaScript."""

from holdfast.simulator.report.page import write_report

__all__ = ["write_report"]
