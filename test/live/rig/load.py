"""Many clients at once, each message with a number, and the count of what became of them."""
import os
import random
import re
import threading
import time

from .mail import bodies_same, message
from .talk import Talk, TalkError
from .wait import TICK

NUMBER = re.compile(rb"^Subject: number (\d+)\r?$", re.M)
LARGE_EACH = 23           # each so many messages one is large: it has a file of its own in the spool
LARGE_OCTETS = 150_000
A_CONNECTION = 12         # messages


def numbered(number, recipient):
    """The message of that number: its size and octets follow from the number."""
    source = random.Random(number)
    octets = LARGE_OCTETS if number % LARGE_EACH == 0 else source.randrange(10, 4000)
    body = b"\r\n".join(b".%d." % number + b"x" * 60 for _ in range(octets // 66 + 1)) + b"\r\n"
    return message(f"number {number}", body, to=recipient)


class Load:
    """Clients that send without end to the recipients in turn, and never send a message twice."""

    def __init__(self, gate, recipients, clients=8, rude=0.0):
        self.gate, self.recipients, self.clients, self.rude = gate, recipients, clients, rude
        self.lock = threading.Lock()
        self.next = 0
        self.accepted, self.open = set(), set()   # numbers with a 250; begun, and no 250
        self.recipient_of = {}
        self.copies = {}                          # how many have arrived, by number
        self.refusals = {}
        self.stopping = False
        self.threads = [threading.Thread(target=self.client, args=(seat,), daemon=True) for seat in range(clients)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(60)
            if thread.is_alive():
                raise AssertionError("a client of the load does not end")

    def take(self):
        with self.lock:
            self.next += 1
            number = self.next
            recipient = self.recipient_of[number] = self.recipients[number % len(self.recipients)]
            self.open.add(number)
        return number, recipient

    def client(self, seat):
        source = random.Random(seat)
        while not self.stopping:
            try:
                with Talk(self.gate.address(), seconds=90) as talk:
                    for _ in range(A_CONNECTION):
                        if self.stopping:
                            break
                        self.one(talk, source)
                    talk.quit()
            except (OSError, TalkError, ValueError):
                time.sleep(TICK)  # the daemon is away: that is the test's doing

    def one(self, talk, source):
        number, recipient = self.take()
        content = numbered(number, recipient)
        for line in (f"MAIL FROM:<sender@client.example> SIZE={len(content)}", f"RCPT TO:<{recipient}>"):
            reply = talk.command(line)
            if reply is None or reply[0] != 250:
                self.refused(reply)
                raise TalkError(str(reply))
        if source.random() < self.rude:
            talk.command("DATA", 354)
            talk.send(content[:source.randrange(len(content))])
            talk.reset()
            raise TalkError("rude on purpose")
        reply = talk.data(content)
        if reply is None:
            raise TalkError("closed")
        if reply[0] == 250:
            with self.lock:
                self.accepted.add(number)
                self.open.discard(number)
        else:
            self.refused(reply)

    def refused(self, reply):
        with self.lock:
            text = f"{reply[0]} {reply[1][0][:40]}" if reply else "closed"
            text = re.sub(r"[0-9a-z]{13}\S*|<[^>]*>", "_", text)
            self.refusals[text] = self.refusals.get(text, 0) + 1

    # --- what arrived

    def look(self, content):
        """Counts one copy that arrived, and proves it whole."""
        found = NUMBER.search(content)
        if not found:
            raise AssertionError(f"a message that nobody sent: {content[:300]!r}")
        number = int(found.group(1))
        bodies_same(numbered(number, self.recipient_of[number]), content.replace(b"\r\n", b"\n"))
        self.copies[number] = self.copies.get(number, 0) + 1

    def collect(self, folders, inners=()):
        """Takes what is in these Maildirs and these inner servers out of them, and into self.copies."""
        for folder in folders:
            place = os.path.join(folder, "new")
            for name in os.listdir(place) if os.path.isdir(place) else []:
                with open(os.path.join(place, name), "rb") as file:
                    self.look(file.read())
                os.unlink(os.path.join(place, name))
        for inner in inners:
            for _ in range(len(inner.messages)):
                self.look(inner.messages.pop(0)[2])

    def lost(self):
        return sorted(self.accepted - set(self.copies))

    def doubles(self):
        """Copies beyond the first, by number."""
        return {number: count - 1 for number, count in self.copies.items() if count > 1}
