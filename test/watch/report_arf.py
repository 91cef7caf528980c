#!/usr/bin/env python3
"""Feedback reports as another implementation reads them: Python's own mail parser, and each requirement of RFC 5965 (with
6591, 6692) that can be seen in a message. Reads the golden files of test/watch/reports, and files named behind them.

usage: report_arf.py FOLDER | FILE ..."""
import email
import email.policy
import email.utils
import glob
import ipaddress
import os
import re
import sys

ONCE = ["Feedback-Type", "User-Agent", "Version", "Original-Envelope-Id", "Original-Mail-From", "Arrival-Date", "Reporting-MTA",
        "Source-IP", "Source-Port", "Incidents"]
REQUIRED = ["Feedback-Type", "User-Agent", "Version"]
MANY = ["Authentication-Results", "Original-Rcpt-To", "Reported-Domain", "Reported-URI"]
TYPES = ["abuse", "auth-failure", "fraud", "not-spam", "other", "virus"]
DOMAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\Z", re.I)


class Fault(Exception):
    """A requirement that does not hold."""


def want(holds, what):
    if not holds:
        raise Fault(what)


def wire(octets):
    """Lines, octets and lengths, before anything is parsed (RFC 5322 2.1.1; 7-bit, so that no server has to change it)."""
    octets = octets.replace(b"\r\n", b"\n")
    want(b"\r" not in octets, "a bare CR")
    for line in octets.split(b"\n"):
        want(len(line) <= 998, f"a line of {len(line)} octets")
        want(all(octet == 9 or 32 <= octet < 127 for octet in line), f"octets that are no printable ASCII: {line!r}")


def header(message):
    for name in ("Date", "From", "Subject", "Message-ID", "MIME-Version", "Auto-Submitted"):
        want(len(message.get_all(name, [])) == 1, f"{name} stands there {len(message.get_all(name, []))} times")
    want(not re.search(r"[\x00-\x1f\x7f]", message["Subject"]), "a control in the decoded subject")
    want(len(message.get_all("To", [])) <= 1 and "Bcc" not in message and "Cc" not in message, "recipients that nobody named")
    sent = email.utils.parsedate_to_datetime(message["Date"])
    want(sent.utcoffset() is not None, "Date has no offset")
    want(re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", message["Message-ID"]), f"Message-ID {message['Message-ID']}")
    if message["To"]:
        for address in message["To"].addresses:
            want(address.username and DOMAIN.match(address.domain), f"To {address}")


def parts(message):
    """Section 2: the parts and their order."""
    want(message.get_content_type() == "multipart/report", message.get_content_type())
    want(message.get_param("report-type") == "feedback-report", "report-type")
    found = message.get_payload()
    want(len(found) == 3, f"{len(found)} parts")
    text, feedback, evidence = found
    want(text.get_content_type() == "text/plain", "the first part is not text/plain")
    want(feedback.get_content_type() == "message/feedback-report", "the second part is not message/feedback-report")
    want(evidence.get_content_type() in ("message/rfc822", "text/rfc822-headers"), "the third part is no message or header")
    want(feedback.get("Content-Transfer-Encoding", "7bit").lower() == "7bit", "message/feedback-report is to be 7bit (section 7)")
    want(not message.defects and not any(part.defects for part in found), "the parser complains")
    want(text.get_content().strip(), "the first part is empty")
    return text, feedback, evidence


def fields_of(part):
    """The fields of message/feedback-report: parsed as a message's header by itself."""
    payload = part.get_payload()
    raw = payload[0].as_string() if isinstance(payload, list) else payload
    parsed = email.message_from_string(raw, policy=email.policy.compat32)
    want(not parsed.defects and not parsed.get_payload().strip(), "the second part holds more than fields")
    return parsed


def feedback_fields(fields):
    """Section 3."""
    for name in ONCE:
        want(len(fields.get_all(name, [])) <= 1, f"{name} more than once")
    for name in REQUIRED:
        want(fields.get(name, "").strip(), f"{name} is missing")
    want(set(fields.keys()) <= set(ONCE + MANY), f"fields that are not registered: {set(fields.keys()) - set(ONCE + MANY)}")
    want(fields["Feedback-Type"].lower() in TYPES, fields["Feedback-Type"])
    want(fields["Version"] == "1", "Version")
    want(re.match(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+(/[^\s]+)?", fields["User-Agent"]), "User-Agent is no product (RFC 2616 3.8)")
    if "Incidents" in fields:
        want(0 < int(fields["Incidents"]) < 2 ** 32, "Incidents is no unsigned number of 32 bits")
    if "Arrival-Date" in fields:
        want(email.utils.parsedate_to_datetime(fields["Arrival-Date"]).utcoffset() is not None, "Arrival-Date has no offset")
    if "Source-IP" in fields:
        ipaddress.ip_address(fields["Source-IP"])
    if "Source-Port" in fields:
        want("Source-IP" in fields and 0 < int(fields["Source-Port"]) < 65536, "Source-Port (RFC 6692)")
    for name in ("Original-Mail-From", "Original-Rcpt-To"):
        for value in fields.get_all(name, []):
            want(value.startswith("<") and value.endswith(">"), f"{name} {value}")
    for value in fields.get_all("Reported-Domain", []):
        want(DOMAIN.match(value), f"Reported-Domain {value}")
    want(re.match(r"dns; ?\S+", fields["Reporting-MTA"]), "Reporting-MTA is no mta-name (RFC 3464 2.2.2)")


def evidence_header(message, evidence, fields):
    seen = email.message_from_bytes(evidence.get_payload(decode=True), policy=email.policy.compat32)
    want(not seen.defects and not seen.get_payload().strip(), "the third part holds more than fields")
    want(len(seen.get_all("Received", [])) == 1, "no trace field of ours")
    want(fields["Source-IP"] in seen["Received"], "the trace field names another host")
    for name in seen.keys():
        want(len(seen.get_all(name)) == 1, f"{name} twice")
    if "Subject" in seen:
        subject = message["Subject"]
        want(subject.startswith("FW: "), f"the subject is not the message's (section 2): {subject}")
        plain = seen["Subject"] if isinstance(seen["Subject"], str) else ""
        want(not plain or subject[4:] == plain, f"{subject[4:]!r} is not {plain!r}")


def check(octets):
    wire(octets)
    message = email.message_from_bytes(octets, policy=email.policy.default)
    header(message)
    _, feedback, evidence = parts(message)
    fields = fields_of(feedback)
    feedback_fields(fields)
    evidence_header(message, evidence, fields)


def broken():
    """Reports against one requirement each: the check must tell."""
    path = os.path.join(sys.argv[1], "seed-003-kornet.eml")
    with open(path, "rb") as file:
        sound = file.read()
    for before, after in ((b"\nVersion: 1\r\n", b"\n"), (b"\nVersion: 1\r", b"\nVersion: 1\r\nVersion: 1\r"), (b"Incidents: 2", b"Incidents: -2"),
                          (b"report-type=feedback-report", b"report-type=delivery-status"), (b"Source-IP: ", b"X-IP: "),
                          (b"message/feedback-report", b"text/plain"), (b"Source-Port: ", b"Source-Port: 999"),
                          (b"Subject: FW: ", b"Subject: "), (b"text/rfc822-headers", b"text/html"),
                          (b"Subject: FW:", b"Bcc: a@b.example\r\nSubject: FW:"), (b"+0000\r\nFrom", b"\r\nFrom"),
                          (b"Reporting-MTA: dns;", b"Reporting-MTA:"), (b"Feedback-Type: abuse", b"Feedback-Type: spam")):
        want(before in sound, f"{before!r} is not in {path}")
        try:
            check(sound.replace(before, after, 1))
        except (Fault, ValueError, TypeError, KeyError, AttributeError):
            continue
        raise Fault(f"nothing is said of {after!r} in place of {before!r}")


def tell(number, name, case):
    try:
        case()
    except (Fault, ValueError, TypeError, KeyError, AttributeError) as fault:
        print(f"not ok {number} - {name}\n# {fault}")
        return False
    print(f"ok {number} - {name}")
    return True


def check_file(path):
    with open(path, "rb") as file:
        check(file.read())


def main():
    folder = os.path.isdir(sys.argv[1])
    paths = sorted(glob.glob(os.path.join(sys.argv[1], "*.eml"))) if folder else sys.argv[1:]
    good = tell(1, "there are reports", lambda: want(paths, "none"))
    for number, path in enumerate(paths, 2):
        good = tell(number, os.path.basename(path), lambda path=path: check_file(path)) and good
    if folder:
        good = tell(len(paths) + 2, "what is wrong is seen", broken) and good
    print(f"1..{len(paths) + 1 + folder}")
    sys.exit(not good)


if __name__ == "__main__":
    main()
