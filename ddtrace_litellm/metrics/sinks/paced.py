"""A socket that the ``datadog`` client sends its packets through: in a pace that whoever reads them can keep."""

import errno
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

from ddtrace_litellm import masking
from ddtrace_litellm.metrics.sinks.address import Address

PIECE = 1 << 14
"""Bytes between two pauses: a few packets, as each pause may cost the thread a wait for the interpreter lock."""
PAUSE = 0.01
"""Seconds. So Linux' default buffer of a UDP socket, which holds 92 packets, outlasts an Agent that does not read for
80 ms, and of the 10 packets that it queues on a Unix socket most are left to the others who send."""
PATIENCE = 0.5
"""Seconds to wait for room for a packet."""
LARGEST_PACKET = 8192
"""Bytes. The Agent cuts off what is beyond (``dogstatsd_buffer_size``)."""

_TAKES_ITS_TIME = frozenset({errno.EAGAIN, errno.ENOBUFS})


class PacedSocket:
    """One socket to DogStatsD; connects when it has to and again when the Agent was away. Nothing in it raises.

    The client (0.52 to 0.56) by itself never waits, so that of a page most packets are lost, and counts the loss only
    if it also sends metrics about itself. It takes whatever is assigned to its attribute ``socket`` for one, asks that
    for its kind to know how large packets may be, and calls ``send`` with one packet.

    Attributes:
        family: asked for by the client.
        progress: how much of the page the packets up to now are, 0 to 1.
        dropped: how many lines could not be delivered.
        trouble: why the last of them was not, in words.

    Args:
        address: where to send.
        budget: seconds for one page. Where pauses would take more, they are shorter; when it is used up, what does not
            fit at once is lost.
        clock: seconds; for tests.
        sleep: pauses so many seconds.
    """

    def __init__(
        self,
        address: Address,
        budget: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.family = socket.AF_UNIX if address.path else socket.AF_INET
        self.progress = 0.0
        self.dropped = 0
        self.trouble = ""
        self._address, self._budget, self._clock, self._sleep = address, budget, clock, sleep
        self._socket: socket.socket | None = None
        self._began = clock()
        self._away = False
        self._since_pause = 0
        self._before = 0

    def begin(self) -> None:
        """Begin with a page."""
        self._began = self._clock()
        self._away = False
        self.progress = 0.0

    def getsockopt(self, *_option: int) -> int:
        """Return the kind for the client, which need not know of streams."""
        return socket.SOCK_DGRAM

    def settimeout(self, timeout: float | None) -> None:
        """Ignore what the client thinks of it."""

    def close(self) -> None:
        """Close the connection; the next packet opens another."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def send(self, packet: bytes) -> int:
        """Send whole lines, or count them as dropped, then pause where it is time to."""
        for part in _parts(packet):
            lines = part.count(b"\n")
            if not self._delivered(part, lines):
                self.dropped += lines
            self._since_pause += len(part)
            if self._since_pause >= PIECE:
                self._since_pause = 0
                self._pause()
        return len(packet)

    def _pause(self) -> None:
        ahead = self._began + self._budget * self.progress - self._clock()
        if ahead > 0 and not self._away:
            self._sleep(min(PAUSE, ahead))

    def _delivered(self, packet: bytes, lines: int) -> bool:
        if len(packet) > LARGEST_PACKET:
            self.trouble = f"a line has more than the {LARGEST_PACKET} bytes that the Agent reads"
            return False
        if self._away:
            return False
        sent = self._tried(packet)
        if sent is None:  # an Agent that was started again has another socket
            sent = self._tried(packet)
        self._away = sent is None
        if sent:
            self._before = lines
        return bool(sent)

    def _tried(self, packet: bytes) -> bool | None:
        """Return whether it was sent, ``None`` where it may be with another try."""
        try:
            self._send(packet)
        except OSError as error:
            if isinstance(error, TimeoutError) or error.errno in _TAKES_ITS_TIME:
                self.trouble = "it does not read as fast as it is sent to"
                if self._is_stream:
                    self.close()  # what was sent of the packet cannot be taken back
                return False
            self.trouble = masking.system_reason(error)
            if self.family == socket.AF_INET and error.errno == errno.ECONNREFUSED:
                # UDP tells of the packet before that nobody was there for it, and has not sent this one.
                self.dropped += self._before
                self._before = 0
            else:
                self.close()
            return None
        return True

    @property
    def _is_stream(self) -> bool:
        return self._socket is not None and self._socket.type == socket.SOCK_STREAM

    def _send(self, packet: bytes) -> None:
        if self._socket is None:
            self._socket = _connect(self._address)
            self._before = 0
        left = self._began + self._budget - self._clock()
        self._socket.settimeout(max(0.0, min(PATIENCE, left)))
        if self._is_stream:
            self._socket.sendall(struct.pack("<I", len(packet)) + packet)
        else:
            self._socket.send(packet)


def _connect(address: Address) -> socket.socket:
    if not address.path:
        try:
            found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
        except UnicodeError:
            raise OSError(errno.EINVAL, "that is no name of a host") from None
        # The Agent listens on IPv4 only where `localhost` means both.
        family, kind, protocol, _, at = min(found, key=lambda each: each[0] != socket.AF_INET)
        return _connected(socket.socket(family, kind, protocol), at)
    if address.kind == "unix":
        try:
            return _connect(address._replace(kind="unixgram"))
        except OSError as error:
            if error.errno != errno.EPROTOTYPE:
                raise
    kind = socket.SOCK_DGRAM if address.kind == "unixgram" else socket.SOCK_STREAM
    return _connected(socket.socket(socket.AF_UNIX, kind), address.path)


def _connected(unconnected: socket.socket, at: Any) -> socket.socket:
    try:
        unconnected.settimeout(PATIENCE)
        unconnected.connect(at)
    except OSError:
        unconnected.close()
        raise
    return unconnected


def _parts(packet: bytes) -> Iterator[bytes]:
    """Yield the packet's lines, as many at once as the Agent reads: the client counts characters, not bytes."""
    while len(packet) > LARGEST_PACKET:
        end = packet.rfind(b"\n", 0, LARGEST_PACKET) + 1 or packet.find(b"\n") + 1 or len(packet)
        yield packet[:end]
        packet = packet[end:]
    if packet:
        yield packet
