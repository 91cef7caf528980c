"""A plain SMTP client that sends exactly the octets it is given."""
import socket
import ssl
import time

SECONDS = 20


class TalkError(Exception):
    """The server closed, was silent, or gave another reply than was expected."""


class Talk:
    """A connection. Replies are (code, [line, ...]) without codes; octets are sent as they are."""

    def __init__(self, address, greet=True, seconds=SECONDS, helo="client.example", source=None):
        self.seconds = seconds
        self.kept = b""
        self.helo = helo
        self.log = []
        self.sock = socket.create_connection(address, timeout=seconds, source_address=(source, 0) if source else None)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if greet:
            self.want(220)
            self.command(f"EHLO {helo}", 250)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, octets):
        self.log.append(f"> {octets[:200]!r}")
        self.sock.sendall(octets)

    def reset(self):
        """Ends the connection by RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def line(self, seconds=None):
        """The next line without its end, or None when the server has closed."""
        end = time.monotonic() + (seconds or self.seconds)
        while b"\n" not in self.kept:
            left = end - time.monotonic()
            if left <= 0:
                raise TalkError("the server is silent\n" + self.dialogue())
            self.sock.settimeout(left)
            try:
                got = self.sock.recv(65536)
            except TimeoutError:
                raise TalkError("the server is silent\n" + self.dialogue()) from None
            except ConnectionError:
                return None
            if not got:
                return None
            self.kept += got
        line, _, self.kept = self.kept.partition(b"\n")
        self.log.append(f"< {line!r}")
        return line.rstrip(b"\r").decode("utf-8", "surrogateescape")

    def reply(self, seconds=None):
        """The next reply, or None when the server has closed."""
        lines = []
        while True:
            line = self.line(seconds)
            if line is None:
                if lines:
                    raise TalkError("the server closed within a reply\n" + self.dialogue())
                return None
            lines.append(line[4:])
            if line[3:4] != "-":
                return int(line[:3]), lines

    def want(self, *codes, seconds=None):
        """The next reply, which must have one of the codes."""
        reply = self.reply(seconds)
        if reply is None or reply[0] not in codes:
            raise TalkError(f"wanted {codes}, got {reply}\n" + self.dialogue())
        return reply

    def command(self, text, *codes):
        octets = text if isinstance(text, bytes) else text.encode()
        self.send(octets + b"\r\n")
        return self.want(*codes) if codes else self.reply()

    def starttls(self, context=None):
        self.command("STARTTLS", 220)
        if context is None:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock, server_hostname="mx.example.org")
        self.command(f"EHLO {self.helo}", 250)

    def envelope(self, sender, recipients, parameters=""):
        self.command(f"MAIL FROM:<{sender}>{parameters}", 250)
        for recipient in recipients:
            self.command(f"RCPT TO:<{recipient}>", 250)

    def data(self, content, *codes, seconds=None):
        """DATA, the content (with CRLF line ends) dot-stuffed, and the reply to it."""
        self.command("DATA", 354)
        stuffed = content.replace(b"\r\n.", b"\r\n..")
        self.send((b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n")
        return self.want(*codes, seconds=seconds) if codes else self.reply(seconds)

    def mail(self, sender, recipients, content):
        """A whole transaction; the reply to the message, which must be 250."""
        self.envelope(sender, recipients)
        return self.data(content, 250)

    def quit(self):
        self.command("QUIT", 221)
        self.close()

    def dialogue(self):
        return "\n".join(self.log[-30:])
