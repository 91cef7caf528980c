#!/usr/bin/env python3
"""The manual and the program agree: each command, option and directive has its entry, and the examples of
postern.conf(5) and of the guides are configurations without mistakes.

usage: manual.py POSTERN"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv[1])
TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))


def read(name):
    with open(os.path.join(TOP, name), encoding='utf-8') as file:
        return file.read()


class Manual(unittest.TestCase):
    def check(self, folder, text):
        """The configuration is fine, and there is nothing to warn of."""
        path = os.path.join(folder, 'p.conf')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text + 'user root\ngroup root\n')
        with open(os.path.join(folder, 'aliases'), 'w', encoding='utf-8') as file:
            file.write('sales: joe, jill\n')
        result = subprocess.run([PROGRAM, 'check-config', path], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertNotIn('\nbut\n', result.stdout)

    def test_commands(self):
        result = subprocess.run([os.path.join(TOP, 'doc/man/commands'), '--check', PROGRAM], capture_output=True, text=True,
                                check=False, timeout=60)
        self.assertEqual((result.returncode, result.stdout), (0, ''))

    def test_directives(self):
        page = read('doc/man/postern.conf.5')
        described = set(re.findall(r'^\.(?:Ss|It Ic) ([a-z-]+)', page, re.M))
        known = {'include'}
        for name in ('conf_site.c', 'conf_route.c', 'conf_policy.c'):
            known |= set(re.findall(r'^    \{"([a-z-]+)", "', read(f'src/daemon/{name}'), re.M))
        self.assertGreater(len(known), 15)
        self.assertEqual(known - described, set())

    def test_examples_of_the_configuration(self):
        page = read('doc/man/postern.conf.5')
        examples = re.findall(r'^\.Bd -literal[^\n]*\n(.*?)^\.Ed$', page[page.index('.Sh EXAMPLES'):], re.M | re.S)
        self.assertGreaterEqual(len(examples), 2)
        for example in examples:
            with tempfile.TemporaryDirectory() as folder:
                self.check(folder, example.replace('\\e', '\\'))

    def test_configurations_of_the_guides(self):
        for name in sorted(os.listdir(os.path.join(TOP, 'doc/guides'))):
            blocks = re.findall(r'^```conf\n(.*?)^```$', read(f'doc/guides/{name}'), re.M | re.S)
            text = ''.join(block for block in blocks if 'certificate' not in block)
            if not text:
                continue
            with tempfile.TemporaryDirectory() as folder:
                self.check(folder, text)

    def test_commands_of_the_guides(self):
        listed = subprocess.run([PROGRAM, 'help', '--json'], capture_output=True, text=True, check=True, timeout=60).stdout
        commands = {command['name'] for command in map(json.loads, listed.split('\n')[:-1])}
        for name in sorted(os.listdir(os.path.join(TOP, 'doc/guides'))):
            for block in re.findall(r'^```sh\n(.*?)^```$', read(f'doc/guides/{name}'), re.M | re.S):
                for used in re.findall(r'(?:^|&& )(?:build/)?postern (?:-c \S+ )?([a-z-]+)', block, re.M):
                    self.assertIn(used, commands, name)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
