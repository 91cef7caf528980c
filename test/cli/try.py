#!/usr/bin/env python3
"""try tells what the gate would do: the verdict, the sum, each finding's share, and what could not be judged; it asks
nobody and leaves nothing behind.

usage: try.py POSTERN"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from email.utils import formatdate

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'live'))
from rig.names import MX, TXT, Names  # noqa: E402  pylint: disable=wrong-import-position

PROGRAM = os.path.abspath(sys.argv[1])
CONFIG = """host-name mx.example.net
user root
group root
state-directory state
run-directory run
grey.mode off
policy.suspect 2
policy.reject 6
check spf-fail { weight 5 }
check spf-softfail { mode observe
 weight 7 }
check nul { action reject }
override { network 198.51.100.0/24
 allow }
override { network 203.0.113.0/24
 block "go away" }
route example.net {
    maildir "mail/%s"
    mailbox joe
}
route relay.example { relay 192.0.2.1 }
"""
STRANGER = ['--client', '192.0.2.7', '--helo', 'mail.example.org']
KEYS = ('address ptr helo from to findings sum suspect defer reject passed verdict stage reason override reply '
        'not_asked remembered store_trouble').split()


def fact(record):
    return ['--fact', f'txt example.org = found {len(record)}:{record},', '--fact', 'txt * = none no such data']


class Try(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.config = os.path.join(folder.name, 'p.conf')
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write(CONFIG)

    def postern(self, *words, data=b''):
        return subprocess.run([PROGRAM, 'try', *words, '-c', self.config], capture_output=True, input=data, timeout=60,
                              check=False)

    def tried(self, *words, data=b''):
        result = self.postern(*words, '--json', data=data)
        self.assertEqual((result.returncode, result.stderr), (0, b''))
        return json.loads(result.stdout)

    def shares(self, tried):
        return {found['finding']: found['share'] for found in tried['findings']}

    def test_keys_for_programs(self):
        tried = self.tried(*STRANGER, '--mail', 'a@example.org', '--rcpt', '<joe@example.net>')
        self.assertEqual(list(tried), KEYS)
        self.assertEqual((tried['address'], tried['helo'], tried['from']), ('192.0.2.7', 'mail.example.org', 'a@example.org'))
        self.assertEqual((tried['suspect'], tried['defer'], tried['reject']), (2, 5, 6))
        self.assertEqual([(rcpt['address'], rcpt['code']) for rcpt in tried['to']], [('joe@example.net', 250)])

    def test_shares_add_up(self):
        envelope = ['--mail', 'a@example.org', '--rcpt', 'joe@example.net']
        tried = self.tried(*STRANGER, *envelope, *fact('v=spf1 -all'))
        self.assertEqual(self.shares(tried)['spf-fail'], 5)
        self.assertEqual(tried['sum'], sum(self.shares(tried).values()))
        self.assertTrue(tried['passed'])
        observed = self.tried(*STRANGER, *envelope, *fact('v=spf1 ~all'))
        self.assertEqual(self.shares(observed)['spf-softfail'], 0)
        self.assertEqual(next(found['mode'] for found in observed['findings'] if found['finding'] == 'spf-softfail'), 'observe')

    def test_what_nobody_was_asked(self):
        tried = self.tried(*STRANGER, '--mail', 'a@example.org', '--rcpt', 'joe@example.net')
        self.assertIn('txt example.org', tried['not_asked'])
        answered = self.tried(*STRANGER, '--mail', 'a@example.org', '--rcpt', 'joe@example.net', *fact('v=spf1 +all'))
        self.assertNotIn('txt example.org', answered['not_asked'])

    def test_asks_where_it_is_wanted(self):
        with Names({('example.org', TXT): ['v=spf1 -all'], ('example.org', MX): ['mx.example.org']}) as names:
            with open(self.config, 'a', encoding='utf-8') as file:
                file.write(f'dns.server 127.0.0.1:{names.port}\ndns.probe ""\n')
            words = [*STRANGER, '--mail', 'a@example.org', '--rcpt', 'joe@example.net']
            self.assertNotIn('spf-fail', self.shares(self.tried(*words)))
            tried = self.tried(*words, '--dns')
            self.assertEqual((self.shares(tried)['spf-fail'], self.shares(tried)['no-ptr'], tried['not_asked']), (5, 2, []))
            known = self.tried(*words, '--dns', *fact('v=spf1 +all'), '--ptr', 'mail.example.org')
            self.assertFalse({'spf-fail', 'no-ptr'} & set(self.shares(known)))

    def test_sum_before_recipients(self):
        tried = self.tried('--client', '192.0.2.7', '--helo', 'desk98', '--ptr', 'none')
        self.assertEqual(tried['sum'], sum(self.shares(tried).values()))
        self.assertGreater(tried['sum'], 0)

    def test_recipients(self):
        tried = self.tried(*STRANGER, '--mail', '<>', '--rcpt', 'joe@example.net', '--rcpt', 'nobody@example.net',
                           '--rcpt', 'anybody@relay.example', '--rcpt', 'x@elsewhere.example')
        self.assertEqual([rcpt['code'] for rcpt in tried['to']], [250, 550, 452, 550])
        self.assertTrue(tried['passed'])
        self.assertEqual(self.tried(*STRANGER, '--mail', '<>', '--rcpt', 'anybody@relay.example')['to'][0]['code'], 250)

    def test_overrides(self):
        envelope = ['--mail', 'a@example.org', '--rcpt', 'joe@example.net', *fact('v=spf1 -all')]
        blocked = self.tried('--client', '203.0.113.5', *envelope)
        self.assertEqual((blocked['passed'], blocked['verdict'], blocked['stage']), (False, 'reject', 'rcpt'))
        self.assertIn('go away', blocked['reply'])
        self.assertRegex(blocked['override'], r'p\.conf:15$')
        self.assertTrue(self.tried('--client', '198.51.100.5', *envelope)['passed'])

    def test_message(self):
        message = f'From: a@example.org\nDate: {formatdate()}\nMessage-ID: <1@example.org>\n\n.\na line\n'.encode()
        for data, passed, code in ((message, True, '250'), (message + b'\0\n', False, '550')):
            tried = self.tried(*STRANGER, '--mail', 'a@example.org', '--rcpt', 'joe@example.net', '--message', '-', data=data)
            self.assertEqual((tried['passed'], tried['reply'][:3]), (passed, code), tried)
        self.assertEqual((tried['verdict'], tried['stage']), ('reject', 'message'))
        self.assertEqual(self.postern('--client', '192.0.2.7', '--message', '-').returncode, 64)

    def test_words_for_people(self):
        text = self.postern(*STRANGER, '--mail', 'a@example.org', '--rcpt', 'joe@example.net',
                            *fact('v=spf1 -all')).stdout.decode()
        self.assertIn('from 6 it is refused', text.replace('\n', ' '))
        self.assertRegex(text, r'\+5  spf-fail ')
        self.assertIn('<joe@example.net> taken', text)
        log = self.postern(*STRANGER, '--log').stdout.decode()
        self.assertIn('Input Line: EHLO mail.example.org', log)

    def test_known(self):
        words = ['--mail', 'a@example.org', *fact('v=spf1 -all'), '--rcpt', 'joe@example.net']
        self.assertEqual(self.tried(*STRANGER, *words, '--known')['override'], '--known')
        self.assertEqual(self.tried(*STRANGER, *words)['override'], '')

    def test_nothing_is_left_behind(self):
        self.tried(*STRANGER, '--mail', 'a@example.org', '--rcpt', 'joe@example.net', '--message', '-', data=b'Subject: x\n\nx\n')
        self.assertEqual(os.listdir(self.folder), ['p.conf'])

    def test_wrong_words_are_explained(self):
        for words in ([], ['--client', '192.0.2.300'], [*STRANGER, '--rcpt', 'joe@example.net'],
                      [*STRANGER, '--fact', 'txt example.org'], [*STRANGER, '--fact', 'nonsense x = none'],
                      [*STRANGER, '--mail', 'a\r\nb'], [*STRANGER, '--helo', ''], [*STRANGER, '--level', '6']):
            result = self.postern(*words)
            self.assertEqual((result.returncode, result.stdout), (64, b''), words)
            self.assertTrue(result.stderr, words)
        self.assertEqual(self.postern(*STRANGER, '--mail', '<>', '--rcpt', 'joe@example.net', '--message', '/nowhere').returncode, 1)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
