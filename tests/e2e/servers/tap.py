"""Stands before a server and writes down what its client sends: `tap.py DIARY http PORT THEIRS` listens,
`tap.py DIARY stdio PROGRAM…` starts it. The answers pass unseen. Needs nothing but the interpreter.
"""

import asyncio
import os
import subprocess
import sys

DIARY = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
CHUNK = 1 << 20


def stdio(command: list[str]) -> int:
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        pipe = process.stdin.fileno()
        while data := os.read(0, CHUNK):
            os.write(DIARY, data)
            while data:
                data = data[os.write(pipe, data) :]
        process.stdin.close()
        return process.wait()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, diary: int) -> None:
    try:
        while data := await reader.read(CHUNK):
            if diary:
                os.write(diary, data)
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # either side may go away
    finally:
        writer.close()


async def http(port: int, target: int) -> None:
    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(pump(reader, ours, DIARY), pump(theirs, writer, 0))

    server = await asyncio.start_server(relay, "127.0.0.1", port)
    await server.serve_forever()


if sys.argv[2] == "http":
    asyncio.run(http(int(sys.argv[3]), int(sys.argv[4])))
else:
    sys.exit(stdio(sys.argv[3:]))
