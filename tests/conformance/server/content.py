"""The blocks that tools and prompts answer with."""

from __future__ import annotations

import base64
import io
import struct
import wave
import zlib
from typing import Any

Block = dict[str, Any]


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png() -> bytes:
    """One red pixel (PNG, ISO/IEC 15948)."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0\xff\0\0")
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", pixel), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def wav() -> bytes:
    """Eight samples of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(b"\x80" * 8)
    return file.getvalue()


def base64_text(data: bytes) -> str:
    """Bytes as a `data` or `blob` field holds them."""
    return base64.b64encode(data).decode()


def text(said: str) -> Block:
    """A text block."""
    return {"type": "text", "text": said}


def image() -> Block:
    """An image block."""
    return {"type": "image", "data": base64_text(png()), "mimeType": "image/png"}


def audio() -> Block:
    """An audio block."""
    return {"type": "audio", "data": base64_text(wav()), "mimeType": "audio/wav"}


def embedded(uri: str, kind: str, said: str) -> Block:
    """A resource within the answer."""
    return {"type": "resource", "resource": {"uri": uri, "mimeType": kind, "text": said}}


def answer(*blocks: Block, failed: bool = False) -> dict[str, Any]:
    """A tool's result."""
    return {"content": list(blocks), **({"isError": True} if failed else {})}
