#!/usr/bin/env python3
"""replay says plainly what it cannot play: a journal of a program that did not record enough, none at all, a
configuration with mistakes, a filter that makes no sense.

usage: replay.py POSTERN SAMPLE"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM, SAMPLE = (os.path.abspath(word) for word in sys.argv[1:3])
CONFIGURATION = """\
host-name mx.example.net
user root
group root
state-directory {state}
run-directory {run}
route example.net {{ relay 192.0.2.1 }}
"""


class Replay(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.state = os.path.join(folder.name, 'state')
        self.config = os.path.join(folder.name, 'p.conf')
        os.mkdir(self.state)
        self.write(self.config, '')

    def write(self, path, more):
        with open(path, 'w', encoding='utf-8') as file:
            file.write(CONFIGURATION.format(state=self.state, run=os.path.dirname(path)) + more)

    def replay(self, *words):
        return subprocess.run([PROGRAM, 'replay', '-c', self.config, *words], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, check=False)

    def sample(self):
        subprocess.run([SAMPLE, os.path.join(self.state, 'journal')], check=True, timeout=30)

    def test_old_journal(self):
        self.sample()
        result = json.loads(self.replay('--json').stdout)
        self.assertEqual((result['played'], result['changed'], result['unknown']), (0, 0, 0))
        old = result['not_played']['old']
        self.assertGreater(old, 3)
        words = self.replay().stdout
        self.assertIn('Not played:', words)
        self.assertRegex(words, rf'{old}  sessions were recorded by a program that did not record enough')

    def test_no_journal(self):
        result = self.replay()
        self.assertEqual(result.returncode, 1)
        self.assertIn('there is no journal', result.stderr)

    def test_mistakes(self):
        self.sample()
        new = os.path.join(os.path.dirname(self.config), 'new.conf')
        self.write(new, 'frobnicate yes\naccess not-there\n')
        result = self.replay('--config', new)
        self.assertEqual(result.returncode, 78)
        self.assertIn('new.conf:7', result.stderr)
        self.assertIn('not-there', result.stderr)
        for words in (['--filter', 'from'], ['--filter', 'finding=nonsense'], ['--jobs', '0'], ['--since', 'soon']):
            result = self.replay(*words)
            self.assertEqual(result.returncode, 64, words)
            self.assertIn('expected' if words[0] != '--jobs' else 'from 1', result.stderr)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
