"""A loopback server that sends exactly the bytes it is told to, and a certificate authority."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Peer:
    """The server's end of one connection; `number` counts connections from 0."""

    def __init__(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.number = number
        self._reader = reader
        self._writer = writer

    async def head(self) -> bytes:
        """The header section of the next request.

        Raises:
            asyncio.IncompleteReadError: the client has closed the connection.
        """
        return await self._reader.readuntil(b"\r\n\r\n")

    async def request(self) -> tuple[bytes, bytes]:
        """The header section and body of the next request; raises as `head` does."""
        head = await self.head()
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return head, await self._reader.readexactly(length)

    async def some(self) -> bytes:
        """Whatever comes next."""
        return await self._reader.read(65536)

    def send(self, *data: bytes) -> None:
        """Write at once."""
        self._writer.write(b"".join(data))

    async def sent(self) -> None:
        """Wait until the other side has room for more."""
        await self._writer.drain()

    def half_close(self) -> None:
        """Say that nothing more comes, and go on reading."""
        self._writer.write_eof()

    def reset(self) -> None:
        """Break the connection."""
        self._writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the client has closed its side, whatever it still sends."""
        with suppress(ConnectionError):
            while await self._reader.read(65536):
                pass

    async def is_gone(self, seconds: float) -> bool:
        """Whether the client closes its side within this time, or has."""
        try:
            await asyncio.wait_for(self.gone(), seconds)
        except TimeoutError:
            return False
        return True


Script = Callable[[Peer], Awaitable[None]]


class Server:
    """Where it is, and how many connections it has seen."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connections = 0
        self.failure: BaseException | None = None


@asynccontextmanager
async def serve(
    script: Script, *, tls: ssl.SSLContext | None = None, socket: Path | None = None
) -> AsyncIterator[Server]:
    """Run a script for each connection; its end closes the connection.

    A client that goes away ends a script silently; any other failure of a script is raised here.
    """
    server = Server("")
    running: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        number, server.connections = server.connections, server.connections + 1
        try:
            await script(Peer(number, reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except BaseException as error:  # noqa: BLE001 - told to the test below
            server.failure = error
        finally:
            running.discard(task)
            writer.close()

    if socket is not None:
        listener = await asyncio.start_unix_server(handle, socket)
        server.url = f"http+unix://{quote(str(socket), safe='')}/mcp"
    else:
        listener = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
        port = listener.sockets[0].getsockname()[1]
        server.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/mcp"
    try:
        yield server
    finally:
        listener.close()
        left = list(running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left)
    if server.failure is not None:
        raise server.failure


class Authority:
    """A certificate authority of the test's own; `file` holds its certificate."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.file = directory / f"{name}.pem"
        certificate = self._certificate(self._name, self._key, None)
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def server_context(self, address: str, hours: tuple[int, int] = (-1, 1)) -> ssl.SSLContext:
        """A server's TLS with a certificate for one address, good from then till then."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
        certificate = self._certificate(subject, key, address, hours)
        file = self._directory / f"{address}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _certificate(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        address: str | None,
        hours: tuple[int, int] = (-1, 1),
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        authority = address is None
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(hours=hours[0]))
            .not_valid_after(now + timedelta(hours=hours[1]))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if address is not None:
            names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())
