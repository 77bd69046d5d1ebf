"""Connecting to a Ray cluster, or starting one on this machine."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import ray

from holdfast.core.errors import InputError
from holdfast.simulator.on_ray.executor import RayExecutor


@contextmanager
def connected(address: str | None, engines: int | None) -> Iterator[RayExecutor]:
    """A place on the cluster at ``address``; without one, on RAY_ADDRESS's, on the one that runs here, or on a new one.

    ``engines``: actors per model; by default one for each GPU of the cluster, one where it has none.

    :raises InputError: there is no cluster at ``address``, or it is smaller than ``engines``.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere unasked
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    mine = not ray.is_initialized()
    if mine:
        try:
            ray.init(
                address=address,
                include_dashboard=False if address is None else None,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            where = address or os.environ.get("RAY_ADDRESS") or "this machine"
            raise InputError(
                f"no Ray cluster at {where} ({str(error).splitlines()[0][:200]}); start one with "
                "'ray start --head', or leave --address out to use this machine alone"
            ) from error
    try:
        yield _place(engines)
    finally:
        if mine:
            ray.shutdown()


def _place(engines: int | None) -> RayExecutor:
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    gpus, cpus = int(resources.get("GPU", 0)), int(resources.get("CPU", 0))
    if gpus:
        wanted = engines or gpus
        if wanted > gpus:
            raise InputError(f"--ray-models {wanted}: the cluster has {gpus} GPUs, and an engine takes one")
        return RayExecutor(wanted, gpus=1.0, cpus=min(1.0, cpus / wanted))
    wanted = engines or 1
    if wanted > cpus:
        raise InputError(f"--ray-models {wanted}: the cluster has {cpus} CPUs, and an engine takes one")
    return RayExecutor(wanted)
