"""What the server needs of uvicorn, beyond what uvicorn promises."""

import ast
import inspect
from pathlib import Path

import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from entroscope.api import server


def test_nothing_private_is_imported_from_another_package() -> None:
    package = Path(server.__file__).parents[1]
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
                private = [name for name in names if name.startswith("_") and name[:2] != "__"]
                assert private == [], f"{path}:{node.lineno}"


@pytest.mark.parametrize("attribute", ["writable", "loop", "transport"])
def test_a_socket_of_uvicorn_has_what_closing_a_stuck_viewer_needs(attribute: str) -> None:
    # ViewerSocket.send sets `writable` and lets `loop` cut `transport`; a uvicorn that names
    # them otherwise must not be started with.
    source = inspect.getsource(WebSocketsSansIOProtocol)
    assert f"self.{attribute}" in source
    assert "async def send(" in source
