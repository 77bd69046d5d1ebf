"""Connecting to a Ray cluster, or starting one on this machine."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import ray

from holdfast.core.errors import HoldfastError, InputError
from holdfast.core.wording import first_line, how_many
from holdfast.simulator.on_ray.executor import RayExecutor


@contextmanager
def ray_executor(address: str | None = None, engines: int | None = None) -> Iterator[RayExecutor]:
    """Connect to the cluster at ``address``; without one, to RAY_ADDRESS's, to the one that runs here, or to a new one.

    ``engines``: actors per model; by default one for each GPU of the cluster, one where it has none.

    Raises:
        InputError: There is no cluster at ``address``, or it is smaller than ``engines``.
        HoldfastError: Ray could not start on this machine.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere unasked
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    connect = not ray.is_initialized()
    if connect:
        try:
            ray.init(
                address=address,
                include_dashboard=False if address is None else None,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except Exception as error:  # Ray raises any kind, a bare Exception where its parts are slow to start
            raise _no_cluster(address or os.environ.get("RAY_ADDRESS"), error) from error
    try:
        yield _executor(engines)
    finally:
        if connect:
            ray.shutdown()


def _no_cluster(address: str | None, error: Exception) -> HoldfastError:
    gist = first_line(error)[:200]
    if address:
        return InputError(
            f"no Ray cluster at {address} ({gist}); start one with 'ray start --head', or leave --address out (and "
            "RAY_ADDRESS unset) to use this machine alone"
        )
    return HoldfastError(
        f"Ray did not start on this machine ({gist}); try again when the machine is less busy, start Ray yourself with "
        "'ray start --head', or leave --on ray out: the transcripts are the same"
    )


def _executor(engines: int | None) -> RayExecutor:
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    gpus, cpus = int(resources.get("GPU", 0)), int(resources.get("CPU", 0))
    engines = engines or gpus or 1
    if engines > (gpus or cpus):
        there = how_many(gpus, "GPU") if gpus else how_many(cpus, "CPU")
        raise InputError(f"--ray-models {engines}: the cluster has {there}, and an engine takes one")
    return RayExecutor(engines, gpus=1.0, cpus=min(1.0, cpus / engines)) if gpus else RayExecutor(engines)
