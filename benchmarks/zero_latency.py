"""A chat server that answers at once: HTTP by hand, prebuilt bytes. `zero_latency.py --latency 0.05 --reply cooperate` prints its address.

GET /counts: {"requests", "waiting"}. Nothing is read of a request but its length, so that the client is what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"


def response(body: dict[str, object]) -> bytes:
    """A whole HTTP response."""
    text = json.dumps(body)
    return (HEAD.format(len(text)) + text).encode()


def completion(text: str) -> bytes:
    """The reply to every chat."""
    return response(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "zero",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop", "logprobs": None}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
        }
    )


class Counts:
    """Of all connections."""

    requests = waiting = 0


class Chat(asyncio.Protocol):
    """One connection."""

    def __init__(self, reply: bytes, latency: float, counts: Counts) -> None:
        self.reply, self.latency, self.counts, self.data = reply, latency, counts, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n") + 4) > 3:
            head = self.data[:end].lower()
            at = head.find(b"content-length:")
            end += int(head[at + 15 : head.index(b"\r\n", at)]) if at >= 0 else 0
            if len(self.data) < end:
                return
            self.data = self.data[end:]
            self.counted() if head.startswith(b"get /counts") else self.asked()

    def asked(self) -> None:
        self.counts.requests += 1
        if not self.latency:
            return self.transport.write(self.reply)
        self.counts.waiting += 1
        asyncio.get_running_loop().call_later(self.latency, self.late)

    def late(self) -> None:
        self.counts.waiting -= 1
        self.transport.write(self.reply)

    def counted(self) -> None:
        self.transport.write(response({"requests": self.counts.requests, "waiting": self.counts.waiting}))


async def main(latency: float, reply: str) -> None:
    """Serves until the process ends."""
    counts, text = Counts(), completion(reply)
    server = await asyncio.get_running_loop().create_server(lambda: Chat(text, latency, counts), "127.0.0.1", 0, backlog=2_000)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--latency", type=float, default=0.0)
    arguments.add_argument("--reply", default="cooperate")
    given = arguments.parse_args()
    asyncio.run(main(given.latency, given.reply))
