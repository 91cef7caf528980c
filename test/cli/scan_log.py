#!/usr/bin/env python3
"""scan-log counts what awk counts, reads its input in every form, says what it did not understand, and refuses what it
cannot read.

usage: scan_log.py POSTERN"""
import gzip
import json
import os
import pty
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
LOGS = os.path.join(HERE, '..', 'watch', 'logs')
GENERATE = os.path.join(HERE, '..', '..', 'bench', 'scan-log', 'generate')


def log(name):
    return os.path.join(LOGS, name)


class ScanLog(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def scan(self, *words, **more):
        more.setdefault('stdin', subprocess.DEVNULL)
        return subprocess.run([PROGRAM, 'scan-log', *words], capture_output=True, timeout=60, check=False, **more)

    def found(self, *words, **more):
        result = self.scan('--json', *words, **more)
        self.assertEqual((result.returncode, result.stderr), (0, b''))
        return json.loads(result.stdout)

    def generated(self, *words):
        path = os.path.join(self.folder, 'generated.log')
        with open(path, 'wb') as file:
            subprocess.run([GENERATE, *words], stdout=file, check=True, timeout=60)
        return path

    def recount(self, path, *but):
        """What awk counts is what was counted."""
        found = self.found('--year', '2026', path)
        awk = subprocess.run(['awk', '-f', os.path.join(HERE, 'scan_log.awk'), path], capture_output=True, text=True,
                             check=True, timeout=60)
        wanted = {name: int(value) for name, value in (line.split() for line in awk.stdout.splitlines())}
        seen = {name: found[name] if name in ('lines', 'attempts') else found['counts'][name] for name in wanted}
        for name in but:
            del seen[name], wanted[name]
        self.assertEqual(seen, wanted)
        return found

    def test_counts_are_those_of_awk(self):
        # There an envelope has refused recipients both with and without its queue id.
        self.recount(log('postfix.log'), 'attempts')
        for seed in '1', '2':
            found = self.recount(self.generated('--sessions', '1500', '--seed', seed))
            self.assertEqual(found['unknown'], 0)
            self.assertGreater(found['attempts'], 1000)
            self.assertEqual(sum(found['verdicts'].values()), found['attempts'])

    def test_stamps_of_both_kinds_give_the_same(self):
        plain = self.found('--year', '2026', self.generated('--sessions', '300'))
        iso = self.found(self.generated('--sessions', '300', '--iso'))
        for key in 'lines', 'attempts', 'counts', 'verdicts':
            self.assertEqual(plain[key], iso[key])

    def test_standard_input(self):
        with open(log('postscreen.log'), 'rb') as file:
            text = file.read()
        wanted = self.found(log('postscreen.log'))
        self.assertEqual(self.found('-', stdin=None, input=text), wanted)
        self.assertEqual(self.found('-', stdin=None, input=gzip.compress(text)), wanted)

    def test_unknown_lines(self):
        result = self.scan('--unknown', log('postfix.log'))
        self.assertIn(b'this is nothing that anybody knows', result.stdout)
        self.assertEqual(self.found('--unknown', log('sendmail.log'))['unknown_lines'],
                         [{'count': 1, 'line': 'Nov  1 10:00:31 mx sm-mta[2014]: this is nothing that anybody knows'}])

    def test_a_terminal_is_not_steered(self):
        path = os.path.join(self.folder, 'strange.log')
        with open(path, 'wb') as file:
            file.write(b'Nov  1 10:00:00 mx sm-mta[1]: \x1b[2Jhello\n')
        self.assertNotIn(b'\x1b', self.scan('--unknown', path).stdout)
        self.assertIn(b'\\x1b[2Jhello', self.scan('--unknown', path).stdout)

    def test_progress(self):
        """On a terminal it says how fast it is; elsewhere nothing."""
        master, slave = pty.openpty()
        process = subprocess.Popen([PROGRAM, 'scan-log', '--json', '-'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=slave)
        os.close(slave)
        with open(log('postscreen.log'), 'rb') as file:
            text = file.read()
        shown = b''
        try:
            while b'MB/s' not in shown:
                process.stdin.write(text * 2000)
                process.stdin.flush()
                os.set_blocking(master, False)
                try:
                    shown += os.read(master, 4096)
                except BlockingIOError:
                    pass
        finally:
            process.stdin.close()
            json.loads(process.stdout.read())
            process.stdout.close()
            self.assertEqual(process.wait(), 0)
            os.close(master)

    def test_what_cannot_be_read(self):
        for words, status, said in (
                ([self.folder], 1, 'Is a directory'), (['/nowhere'], 1, 'No such file'), ([], 64, 'too few'),
                (['--year', '12', '-'], 64, 'a year such as'), (['--since', 'soon', '-'], 64, 'expected a time'),
                (['--format', 'pdf', '-'], 64, 'expected text')):
            result = self.scan(*words)
            self.assertEqual(result.returncode, status)
            self.assertIn(said, result.stderr.decode())

    def test_a_damaged_file_counts_as_far_as_it_goes(self):
        path = os.path.join(self.folder, 'mail.log.gz')
        with open(log('postfix.log'), 'rb') as file:
            packed = gzip.compress(file.read())
        with open(path, 'wb') as file:
            file.write(packed[:-20])
        result = self.scan('--json', path)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b'ends early', result.stderr)
        self.assertGreater(json.loads(result.stdout)['lines'], 30)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
