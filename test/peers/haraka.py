"""Haraka as peer in a benchmark, passing each message on while its client waits, and as sender."""
import os
import shutil

from . import packages
from .base import Peer, address_of

NPM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "haraka-npm")


# All that comes is queued for where it shall go.
OUT = """\
exports.hook_rcpt = (next, connection) => {{ connection.relaying = true; next(OK); }};
exports.hook_get_mx = (next) => next(OK, {{ priority: 0, exchange: '{host}', port: {port}{more} }});
"""


class Haraka(Peer):
    """Options, besides those of every peer:

    mode      "proxy": each message straight through to `backend`; recipients of all mailboxes at `domains` are taken
              "sender": takes mail of this machine alone, queues, and all goes to `backend`
    backend   "HOST:PORT" behind it
    source    the address from which the sender connects, and
    helo      the name that it gives (mail.example.net)
    """
    name = "haraka"

    def defaults(self):
        return {**super().defaults(), "mode": "proxy", "backend": "", "source": "", "helo": "mail.example.net"}

    @classmethod
    def fetch(cls):
        return packages.npm_tree_of(cls.name, NPM)

    def configure(self):
        host, port = address_of(self.options["backend"] or "127.0.0.1:1")
        shutil.copytree(os.path.join(self.program(), "config"), self.path("haraka", "config"), dirs_exist_ok=True)
        for name, text in {
                "smtp.ini": f"listen=127.0.0.1:{self.options['port']}\nnodes=0\n", "me": "mail.example.net\n",
                "plugins": "rcpt_to.in_host_list\nqueue/smtp_forward\n", "log.ini": "[main]\nlevel=notice\nformat=default\n",
                "host_list": "".join(f"{domain}\n" for domain in self.options["domains"]),
                "smtp_forward.ini": f"host={host}\nport={port}\n"}.items():
            self.write(f"haraka/config/{name}", text)
        if self.options["mode"] == "sender":
            self.configure_sender(host, port)
        self.folder("haraka/queue")

    def configure_sender(self, host, port):
        more = "".join(f", {key}: '{self.options[name]}'" for key, name in (("bind", "source"), ("bind_helo", "helo"))
                       if self.options[name])
        self.write("haraka/plugins/out.js", OUT.format(host=host, port=port, more=more))
        self.write("haraka/config/plugins", "out\n")
        self.write("haraka/config/outbound.ini", "local_mx_ok=true\n")

    def overlays(self):
        return {"/etc": [self.path("etc")]}

    def program(self):
        return os.path.join(self.fetch(), "node_modules", "Haraka")

    def command(self):
        return ["node", os.path.join(self.program(), "bin", "haraka"), "-c", self.path("haraka")]

    def queue_length(self):
        """Queue files not done yet."""
        return sum(1 for name in os.listdir(self.path("haraka", "queue")) if not name.startswith("__"))
