"""chasquid, as a peer in benchmarks."""
import os
import subprocess

from .base import PASSWORD, Peer, USERS, free_port

CONFIG = """\
hostname: "mail.example.net"
smtp_address: "127.0.0.1:{port}"
submission_address: "127.0.0.1:{submission_port}"
submission_over_tls_address: "127.0.0.1:{tls_port}"
mail_delivery_agent_bin: "/bin/true"
mail_delivery_agent_args: "%to_user%"
data_dir: "{work}/data"
mail_log_path: "{work}/log/mail"
"""


class Chasquid(Peer):
    """Options: those of every peer. Delivery runs /bin/true: a message is queued, then gone. One processor is used."""
    name = "chasquid"
    packages = ("chasquid",)

    def configure(self):
        self.folder("data", user="vmail")
        certificate, key = self.certificate()
        self.folder("etc/chasquid/certs/mail.example.net")
        for source, name in ((certificate, "fullchain.pem"), (key, "privkey.pem")):
            with open(source, encoding="ascii") as file:
                self.write(f"etc/chasquid/certs/mail.example.net/{name}", file.read(), owner=USERS["vmail"])
        for domain in self.options["domains"]:
            self.folder(f"etc/chasquid/domains/{domain}")
            self.users_write(domain)
        self.write("etc/chasquid/chasquid.conf", CONFIG.format(
            port=self.options["port"], submission_port=free_port(), tls_port=free_port(), work=self.work))

    def users_write(self, domain):
        """One user made by chasquid's own tool, whose costly password hash serves for all."""
        util = os.path.join(self.fetch(), "usr", "bin", "chasquid-util")
        subprocess.run([util, f"-C={self.path('etc', 'chasquid')}", "user-add", f"first@{domain}",
                        f"--password={PASSWORD}"], check=True, capture_output=True)
        file = f"etc/chasquid/domains/{domain}/users"
        with open(self.path(file), encoding="utf-8") as source:
            one = source.read()
        self.write(file, "".join(one.replace('"first"', f'"{user}"') for user in self.options["users"]))

    def command(self):
        user = str(USERS["vmail"])
        return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "env", "GOMAXPROCS=1",
                "/usr/bin/chasquid"]

    def queue_length(self):
        """Messages not done yet, by a look into the queue."""
        folder = self.path("data", "queue")
        return len(os.listdir(folder)) if os.path.isdir(folder) else 0
