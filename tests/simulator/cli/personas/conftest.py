"""The same valid persona file that the loader's tests break."""

from tests.personas.conftest import good

__all__ = ["good"]
