"""The ``datadog`` client, in a pace that whoever reads can keep, and with what it loses counted."""

import errno
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence

from datadog.dogstatsd.base import DogStatsd

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


class PacedClient(DogStatsd):  # type: ignore[misc]  # where datadog carries no types
    """One connection to DogStatsD; connects when it has to and again when the Agent was away. No sending raises.

    By itself the client (0.52 to 0.56) neither pauses nor tries again, so that most packets of a page are lost. It
    counts that only if it also sends metrics about itself, and logs a warning for each packet.

    Attributes:
        progress: how much of the page the packets up to now are, 0 to 1.
        dropped: how many lines could not be delivered.
        trouble: why the last of them was not, in words.

    Args:
        to: where to send.
        tags: of everything.
        budget: seconds for one page. Where pauses would take more, they are shorter; when it is used up, what does not
            fit at once is lost.
        clock: seconds; for tests.
        sleep: pauses so many seconds.
    """

    def __init__(
        self,
        to: Address,
        tags: Sequence[str] = (),
        *,
        budget: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        # Without an interval the client has no thread that flushes. Tracked, its hooks (0.52) would hold back a fork of
        # the user's process for as long as a packet and the pause after it take.
        super().__init__(
            host=to.host,
            port=to.port,
            max_buffer_len=LARGEST_PACKET if to.is_local else 0,
            constant_tags=[*tags],
            disable_aggregation=True,
            disable_buffering=False,
            flush_interval=0,
            disable_telemetry=True,
            track_instance=False,
            socket_timeout=PATIENCE,
        )
        # Once more, as the variables count before the arguments in 0.52. Without those, 0.56 logs what it cannot read.
        self.host, self.port = to.host, to.port
        self.socket_path = f"{to.kind}://{to.path}" if to.path else None
        self.progress = 0.0
        self.dropped = 0
        self.trouble = ""
        self._budget, self._clock, self._sleep = budget, clock, sleep
        self._began = clock()
        self._away = False
        self._since_pause = 0
        self._before = 0

    def begin(self) -> None:
        """Begin with a page."""
        self._began = self._clock()
        self._away = False
        self.progress = 0.0

    def _xmit_packet(self, packet: str, *_arguments: object, **_options: object) -> bool:
        """Send whole lines, or count them as dropped, then pause where it is time to."""
        for part in _parts(packet.encode()):
            lines = part.count(b"\n")
            if not self._delivered(part, lines):
                self.dropped += lines
            self._since_pause += len(part)
            if self._since_pause >= PIECE:
                self._since_pause = 0
                self._pause()
        return True

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
            self._transmit(packet)
        except UnicodeError:
            self.trouble = "that is no name of a host"
            return None
        except OSError as error:
            if isinstance(error, TimeoutError) or error.errno in _TAKES_ITS_TIME:
                self.trouble = "it does not read as fast as it is sent to"
                if self.socket is not None and self.socket.type == socket.SOCK_STREAM:
                    self.close_socket()  # what was sent of the packet cannot be taken back
                return False
            self.trouble = masking.system_reason(error)
            if self.socket_path is None and error.errno == errno.ECONNREFUSED:
                # UDP tells of the packet before that nobody was there for it, and has not sent this one.
                self.dropped += self._before
                self._before = 0
            else:
                self.close_socket()
            return None
        return True

    def _transmit(self, packet: bytes) -> None:
        if self.socket is None:
            self._before = 0
        connection = self.get_socket()
        left = self._began + self._budget - self._clock()
        connection.settimeout(max(0.0, min(PATIENCE, left)))
        if connection.type == socket.SOCK_STREAM:
            connection.sendall(struct.pack("<I", len(packet)) + packet)
        else:
            connection.send(packet)


def _parts(packet: bytes) -> Iterator[bytes]:
    """Yield the packet's lines, as many at once as the Agent reads: the client counts characters, not bytes."""
    while len(packet) > LARGEST_PACKET:
        end = packet.rfind(b"\n", 0, LARGEST_PACKET) + 1 or packet.find(b"\n") + 1 or len(packet)
        yield packet[:end]
        packet = packet[end:]
    if packet:
        yield packet
