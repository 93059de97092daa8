"""fakeredis' TCP server as a program, for machines without Redis: prints its port, keeps nothing.

Three repairs of its connections: an answer larger than the socket's buffer failed, a large request
took time quadratic in its line ends, and every pipeline waited 40 ms for Nagle's algorithm.
"""

import select
import socket
from typing import Any

from fakeredis import TcpFakeServer

CHUNK_BYTES = 2**20
PATIENCE_S = 60.0


class _Chunks:
    """What is there to read, in large pieces; nothing where there is nothing or no peer."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def readline(self) -> bytes:
        try:
            return self._connection.recv(CHUNK_BYTES)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        """The connection is closed by its owner."""


class _Patient:
    """Writes all of an answer, waiting for a slow reader."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._connection.send(rest) :]
            except BlockingIOError:
                if not select.select([], [self._connection], [], PATIENCE_S)[1]:
                    raise ConnectionAbortedError("the client does not read") from None

    def flush(self) -> None:
        """Nothing is held back."""


def make_server(port: int = 0) -> TcpFakeServer:
    """Return a server on a loopback port, ready for `serve_forever`."""
    server = TcpFakeServer(("127.0.0.1", port), server_version=(6, 2))
    base: Any = server.RequestHandlerClass

    class Handler(base):  # type: ignore[misc]
        rfile: Any
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            self.rfile.close()
            self.rfile = _Chunks(self.connection)
            self.writer.writer = _Patient(self.connection)

    server.RequestHandlerClass = Handler
    return server


def main() -> None:
    """Serve until the process is ended."""
    server = make_server()
    print(server.server_address[1], flush=True)
    server.serve_forever(poll_interval=5)


if __name__ == "__main__":
    main()
