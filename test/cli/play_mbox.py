#!/usr/bin/env python3
"""play --mbox takes each message back to the session in which it came, and tells what the gate would have done with it;
what our own hosts added is not held against anybody, and nothing is asked.

usage: play_mbox.py POSTERN"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv[1])
CONFIG = """host-name mx.example.net
user root
group root
state-directory state
run-directory run
networks {
    own 198.51.100.0/24
    trusted 203.0.113.25
}
route example.net {
    maildir "mail/%s"
    mailbox joe
}
"""
# By the documentation's own addresses nobody is from outside: these are of networks that were never given out.
OURS = """Return-Path: <{sender}>
Received: from back.example.net (back.example.net [203.0.113.25]) by mx.example.net (Postfix) with ESMTP id QUEUE2
\tfor <joe@example.net>; Thu, 22 Aug 2002 12:00:09 +0000
"""
FROM_OUTSIDE = """Received: from {helo} ({name}[{address}]{forged}) by back.example.net (8.11.6/8.11.6)
\twith {protocol} id g7MBYrZ04811 for <joe@example.net>; {date}
"""
FINE = {"sender": "ann@far.example", "helo": "mx.far.example", "name": "mx.far.example ", "address": "11.22.33.44", "forged": "",
        "protocol": "ESMTP", "date": "Thu, 22 Aug 2002 12:00:00 +0000",
        "header": "From: ann@far.example\nDate: Thu, 22 Aug 2002 13:00:00 +0100\nMessage-ID: <1@far.example>\n"}
SPAM = {**FINE, "sender": "joe@example.net", "helo": "11.22.55.66", "name": "", "address": "11.22.55.66", "protocol": "SMTP",
        "header": "From: b@c.example\nDate: Fri, 23 Aug 2002 12:00:00 +0000\nMessage-ID: <g7MBYrZ04811@back.example.net>\n"}


def message(parts, ours=OURS):
    return (ours + FROM_OUTSIDE + "{header}\nbody\n.\nFrom here on\n").format(**parts)


class PlayMbox(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.write('p.conf', CONFIG)

    def write(self, name, *texts):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write('\n'.join(texts))
        return path

    def play(self, *words, status=0):
        result = subprocess.run([PROGRAM, 'play', '--mbox', *words, '-c', os.path.join(self.folder, 'p.conf')],
                                capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def played(self, *words):
        lines = [json.loads(line) for line in self.play('--json', '--each', *words).stdout.splitlines()]
        return [line for line in lines if 'file' in line], [line for line in lines if 'file' not in line]

    def one(self, parts, ours=OURS):
        each, _ = self.played('--alone', self.write('one', message(parts, ours)))
        self.assertEqual(len(each), 1)
        return each[0]

    def findings(self, parts, ours=OURS):
        return [word for word in self.one(parts, ours)['findings'] if not word.startswith(('spf-', 'grey', 'slow'))]

    def test_fine(self):
        self.assertEqual((self.findings(FINE), self.one(FINE)['verdict']), ([], 'accepted'))

    def test_client(self):
        self.assertEqual(self.findings({**FINE, 'name': ''}), ['no-ptr'])
        self.assertEqual(self.findings({**FINE, 'helo': 'far.example', 'forged': ' (may be forged)'}), ['forged'])
        self.assertEqual(self.findings({**FINE, 'name': '11-22-33-44.dsl.far.example '}), ['ptr-generic'])
        self.assertIn('helo-not-fqdn', self.findings({**FINE, 'helo': 'desk'}))

    def test_added_by_us(self):
        added = 'From: ann@far.example\nDate: Thu, 22 Aug 2002 12:00:09 +0000\nMessage-ID: <20020822.QUEUE2@mx.example.net>\n'
        self.assertEqual(self.findings({**FINE, 'header': added}), ['message-id-absent', 'header-no-date'])
        theirs = added.replace('QUEUE2', 'QUEUE3').replace('12:00:09', '12:00:08')
        self.assertEqual(self.findings({**FINE, 'header': theirs}), [])

    def test_date(self):
        self.assertEqual(self.findings({**FINE, 'date': 'Thu, 22 Aug 2002 01:00:00 +0000'}), ['header-date-far'])

    def test_bounce(self):
        without = FINE['header'].replace('Message-ID', 'X-Id')
        self.assertEqual(self.findings({**FINE, 'header': without}), ['message-id-absent'])
        self.assertEqual(self.findings({**FINE, 'header': without, 'sender': ''}), [])

    def test_verdicts_and_labels(self):
        ham = self.write('mail/ham', 'From ann@far.example Thu Aug 22 12:00:00 2002\n' + message(FINE),
                         'From ann@far.example Thu Aug 22 12:00:00 2002\n' + message(FINE, ours=''))
        spam = self.write('mail/junk/cur/1', message(SPAM))
        self.write('mail/junk/tmp/2', message(SPAM))
        self.write('mail/junk/cur/3', '{"no": "message"}\n')
        self.write('mail/junk/cur/4', 'Return-Path: <a@b.example>\nSubject: from here\n\n')
        _, counts = self.played(f'ham={ham}', f'spam={os.path.dirname(os.path.dirname(spam))}')
        self.assertEqual([(count['label'], count['played'], count['accepted'], count['rejected']) for count in counts],
                         [('ham', 2, 2, 0), ('spam', 1, 0, 1)])
        self.assertEqual(counts[1]['not_played'], {'no message': 1, 'no client from outside': 1, 'no sender': 0})
        self.assertEqual(counts[1]['findings']['helo-bare-ip'], 1)

    def test_memory(self):
        """Who was deferred comes again, and is known then; alone, nobody is."""
        doubtful = {**FINE, 'name': '', 'helo': 'desk'}
        texts = [message({**doubtful, 'date': f'Thu, 22 Aug 2002 {hour}:00:00 +0000',
                          'header': FINE['header'].replace('13:00', f'{hour}:00').replace('<1@', f'<{hour}@')
                                                  .replace('+0100', '+0000')})
                 for hour in (18, 12)]
        folder = self.write('two', *('From ann@far.example Thu Aug 22 12:00:00 2002\n' + text for text in texts))
        each, counts = self.played(folder)
        self.assertEqual([one['verdict'] for one in each], ['deferred', 'accepted'])
        self.assertEqual((counts[0]['deferred'], counts[0]['accepted_later']), (1, 1))
        _, alone = self.played('--alone', folder)
        self.assertEqual((alone[0]['deferred'], alone[0]['accepted_later']), (2, 0))

    def test_halves(self):
        for number in range(40):
            self.write(f'many/{number}', message(FINE))
        folder = os.path.join(self.folder, 'many')
        first, second = (self.played('--half', half, folder)[1][0]['played'] for half in '12')
        self.assertEqual(first + second, 40)
        self.assertTrue(first and second)

    def test_words_for_people(self):
        text = self.play(self.write('one', message(SPAM))).stdout
        self.assertIn('Input Line: HELO 11.22.55.66', text)
        self.assertRegex(text, r'helo-bare-ip +\d+ +1 +100\.00 %')
        self.assertRegex(self.play('--each', self.write('one', message(SPAM))).stdout, r'(?m)^rejected +\d+ .*helo-bare-ip')

    def test_mistakes(self):
        self.assertIn('cannot read', self.play(os.path.join(self.folder, 'nowhere'), status=1).stderr)
        self.assertIn('--half is 1 or 2', self.play('--half', '3', self.folder, status=64).stderr)


unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
