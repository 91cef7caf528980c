"""The five attempts of seed 003: one message of 1,762 octets without Message-ID, from four hosts within 42 s."""
from .talk import Talk
from .wait import until

SENDER = "5140ghxc@aci.net"
LENNON = "LENNON@ONLINEROCK.COM"
AT = [0, 13, 22, 33, 42]  # seconds
HOSTS = ["61.77.232.38", "165.246.189.33", "61.77.232.38", "211.209.23.36", "12.237.128.54"]
NAMES = {HOSTS[4]: "12-237-128-54.client.attbi.com"}
TEXT = ("Subject: just for you\r\n\r\n" + "Dear friend, this is the same message each time.\r\n" * 34).ljust(1760) + "\r\n"
REFUSAL = 553


def attempt(gate, address, name=None, code=REFUSAL, to=LENNON, text=TEXT, sender=SENDER):
    """One session of a client behind XCLIENT, refused at the end of its message for want of a Message-ID."""
    with Talk(gate.address(), greet=False, helo="friend") as talk:
        talk.want(220)
        talk.command("EHLO friend", 250)
        talk.command(f"XCLIENT ADDR={address} NAME={name or '[UNAVAILABLE]'}", 220)
        talk.command("HELO friend", 250)
        talk.command(f"MAIL FROM:<{sender}>", 250)
        talk.command(f"RCPT TO:<{to}>", 250)
        talk.command("DATA", 354)
        talk.send((("Message-ID: <1@pool.example>\r\n" if code == 250 else "") + text + ".\r\n").encode())
        talk.want(code)
        talk.quit()


def read(gate, attempts):
    """Waits until the keeper has read so many attempts."""
    until(lambda: gate.alive() and any(row.get("campaigns", {}).get("attempts", 0) >= attempts
                                       for row in gate.status()), f"{attempts} attempts to be read", 30, gate.alive)
