"""A mail server behind the gate that does exactly as it is told: dead, slow, lying, hanging up."""
import socket
import threading

CLOSE = object()    # instead of a reply: hang up
SILENT = object()   # instead of a reply: say nothing more

EHLO = ("inner.example.net", "PIPELINING", "SIZE 50000000", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8", "DSN")
PATIENCE = 60


def lines_of(code, lines):
    last = len(lines) - 1
    return b"".join(b"%d%s%s\r\n" % (code, b" " if i == last else b"-", line.encode()) for i, line in enumerate(lines))


class Inner:
    """Listens on 127.0.0.1 from `with` on. replies: {verb: reply}, where verb is BANNER, EHLO, MAIL, RCPT, DATA, DOT,
    RSET, NOOP, QUIT or any other, and reply is octets, CLOSE, SILENT, or a function of the command line that returns
    one. lax: a dot between bare LFs ends a message, as it must not. What was taken stands in messages: (sender, [recipient], content); every command line in lines."""

    def __init__(self, replies=None, lmtp=False, port=0, ehlo=EHLO, lax=False):
        self.replies, self.lmtp, self.ehlo, self.lax = dict(replies or {}), lmtp, ehlo, lax
        self.messages, self.lines, self.connections = [], [], 0
        self.changed = threading.Condition()
        self.port = port
        self.sock = None
        self.open = set()

    def __enter__(self):
        self.sock = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.sock,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.down()

    def down(self):
        """Nobody listens any more; who is connected is cut off."""
        if self.sock:
            # close() alone would leave the socket listening while accept() waits in it
            self.sock.shutdown(socket.SHUT_RDWR)
            self.sock.close()
            self.sock = None
        for sock in list(self.open):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.add(sock)
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        try:
            with sock, sock.makefile("rb") as lines:
                sock.settimeout(PATIENCE)
                Talking(self, sock, lines).run()
        except OSError:
            pass
        finally:
            self.open.discard(sock)

    def note(self, line):
        with self.changed:
            self.lines.append(line)
            self.changed.notify_all()

    def take(self, sender, recipients, content):
        with self.changed:
            self.messages.append((sender, recipients, content))
            self.changed.notify_all()

    def wait(self, truth, what, seconds=20):
        """Until truth(self)."""
        with self.changed:
            if not self.changed.wait_for(lambda: truth(self), seconds):
                raise AssertionError(f"the inner server waited {seconds} s for {what}; it heard {self.lines[-10:]}")


class Hangup(Exception):
    pass


class Talking:
    """One connection."""

    def __init__(self, inner, sock, lines):
        self.inner, self.sock, self.lines = inner, sock, lines
        self.sender, self.recipients = "", []

    def reply_to(self, verb, line, otherwise):
        """The reply, as told or as a good server would give it."""
        reply = self.inner.replies.get(verb, otherwise)
        if callable(reply):
            reply = reply(line)
        return otherwise if reply is None else reply

    def send(self, reply):
        if reply is CLOSE:
            raise Hangup
        if reply is SILENT:
            self.sock.settimeout(None)
            while self.sock.recv(65536):
                pass
            raise Hangup
        self.sock.sendall(reply)

    def say(self, verb, line, otherwise):
        """True: it was a positive one."""
        reply = self.reply_to(verb, line, otherwise)
        self.send(reply)
        return reply[:1] in (b"2", b"3")

    def run(self):
        try:
            self.say("BANNER", "", b"220 inner.example.net ESMTP\r\n")
            while True:
                line = self.lines.readline()
                if not line:
                    return
                text = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
                self.inner.note(text)
                self.command(text.partition(" ")[0].upper(), text)
        except Hangup:
            pass

    def command(self, verb, line):
        if verb in ("EHLO", "LHLO"):
            self.say("EHLO", line, lines_of(250, self.inner.ehlo))
        elif verb == "MAIL":
            if self.say(verb, line, b"250 2.1.0 ok\r\n"):
                self.sender, self.recipients = path_of(line), []
        elif verb == "RCPT":
            if self.say(verb, line, b"250 2.1.5 ok\r\n"):
                self.recipients.append(path_of(line))
        elif verb == "DATA":
            if not self.recipients:
                self.sock.sendall(b"554 5.5.1 no recipients\r\n")
            elif self.say(verb, line, b"354 go\r\n"):
                self.content()
        elif verb == "QUIT":
            self.say(verb, line, b"221 2.0.0 bye\r\n")
            raise Hangup
        else:
            self.say(verb, line, b"250 2.0.0 ok\r\n")

    def content(self):
        lines = []
        while True:
            line = self.lines.readline()
            if not line:
                raise Hangup
            begins = self.inner.lax or not lines or lines[-1].endswith(b"\r\n")  # readline() ends a line at a bare LF, too
            if begins and line == b".\r\n":
                break
            lines.append(line[1:] if begins and line.startswith(b".") else line)
        self.inner.note("DOT")
        answers = len(self.recipients) if self.inner.lmtp else 1
        replies = [self.reply_to("DOT", self.recipients[i], b"250 2.0.0 taken\r\n") for i in range(answers)]
        # Before the replies: who has read them may look at once.
        if any(isinstance(reply, bytes) and reply.startswith(b"2") for reply in replies):
            self.inner.take(self.sender, self.recipients, b"".join(lines))
        for reply in replies:
            self.send(reply)


def path_of(line):
    return line.partition("<")[2].partition(">")[0]
