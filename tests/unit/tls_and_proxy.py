# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that tests put between the client and the emulator, or in its place."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time

# Seconds; only a test that fails waits that long.
TIMEOUT = 60


class LoopbackServer:
    """Serves each connection in its own thread; a context manager that stops listening.

    Attributes:
        port: where it listens, on 127.0.0.1.
        received: everything that clients sent, decrypted if this server terminates TLS.
        resets: whether connections end with a reset instead of an end of file.
    """

    def __init__(self) -> None:
        self.received = bytearray()
        self.resets = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._connections: list[threading.Thread] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> LoopbackServer:
        return self

    def __exit__(self, *exception: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def connections(self) -> int:
        """Wait until all connections have ended, and return how many there were.

        Raises TimeoutError if one stays open.
        """
        with self._lock:
            connections = list(self._connections)
        until = time.monotonic() + TIMEOUT
        for connection in connections:
            connection.join(max(0.0, until - time.monotonic()))
            if connection.is_alive():
                raise TimeoutError("a connection is still open")
        return len(connections)

    def serve(self, connection: socket.socket) -> None:
        """Serve one connection; an OSError only ends this one."""
        raise NotImplementedError

    def relay(self, client: socket.socket, server: socket.socket) -> None:
        """Forward everything in both directions until one side closes."""
        other_end = {client: server, server: client}
        try:
            while True:
                readable, dummy, dummy = select.select([client, server], [], [])
                # select does not see bytes that TLS has already decrypted.
                if isinstance(client, ssl.SSLSocket) and client.pending():
                    readable = [client]
                for source in readable:
                    data = source.recv(65536)
                    if not data:
                        return
                    if source is client:
                        self.received += data
                    other_end[source].sendall(data)
        finally:
            if self.resets:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                with self._lock:
                    thread.start()
                    self._connections.append(thread)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.serve(connection)


class TlsTerminator(LoopbackServer):
    """Terminates TLS for the server on `port`, which speaks plain HTTP."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._port = port
        self._context = context
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        with self._context.wrap_socket(connection, server_side=True) as client, connect(
            self._port
        ) as server:
            self.relay(client, server)


class ConnectProxy(LoopbackServer):
    """An HTTP proxy whose tunnels all lead to 127.0.0.1.

    Attributes:
        requests: the method and the target of each request.
        refusal: if set, the status of every response, for instance `502 Bad Gateway`.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.refusal = ""
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = connection.recv(65536)
            if not data:
                return
            head += data
        self.received += head
        method, target = head.decode("latin-1").split(" ")[:2]
        self.requests.append(f"{method} {target}")
        if self.refusal or method != "CONNECT":
            status = self.refusal or "405 Method Not Allowed"
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode("ascii"))
            return
        with connect(int(target.rpartition(":")[2])) as server:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.relay(connection, server)


class SilentServer(LoopbackServer):
    """Reads until the client disconnects, but never responds."""

    def serve(self, connection: socket.socket) -> None:
        while True:
            data = connection.recv(65536)
            if not data:
                return
            self.received += data


class FixedResponseServer(LoopbackServer):
    """Sends the same bytes to every client, and closes the connection."""

    def __init__(self, response: bytes) -> None:
        self._response = response
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        self.received += connection.recv(65536)
        connection.sendall(self._response)


class PairingServer(LoopbackServer):
    """Responds with an empty list, as soon as two requests are waiting for a response."""

    def __init__(self) -> None:
        self._pair = threading.Barrier(2, timeout=TIMEOUT)
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        body = b'{"success": true, "result": []}'
        while connection.recv(65536):
            self._pair.wait()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
