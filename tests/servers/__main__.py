"""``python tests/launch.py tests.servers``: the scripted server as a process of its own, until it is killed.

Prints its base URL on the first line.
"""

from __future__ import annotations

import asyncio

import click

from tests.servers.faults import Faults
from tests.servers.openai_server import ScriptedServer


@click.command()
@click.option("--port", default=0, help="0: any that is free.")
@click.option("--fault-rate", default=0.0, help="Share of requests that meet a fault.")
@click.option("--seed", default=0, help="Which requests meet which fault.")
@click.option("--latency", default=0.0, help="Seconds before each answer.")
@click.option("--patience", default=3.0, help="Seconds that a timeout lasts.")
def main(port: int, fault_rate: float, seed: int, latency: float, patience: float) -> None:
    """Serve until killed."""
    server = ScriptedServer(Faults(fault_rate, seed), latency_s=latency, patience_s=patience, port=port)
    asyncio.run(_forever(server))


async def _forever(server: ScriptedServer) -> None:
    async with server:
        click.echo(server.base_url)
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
