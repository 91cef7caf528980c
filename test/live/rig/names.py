"""A name server on loopback that knows what a test tells it; all else does not exist."""
import socket
import struct
import threading

A, PTR, MX, TXT, AAAA = 1, 12, 15, 16, 28
NO_SUCH_NAME = 3


def wire_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def wire_data(kind, value):
    if kind == A:
        return socket.inet_aton(value)
    if kind == AAAA:
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == MX:
        return struct.pack("!H", 10) + wire_name(value)
    if kind == TXT:
        return bytes([len(value)]) + value.encode()
    return wire_name(value)


def reverse(address):
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


class Names:
    """Answers by UDP from `records`, {(name, kind): [value, ...]}, in a thread of its own, while used with `with`."""

    def __init__(self, records=None):
        self.records = dict(records or {})
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def host(self, name, address):
        """A host whose name and address confirm each other, and that takes its own mail."""
        self.records.update({(name, A): [address], (reverse(address), PTR): [name], (name, MX): [name]})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.sock.sendto(b"", ("127.0.0.1", self.port))  # the empty query ends the thread
        self.thread.join()
        self.sock.close()

    def serve(self):
        while True:
            query, client = self.sock.recvfrom(4096)
            if not query:
                return
            self.sock.sendto(self.answer(query), client)

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
            at += 1 + query[at]
        kind, = struct.unpack_from("!H", query, at + 1)
        name = ".".join(labels)
        values = self.records.get((name, kind), [])
        exists = any(known == name for known, _ in self.records)
        flags = 0x8580 | (0 if exists else NO_SUCH_NAME)
        head = query[:2] + struct.pack("!5H", flags, 1, len(values), 0, 0) + query[12:at + 5]
        for value in values:
            data = wire_data(kind, value)
            head += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data
        return head
