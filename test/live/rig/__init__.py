"""What the live tests share: the real daemon on loopback, with real programs around it.

A test is a program that prints TAP:

    from rig import Live

    def hello_arrives(gate):
        with gate.talk() as talk:
            talk.mail("a@client.example", ["alice@example.org"], b"Subject: hello\r\n\r\nHello.\r\n")
        gate.mail_wait("alice", 1)

    with Live(__doc__) as live:
        with live.postern("gate") as gate:
            live.case("a message arrives", hello_arrives, gate)

    test/live/NAME build/postern [--only WORD] [--keep]

Live gives folders below BUILD/live/NAME, which are removed after a run without failures, and shown in part
after one with them. Whatever a test starts is a child of its process, also what cuts itself loose, and is
ended by number when the test ends, in whatever way.
"""
from . import five
from .inner import CLOSE, SILENT, Inner
from .mail import (ADDED_FIELDS, SAMPLES, Difference, as_maildir, bodies_same, dot_stuffed, long_body, message, sample)
from .live import Failure, Live, Skip, expect
from .names import Names
from .postern import Postern, certificate_make
from .process import cpu_seconds, descendants, end, run
from .talk import Talk, TalkError
from .wait import LateError, free_port, until

__all__ = ["ADDED_FIELDS", "CLOSE", "Difference", "Failure", "Inner", "LateError", "Live", "Names", "Postern", "SAMPLES", "SILENT", "Skip", "Talk", "TalkError",
           "as_maildir", "bodies_same", "certificate_make", "cpu_seconds", "descendants", "dot_stuffed", "end",
           "expect", "five", "free_port", "long_body", "message", "run", "sample", "until"]
