"""Haraka, passing each message on while its client waits."""
import os
import shutil

from . import packages
from .base import Peer, address_of

NPM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "haraka-npm")


class Haraka(Peer):
    """Options, besides those of every peer:

    backend   "HOST:PORT" that messages are passed on to; recipients of all mailboxes at `domains` are taken
    """
    name = "haraka"

    def defaults(self):
        return {**super().defaults(), "backend": ""}

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
        self.folder("haraka/queue")

    def overlays(self):
        return {"/etc": [self.path("etc")]}

    def program(self):
        return os.path.join(self.fetch(), "node_modules", "Haraka")

    def command(self):
        return ["node", os.path.join(self.program(), "bin", "haraka"), "-c", self.path("haraka")]

    def queue_length(self):
        return 0
