"""Messages to send, and a strict look at what arrived."""
import hashlib
import random
from email.utils import formatdate

# Fields that a server may put before a message that it passes on.
ADDED_FIELDS = {b"received", b"received-spf", b"return-path", b"delivered-to", b"x-original-to", b"envelope-to", b"delivery-date",
                b"authentication-results"}

# The same for all that is made in a run, so that the same message can be made twice.
DATE = formatdate()


class Difference(AssertionError):
    """What arrived is not what was sent."""


def message(subject, body, sender="carol@client.example", to="alice@example.org", more=b""):
    """A message with all fields that programs otherwise add, with CRLF line ends."""
    name = hashlib.sha256(subject.encode() + body).hexdigest()[:16]
    head = (f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nDate: {DATE}\r\n"
            f"Message-ID: <{name}@client.example>\r\n").encode()
    return head + more + b"\r\n" + body


def eight_bit_body():
    lines = [bytes(range(128, 256)), "Größe, ελληνικά, 日本語 🙂".encode(), b"caf\xe9 \xff\xfe", bytes(range(32, 127))]
    return b"\r\n".join(lines) + b"\r\n"


def dots_body():
    return b".\r\n..\r\n...\r\n.x\r\nx.\r\n. \r\n .\r\n\r\n.\r\n.\r\n\r\n..QUIT\r\n.\r\nend\r\n"


def long_body(octets=3 << 20):
    """Lines of all lengths up to 998, some of them with dots in front, some empty."""
    source = random.Random(5321)
    alphabet = bytes(range(33, 127))
    line = bytes(source.choices(alphabet, k=998))
    lines, size = [], 0
    while size < octets:
        length = source.choice((0, 1, 2, 60, 72, 76, 78, 500, 997, 998))
        start = source.randrange(0, 999 - length)
        lines.append((b"." * min(length, source.choice((0, 0, 0, 1, 2))) + line[start:start + length])[:length])
        size += length + 2
    return b"\r\n".join(lines) + b"\r\n"


MIME = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
BODIES = {"plain": b"Hello.\r\n\r\nGood bye.\r\n", "eight-bit": eight_bit_body(), "dots": dots_body(), "long": long_body()}
SAMPLES = tuple(BODIES)


def sample(kind, subject, **fields):
    """One of SAMPLES: plain, eight-bit, dots at line starts, long."""
    return message(subject, BODIES[kind], more=MIME if kind == "eight-bit" else b"", **fields)


def dot_stuffed(content):
    """As it goes over the wire between 354 and the final dot."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def as_maildir(content):
    """Line ends as in a Maildir."""
    return content.replace(b"\r\n", b"\n")


def added_fields(head):
    """The names of the header fields in front, which must be complete."""
    names = []
    for line in head.split(b"\n"):
        if line[:1] in (b" ", b"\t"):
            if not names:
                raise Difference(f"a folded line without a field in front: {line!r}")
        elif line:
            name, colon, _ = line.partition(b":")
            if not colon:
                raise Difference(f"this is no header field: {line!r}")
            names.append(name.strip().lower())
    return names


def bodies_same(sent, arrived, added=ADDED_FIELDS):
    """The stored octets are those that were sent, behind nothing but added header fields. Their names."""
    wanted = as_maildir(sent)
    if not arrived.endswith(wanted):
        raise Difference(difference(wanted, arrived))
    head = arrived[:len(arrived) - len(wanted)]
    names = added_fields(head)
    if b"\r" in head:
        raise Difference(f"a CR in the fields in front: {head!r}")
    strange = set(names) - added
    if strange:
        raise Difference(f"fields that nobody should have added: {strange}")
    if not names or b"received" not in names:
        raise Difference("no Received field in front")
    return names


def difference(wanted, arrived):
    """Where the two part, looked for from the end."""
    at = 0
    while at < min(len(wanted), len(arrived)) and wanted[-1 - at] == arrived[-1 - at]:
        at += 1
    return (f"sent {len(wanted)} octets, {len(arrived)} arrived; they are the same in the last {at};\n"
            f"before that, sent:    {wanted[:len(wanted) - at][-120:]!r}\n"
            f"before that, arrived: {arrived[:len(arrived) - at][-120:]!r}")
