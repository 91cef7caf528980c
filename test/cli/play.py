#!/usr/bin/env python3
"""play does what a script says and nothing else: from its address, at its times, octet for octet; it tells what was
not as expected, and what is wrong with a script or keeps it from being played.

usage: play.py POSTERN"""
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAM = os.path.abspath(sys.argv[1])
BANNER = b'220 mx.example.net ESMTP\r\n'


class Gate(threading.Thread):
    """Says its banner, or waits for a first line before, then a reply to each line, by its first word; keeps what it
    heard."""

    def __init__(self, replies, waits=False):
        super().__init__(daemon=True)
        self.replies, self.waits = replies, waits
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.heard, self.clients = b'', []
        self.start()

    def run(self):
        while True:
            try:
                connection, address = self.listener.accept()
            except OSError:
                return
            self.clients.append(address[0])
            self.talk(connection)

    def talk(self, connection):
        with connection, connection.makefile('rb') as lines:
            if not self.waits:
                connection.sendall(BANNER)
            for line in lines:
                if self.waits and not self.heard:
                    connection.sendall(BANNER)
                self.heard += line
                reply = self.replies.get(line.split()[0] if line.split() else b'', b'250 fine\r\n')
                connection.sendall(reply)
                if reply.startswith(b'221') or reply.startswith(b'421'):
                    return

    def close(self):
        self.listener.close()


class Play(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def gate(self, replies=None, waits=False):
        gate = Gate({b'QUIT': b'221 bye\r\n', **(replies or {})}, waits)
        self.addCleanup(gate.close)
        return gate

    def config(self, port, more=''):
        return self.file('p.conf', f'host-name mx.example.net\nuser root\ngroup root\nstate-directory {self.folder}/state\n'
                                   f'run-directory {self.folder}\nlisten 127.0.0.1:{port}\n'
                                   f'route example.net {{ relay 192.0.2.1 }}\n{more}')

    def play(self, text, *words):
        environment = dict(os.environ, POSTERN_CONF=os.path.join(self.folder, 'p.conf'))
        return subprocess.run([PROGRAM, 'play', self.file('s.smtp', text), *words], capture_output=True, text=True,
                              timeout=60, check=False, env=environment)

    def played(self, gate, text, *words):
        """Against a gate whose journal is elsewhere."""
        self.config(1)
        return self.play(text, '--to', f'127.0.0.1:{gate.port}', *words)

    def test_says_what_the_script_says(self):
        gate = self.gate()
        result = self.played(gate, 'title a dialogue\nno-join\n# a comment\nopen 127.0.0.9\n< 220 *\n> EHLO x\n< 250 fine\n'
                                   '>> NO\\x4fP\\0\\r\\n\n< 250*\n>  two blanks \n< 250*\n> QUIT\n< 221*\nclosed\n')
        self.assertEqual((result.returncode, result.stderr), (0, ''), result.stdout)
        self.assertEqual(gate.heard, b'EHLO x\r\nNOOP\0\r\n two blanks \r\nQUIT\r\n')
        self.assertEqual(gate.clients, ['127.0.0.9'])
        self.assertIn('a dialogue', result.stdout)
        self.assertRegex(result.stdout, r' > EHLO x\n +\d+\.\d{3} < 250 fine\n')
        self.assertIn('It went as the script expects.', result.stdout)

    def test_other_addresses(self):
        gate = self.gate()
        text = 'open 127.0.0.9\n< 220*\n> QUIT\n< 221*\nclosed\nopen 127.3.4.5\n< 220*\n> QUIT\n< 221*\n'
        self.assertEqual(self.played(gate, text).returncode, 0)
        self.assertEqual(gate.clients, ['127.0.0.9', '127.3.4.5'])
        self.assertEqual(self.played(gate, text, '--from', '127.0.0.77').returncode, 0)
        self.assertEqual(gate.clients[2:], ['127.0.0.77', '127.0.0.77'])

    def test_talks_before_the_banner(self):
        gate = self.gate(waits=True)
        result = self.played(gate, 'open 127.0.0.9\nquiet\nat 0.1 > EHLO x\n< 220*\n< 250*\neof\nclosed\n')
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertLess(result.stdout.index('> EHLO'), result.stdout.index('< 220'))

    def test_keeps_times(self):
        began = time.monotonic()
        self.assertEqual(self.played(self.gate(), 'open 127.0.0.9\n< 220*\nat 0.6 > QUIT\n< 221*\n').returncode, 0)
        self.assertGreaterEqual(time.monotonic() - began, 0.6)
        hour = 'at 1.0 open 127.0.0.9\n< 220*\nat 3600 > QUIT\n< 221*\n'
        self.assertEqual(self.played(self.gate(), hour, '--faster', '1000').returncode, 0)

    def test_tells_what_was_not_expected(self):
        gate = self.gate({b'DATA': b'503-no\r\n503 no\r\n', b'BYE': b'421 gone\r\n'})
        for text, line, what in (
                ('< 220*\n> DATA\n< 354*\n< 503 no\n> QUIT\n< 221*\n', 4, 'expected: 354*'),
                ('< 220*\n> BYE\n< 421*\n< 250*\n> NOOP\n', 5, 'nothing was said, expected: 250*'),
                ('< 220*\n> NOOP\n< 250*\nclosed\n', 5, 'expected that the gate closes'),
                ('< 220*\n> DATA\n< 503-no\nquiet\n', 5, 'expected that the gate says nothing')):
            result = self.played(gate, 'open 127.0.0.9\n' + text, '--wait', '5s')
            self.assertEqual(result.returncode, 1, text)
            self.assertIn(f's.smtp:{line}: {what}', result.stdout)
            self.assertIn('It did not go as the script expects.', result.stdout)

    def test_no_gate(self):
        with socket.create_server(('127.0.0.1', 0)) as unused:
            port = unused.getsockname()[1]
        self.config(port)
        result = self.play('open 127.0.0.9\n< 220*\n')
        self.assertEqual(result.returncode, 1)
        self.assertIn(f'no gate listens on 127.0.0.1:{port}: start one with postern -c ', result.stderr)

    def test_no_such_address(self):
        gate = self.gate()
        result = self.played(gate, 'open 192.0.2.7\n< 220*\n')
        self.assertEqual(result.returncode, 1)
        self.assertIn('192.0.2.7 is no address of this machine', result.stderr)
        self.config(1, 'listen [::1]:1\n')
        self.assertIn('does not listen', self.played(gate, 'open ::1\n').stderr)

    def test_no_record(self):
        """A gate answers, but the configuration's journal knows nothing of it."""
        gate = self.gate()
        self.config(gate.port)
        os.makedirs(os.path.join(self.folder, 'state', 'journal'))
        result = self.play('open 127.0.0.9\n< 220*\n> QUIT\n< 221*\n', '--wait', '2s')
        self.assertEqual(result.returncode, 1)
        self.assertIn('says nothing of this session', result.stderr)

    def test_scripts_with_mistakes(self):
        self.config(1)
        for text, what in (('', 'opens no connection'), ('open\n', 's.smtp:1: open wants'), ('open x\n', 's.smtp:1: open wants'),
                           ('open 127.0.0.9 port x\n', 's.smtp:1: open wants'), ('> EHLO x\n', 's.smtp:1: nothing was opened'),
                           ('open 127.0.0.9\nat x > EHLO\n', 's.smtp:2: no time'), ('open 127.0.0.9\nat\n', 's.smtp:2: a time is'),
                           ('at 2 open 127.0.0.9\nat 1\n', 's.smtp:2: a time before'),
                           ('open 127.0.0.9\nat 4000 > x\n', 's.smtp:2: no time within'),
                           ('open 127.0.0.9\nanswer found x\n\nask listed *\n', 's.smtp:4: not understood')):
            result = self.play(text)
            self.assertEqual((result.returncode, result.stdout), (1, ''), text)
            self.assertIn(what, result.stderr, text)
        self.assertIn('s.smtp:2: not understood', self.play('open 127.0.0.9\nanswer x\nask x\n').stderr)
        self.assertIn('cannot read', self.play('', os.path.join(self.folder, 'nowhere')).stderr)

    def test_wrong_words_are_explained(self):
        self.config(1)
        for words in (['--to', 'x'], ['--from', '127.0.0.999'], ['--wait', 'x'], ['--wait', '1h'], ['--faster', '0'],
                      ['--faster', 'x'], ['--level', '6']):
            result = self.play('open 127.0.0.9\n', *words)
            self.assertEqual((result.returncode, result.stdout), (64, ''), words)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
