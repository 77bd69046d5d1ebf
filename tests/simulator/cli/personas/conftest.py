"""The same valid persona file that the loader's tests break, and the group run as the main command does."""

import click
import pytest
from click.testing import CliRunner

from holdfast.core.errors import HoldfastError, InputError
from holdfast.simulator.cli.personas.commands import persona
from tests.personas.conftest import good

__all__ = ["good", "run"]


@pytest.fixture
def run():
    """Run the group as the main command does: (exit code, standard output, standard error)."""

    @click.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def wrapper(arguments):
        try:
            code = persona.main(list(arguments), standalone_mode=False)
        except HoldfastError as error:
            click.echo(str(error), err=True)
            code = 2 if isinstance(error, InputError) else 1
        raise click.exceptions.Exit(code or 0)

    def invoke(*arguments):
        result = CliRunner().invoke(wrapper, list(map(str, arguments)))
        return result.exit_code, result.stdout, result.stderr

    return invoke
