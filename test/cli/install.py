#!/usr/bin/env python3
"""What `meson install` brings is whole: the program runs, each file is where its reader looks for it, a configuration that
is there already is kept, and systemd finds no fault with the unit, the user and the folders.

usage: install.py BUILD PREFIX"""
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

BUILD, PREFIX = os.path.abspath(sys.argv[1]), sys.argv[2]
TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
MANUAL = ['man1/postern.1', 'man5/postern.conf.5', 'man7/postern-events.7', 'man7/postern-findings.7',
          'man7/postern-questions.7', 'man7/postern-replies.7', 'man7/postern-stats.7']
COMPLETIONS = {'bash': 'bash-completion/completions/postern', 'zsh': 'zsh/site-functions/_postern',
               'fish': 'fish/vendor_completions.d/postern.fish'}


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.install()

    @classmethod
    def install(cls):
        subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild', '--destdir', cls.folder.name], check=True,
                       stdout=subprocess.DEVNULL, timeout=60)

    def at(self, *parts):
        """A file that was installed; its place begins with / or is below the prefix."""
        return self.folder.name + os.path.join(PREFIX, *parts)

    def systemd(self, program, *words):
        found = shutil.which(program)
        if not found:
            self.skipTest(f'there is no {program} here')
        result = subprocess.run([found, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                                timeout=60)
        self.assertEqual(result.returncode, 0, result.stdout)
        return result.stdout

    def test_program(self):
        path = self.at('sbin', 'postern')
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o755)
        self.assertRegex(subprocess.run([path, '--version'], capture_output=True, text=True, check=True, timeout=30).stdout,
                         r'^postern \d')

    def test_manual(self):
        for page in MANUAL:
            name = os.path.basename(page)
            self.assertEqual(read(self.at('share/man', page)), read(os.path.join(TOP, 'doc/man', name)), page)

    def test_completions(self):
        for shell, place in COMPLETIONS.items():
            printed = subprocess.run([self.at('sbin', 'postern'), 'completion', shell], capture_output=True, text=True,
                                     check=True, timeout=30).stdout
            self.assertGreater(len(printed), 500)
            self.assertEqual(read(self.at('share', place)), printed)

    def test_configuration_is_kept(self):
        path = self.at('/etc/postern/postern.conf')
        shipped = read(os.path.join(TOP, 'etc/postern.conf'))
        self.assertEqual(read(path), shipped)
        self.assertEqual(read(self.at('share/doc/postern/postern.conf')), shipped)
        with open(path, 'w', encoding='utf-8') as file:
            file.write('gates 3\n')
        self.install()
        self.assertEqual(read(path), 'gates 3\n')
        os.remove(path)
        os.symlink('elsewhere.conf', path)
        self.install()
        self.assertEqual(os.readlink(path), 'elsewhere.conf')
        os.remove(path)
        self.install()
        self.assertEqual(read(path), shipped)

    def test_unit(self):
        text = read(self.at('lib/systemd/system/postern.service'))
        program = os.path.join(PREFIX, 'sbin/postern')
        self.assertIn('\nType=notify\n', text)
        self.assertIn(f'\nExecStart={program} serve --foreground\n', text)
        self.assertIn(f'\nExecReload={program} reload\n', text)
        self.assertNotRegex(text, r'@\w+@')

    def test_unit_is_sound(self):
        # The manual that it names is looked for, too, with man(1), which knows nothing of this folder.
        text = read(self.at('lib/systemd/system/postern.service')).replace(PREFIX + '/sbin/postern', self.at('sbin/postern'))
        text = re.sub(r'^Documentation=.*\n', '', text, flags=re.M)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'postern.service')
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text)
            self.assertEqual(self.systemd('systemd-analyze', 'verify', path), '')

    def test_examples_are_sound(self):
        units = [self.at('share/doc/postern', f'postern-exports.{kind}') for kind in ('path', 'service')]
        with tempfile.TemporaryDirectory() as folder:
            for unit in units:
                text = re.sub(r'^Documentation=.*\n', '', read(unit), flags=re.M)
                with open(os.path.join(folder, os.path.basename(unit)), 'w', encoding='utf-8') as file:
                    file.write(text)
            self.assertEqual(self.systemd('systemd-analyze', 'verify', os.path.join(folder, 'postern-exports.path')), '')
        watched = set(re.findall(r'^PathChanged=(\S+)$', read(units[0]), re.M))
        self.assertGreater(len(watched), 2)
        for path in watched:
            self.assertIn(path, read(units[1]))

    def test_user_and_folders(self):
        if os.geteuid() != 0:
            self.skipTest('only root makes users and gives folders away')
        for name in ('etc/passwd', 'etc/group'):
            path = self.at('/', name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'a', encoding='utf-8'):
                pass
        root = '--root=' + self.folder.name
        self.systemd('systemd-sysusers', root, self.at('lib/sysusers.d/postern.conf'))
        found = re.search(r'^postern:x:(\d+):(\d+):Postern SMTP gate:/var/lib/postern:', read(self.at('/etc/passwd')), re.M)
        self.assertIsNotNone(found)
        self.systemd('systemd-tmpfiles', root, '--create', self.at('lib/tmpfiles.d/postern.conf'))
        for folder in ('/var/lib/postern', '/run/postern'):
            seen = os.stat(self.at(folder))
            self.assertEqual((stat.S_IMODE(seen.st_mode), seen.st_uid, seen.st_gid), (0o750, int(found[1]), int(found[2])))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
