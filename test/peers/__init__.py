"""Other people's mail servers and name servers, for live tests and benchmarks.

Each peer is Debian's package (Haraka: npm's), unpacked below build/peers/ at first use and never installed. It
runs in a mount namespace of its own in which the package, its users and its configuration are laid over /usr
and /etc, and keeps everything else below a work folder that the caller names. Nothing of the system is
changed. Root is needed, nothing but loopback is listened on.

In Python (put the folder test/ on sys.path):

    from peers import Postfix, Dovecot

    with Dovecot("/tmp/t/dovecot", lmtp_port=2400) as inner:        # starts, waits until it answers
        ...                                                       # deliver to 127.0.0.1:2400
        mail, = inner.mails_wait("alice", 1)                       # files in alice's Maildir
    with Postfix("/tmp/t/out", mode="sender", backend="127.0.0.1:2525") as out:
        out.send("carol@client.example", ["alice@example.net"], "Subject: hello\\n\\nHello.\\n")
        out.queue()                                                # what it could not get rid of

From a shell:

    test/peers/peer postfix start --work /tmp/t/postfix mode=maildir port=2526
    test/peers/peer postfix stop --work /tmp/t/postfix
    test/peers/peer fetch                   # all packages, ahead of tests that must not wait for them

`start` prints what to know as JSON (ports, folders, log) and returns when the peer answers; options are
NAME=VALUE, a VALUE that is JSON (numbers, true, {"a": "b"}, ["x"]) is taken as such. `stop` returns when all
processes of the peer are gone; only those that `start` started are ended.

Options of every peer:
    port        SMTP port on 127.0.0.1 (a free one)
    users       mailboxes at each of `domains` (b0 to b99, alice, bob, carol, postmaster)
    domains     (["example.net"]) recipients elsewhere are refused
    hosts       {name: address} for the peer's /etc/hosts
    nameserver  for the peer's resolv.conf; without, names resolve from /etc/hosts alone

The others stand at the classes (Postfix, Dovecot, OpenSMTPD, Exim, Chasquid, Haraka). The passwords of
mailboxes are "secret" (peers.PASSWORD). A work folder must be reachable for all users: not below a folder of
mode 0700, as tempfile.mkdtemp makes them (chmod it).
"""
from .base import MAILBOXES, PASSWORD, Peer, PeerError, banner_wait, free_port
from .chasquid import Chasquid
from .dns import Nsd, Rbldnsd, Unbound
from .dovecot import Dovecot
from .exim import Exim
from .haraka import Haraka
from .opensmtpd import OpenSMTPD
from .packages import PackageError
from .postfix import Postfix

NAME_SERVERS = {server.name: server for server in (Nsd, Rbldnsd, Unbound)}
PEERS = {peer.name: peer for peer in (Postfix, Dovecot, OpenSMTPD, Exim, Chasquid, Haraka)}
