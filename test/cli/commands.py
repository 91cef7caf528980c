#!/usr/bin/env python3
"""The command line answers as its help says: words and options are found or explained, exit statuses are those of the
manual, --json is JSON, and the shells' completions are made of the same table.

usage: commands.py POSTERN"""
import html.parser
import json
import os
import pty
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv[1])
QUIET = 'host-name mx.example.net\nuser root\ngroup root\n'
ROUTE = QUIET + 'route example.org { relay 192.0.2.1 }\n'


def postern(*words, stdout=subprocess.PIPE, **environment):
    return subprocess.run([PROGRAM, *words], stdout=stdout, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                          timeout=30, env=dict(os.environ, **environment))


def commands():
    """The names that --help lists."""
    lines = postern('--help').stdout.split('commands\n')[1].split('\n\n')[0]
    return [line.split()[0] for line in lines.split('\n')]


def on_terminal(*words, **environment):
    """What is printed where standard output is a terminal."""
    ours, theirs = pty.openpty()
    try:
        postern(*words, stdout=theirs, **environment)
        return os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)


class Configuration(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, text, name='p.conf'):
        path = os.path.join(self.folder.name, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path


class Words(unittest.TestCase):
    def test_help_of_the_program(self):
        for words in (['--help'], ['-h'], ['help']):
            result = postern(*words)
            self.assertEqual((result.returncode, result.stderr), (0, ''))
            self.assertIn('usage\n  postern [-c FILE] COMMAND', result.stdout)

    def test_help_of_each_command(self):
        names = commands()
        self.assertIn('why', names)
        for name in names:
            result = postern(name, '--help')
            self.assertEqual((result.returncode, result.stderr), (0, ''), name)
            self.assertTrue(result.stdout.startswith(f'postern {name}: '), name)
            for head in ('usage', 'options', 'examples'):
                self.assertIn(f'\n{head}\n', result.stdout, name)
            self.assertEqual(postern('help', name).stdout, result.stdout)
            self.assertLessEqual(max(len(line) for line in result.stdout.split('\n')[4:]), 100, name)

    def test_version(self):
        self.assertRegex(postern('--version').stdout, r'^postern \d+\.\d+\.\d+\n$')
        self.assertEqual(postern('-V').returncode, 0)

    def test_no_command(self):
        result = postern()
        self.assertEqual((result.returncode, result.stdout), (64, ''))
        self.assertEqual(result.stderr, 'postern: expected a command\nSee postern --help\n')

    def test_unknown_command(self):
        for word, nearest in (('chek-config', 'check-config'), ('wy', 'why'), ('HELP', 'help')):
            result = postern(word)
            self.assertEqual(result.returncode, 64)
            self.assertIn(f'there is no command "{word}": did you mean {nearest}?', result.stderr)
        result = postern('xyzzy')
        self.assertEqual((result.returncode, result.stdout), (64, ''))
        self.assertIn('there is no command "xyzzy"\n', result.stderr)

    def test_unknown_option(self):
        result = postern('why', '--jsno', '81')
        self.assertEqual((result.returncode, result.stdout), (64, ''))
        self.assertIn('there is no option --jsno: did you mean --json?', result.stderr)
        self.assertEqual(postern('why', '-x', '81').returncode, 64)
        self.assertIn('--config wants FILE behind it', postern('check-config', '-c').stderr)
        self.assertIn('--json takes nothing behind it', postern('why', '--json=1', '81').stderr)

    def test_too_many_or_few_arguments(self):
        self.assertIn('too few arguments: expected bash|zsh|fish', postern('completion').stderr)
        self.assertIn('too many arguments: expected [FILE]', postern('check-config', 'a', 'b').stderr)

    def test_output_that_cannot_be_written(self):
        with open('/dev/full', 'w', encoding='utf-8') as full:
            result = postern('why', stdout=full)
        self.assertEqual(result.returncode, 1)
        self.assertIn('cannot write the output: No space left on device', result.stderr)

    def test_colour(self):
        self.assertNotIn('\033', postern('why', '81').stdout)
        self.assertIn('\033[31m550\033[0m', on_terminal('why', '81', NO_COLOR=''))
        self.assertNotIn('\033', on_terminal('why', '81', NO_COLOR='1'))


class Page(html.parser.HTMLParser):
    """A page: its anchors, its links and its text. Nothing in it comes from elsewhere, and all elements are closed."""

    def __init__(self, name):
        super().__init__()
        self.ids, self.links, self.text, self.open = set(), [], '', []
        with open(name, encoding='utf-8') as file:
            self.feed(file.read())
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        assert tag not in ('script', 'img', 'link', 'iframe') and 'src' not in attrs, tag
        if tag not in ('meta', 'br'):
            self.open.append(tag)
        if 'id' in attrs:
            assert attrs['id'] not in self.ids, attrs['id']
            self.ids.add(attrs['id'])
        if tag == 'a':
            self.links.append(attrs['href'])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data


class Why(unittest.TestCase):
    def test_number(self):
        for words in (['81'], ['#81'], ['# 81'], ['--', '81'], ['550 5.7.1 no <a@b>  #81 (028t5cy4tqkff)'],
                      ['550', '5.7.1', 'no', '#12', '#81', '(x)'], ['#81 (zz'], ['l="550 5.7.1 x #81 (028t5cy4tqkff)"']):
            result = postern('why', *words)
            self.assertEqual((result.returncode, result.stderr), (0, ''), words)
            self.assertTrue(result.stdout.startswith('#81  550 5.7.1 we do not relay for <...>\n'), words)
            self.assertIn('What causes it\n', result.stdout)
            self.assertIn('What the sender can do\n', result.stdout)

    def test_session(self):
        self.assertIn('028t5cy4tqkff began at 2020-08-14T05:41:13.382Z.', postern('why', '#81 (028t5cy4tqkff)').stdout)
        self.assertNotIn('began', postern('why', '#81').stdout)

    def test_unknown(self):
        for word in ('#999', '0', '18446744073709551615', '19'):
            result = postern('why', word)
            self.assertEqual((result.returncode, result.stdout), (1, ''), word)
            self.assertIn('there is no reply #', result.stderr)
        for word in ('foo', '', '#', '# x', '18446744073709551616', '-81', '8 1'):
            result = postern('why', '--', word)
            self.assertEqual((result.returncode, result.stdout), (64, ''), word)
            self.assertIn('expected a number', result.stderr)

    def test_json(self):
        found = json.loads(postern('why', '--json', '#81 (028t5cy4tqkff)').stdout)
        self.assertEqual((found['number'], found['code'], found['enhanced'], found['name'], found['session']),
                         (81, 550, '5.7.1', 'RELAY_DENIED', '028t5cy4tqkff'))
        rows = [json.loads(line) for line in postern('why', '--json').stdout.split('\n') if line]
        self.assertGreater(len(rows), 60)
        self.assertIn(found['cause'], [row['cause'] for row in rows])

    def test_pages(self):
        rows = [json.loads(line) for line in postern('why', '--json').stdout.split('\n') if line]
        with tempfile.TemporaryDirectory() as folder:
            name = os.path.join(folder, 'replies.html')
            result = postern('why', '--html', name)
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, '', ''))
            page = Page(name)
            self.assertEqual(page.ids, {str(row['number']) for row in rows} | {'index'})
            self.assertEqual({link[1:] for link in page.links}, {str(row['number']) for row in rows})
            with open(name, encoding='utf-8') as file:
                self.assertEqual(postern('why', '--html', '-').stdout, file.read())
            self.assertEqual(os.listdir(folder), ['replies.html'])
            for row in rows:
                for words in (row['cause'], row['remedy'], row['text']):
                    self.assertIn(words, page.text)

    def test_folder_of_pages(self):
        rows = [json.loads(line) for line in postern('why', '--json').stdout.split('\n') if line]
        with tempfile.TemporaryDirectory() as folder:
            result = postern('why', '--html', folder)
            self.assertEqual((result.returncode, result.stdout), (0, f'{len(rows) + 1} pages are in {folder}\n'))
            names = {f'{row["number"]}.html' for row in rows}
            self.assertEqual(set(os.listdir(folder)), names | {'index.html'})
            self.assertEqual(set(Page(os.path.join(folder, 'index.html')).links), names)
            for row in rows:
                page = Page(os.path.join(folder, f'{row["number"]}.html'))
                self.assertEqual((page.ids, page.links), ({str(row['number'])}, ['index.html']))
                self.assertIn(row['cause'], page.text)
                self.assertIn(row['remedy'], page.text)

    def test_pages_that_cannot_be(self):
        result = postern('why', '--html', '/nonexistent/replies.html')
        self.assertEqual((result.returncode, result.stdout), (1, ''))
        self.assertIn('cannot write /nonexistent/replies.html', result.stderr)
        self.assertEqual(postern('why', '--html', '-', '81').returncode, 64)

    def test_each_reply_is_explained(self):
        for row in [json.loads(line) for line in postern('why', '--json').stdout.split('\n') if line]:
            text = postern('why', str(row['number'])).stdout
            self.assertIn(f'#{row["number"]}  {row["code"]}', text)
            self.assertNotIn('{', text)


class CheckConfig(Configuration):
    def test_fine(self):
        path = self.file(ROUTE)
        for words in (['check-config', path], ['-c', path, 'check-config'], ['check-config', '-c', path],
                      ['check-config', f'--config={path}'], [f'-c{path}', 'check-config'],
                      ['-c', '/nowhere', 'check-config', '-c', path]):
            result = postern(*words)
            self.assertEqual((result.returncode, result.stderr), (0, ''), words)
            self.assertTrue(result.stdout.startswith(f'{path} is fine\n\nmx.example.net answers at 0.0.0.0:25'), words)
            self.assertRegex(result.stdout, r'\nexample\.org +relay +192\.0\.2\.1:25 +whom the server takes\n')
            self.assertNotIn('but\n', result.stdout)

    def test_environment(self):
        path = self.file(ROUTE)
        self.assertIn(f'{path} is fine', postern('check-config', POSTERN_CONF=path).stdout)
        self.assertIn(f'{path} is fine', postern('check-config', '-c', path, POSTERN_CONF='/nowhere').stdout)
        self.assertEqual(postern('check-config', POSTERN_CONF='/nowhere').returncode, 78)

    def test_warnings_do_not_fail(self):
        path = self.file(QUIET)
        result = postern('check-config', path)
        self.assertEqual(result.returncode, 0)
        self.assertTrue(result.stdout.endswith(f'\nbut\n{path}: there is no route: every recipient is refused\n'))

    def test_mistakes(self):
        path = self.file('limits.recipient 5\nlisten x\n')
        result = postern('check-config', path)
        self.assertEqual((result.returncode, result.stderr), (78, ''))
        self.assertEqual(result.stdout,
                         f'{path}:1: unknown setting "limits.recipient": did you mean limits.recipients?\n'
                         f'{path}:2: listen cannot be "x": expected ADDRESS:PORT, such as 0.0.0.0:25 or [::]:25\n'
                         '2 mistakes\n')

    def test_missing(self):
        result = postern('check-config', '/nowhere/p.conf')
        self.assertEqual(result.returncode, 78)
        self.assertIn('/nowhere/p.conf: the configuration file cannot be read: No such file or directory', result.stdout)

    def test_json(self):
        good = json.loads(postern('check-config', '--json', self.file(ROUTE)).stdout)
        self.assertIs(good['fine'], True)
        self.assertEqual((good['mistakes'], good['warnings'], good['host_name']), ([], [], 'mx.example.net'))
        self.assertEqual(good['routes'], [{'domains': ['example.org'], 'kind': 'relay', 'to': '192.0.2.1:25'}])
        path = self.file('gates 99\n')
        result = postern('check-config', '--json', path)
        self.assertEqual(result.returncode, 78)
        bad = json.loads(result.stdout)
        self.assertIs(bad['fine'], False)
        self.assertEqual(bad['mistakes'], [{'file': path, 'line': 1,
                                            'text': 'gates cannot be "99": expected a whole number, from 0 to 64'}])


class Queue(Configuration):
    def test_nobody_runs(self):
        path = self.file(ROUTE + f'run-directory {self.folder.name}\n')
        for words in ((), ('list',), ('list', '--json'), ('show', 'x'), ('retry',)):
            result = postern('-c', path, 'queue', *words)
            self.assertEqual((result.returncode, result.stdout), (1, ''), words)
            self.assertEqual(result.stderr, 'postern queue: the gate is not running: nobody listens at '
                             f'{self.folder.name}/courier.sock\n')


class Known(Configuration):
    def test_nobody_runs(self):
        path = self.file(ROUTE + f'run-directory {self.folder.name}\n')
        for words in ((), ('list',), ('list', '--json'), ('show', '192.0.2.7'), ('forget', 'far.example')):
            result = postern('-c', path, 'known', *words)
            self.assertEqual((result.returncode, result.stdout), (1, ''), words)
            self.assertEqual(result.stderr, 'postern known: the gate is not running: nobody listens at '
                             f'{self.folder.name}/keeper.sock\n')

    def test_words(self):
        path = self.file(ROUTE + f'run-directory {self.folder.name}\n')
        for words, told in ((('list', 'x'), 'list takes no name; show does'),
                            (('forget',), 'forget wants an address, a network or a domain'),
                            (('remove', 'x'), 'there is no "remove": it is list, show or forget')):
            result = postern('-c', path, 'known', *words)
            self.assertEqual((result.returncode, result.stdout), (64, ''), words)
            self.assertIn(told, result.stderr)


class Completion(unittest.TestCase):
    def complete(self, *words):
        script = postern('completion', 'bash').stdout + \
            'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _postern; printf "%s\\n" "${COMPREPLY[@]}"'
        result = subprocess.run(['bash', '-c', script, 'bash', *words], capture_output=True, text=True, check=True, timeout=30)
        self.assertEqual(result.stderr, '')
        return result.stdout.split()

    def test_bash(self):
        self.assertEqual(set(commands()) - set(self.complete('postern', '')), set())
        self.assertEqual(self.complete('postern', 'check'), ['check-config'])
        self.assertEqual(self.complete('postern', '-c', 'why', 'check'), ['check-config'])
        self.assertEqual(self.complete('postern', '-c', 'x', 'why', '--j'), ['--json'])
        self.assertEqual(self.complete('postern', 'help', 'wh'), ['why'])
        self.assertEqual(self.complete('postern', 'completion', 'z'), ['zsh'])
        self.assertEqual(self.complete('postern', '-c', ''), [])

    def test_zsh(self):
        script = postern('completion', 'zsh').stdout
        self.assertTrue(script.startswith('#compdef postern\n'))
        for name in commands():
            self.assertIn(f"'{name}:", script)
            self.assertIn(f'        {name}) _arguments', script)
        try:
            check = subprocess.run(['zsh', '-n'], input=script, capture_output=True, text=True, check=False, timeout=30)
        except FileNotFoundError:
            self.skipTest('there is no zsh here')
        self.assertEqual((check.returncode, check.stderr), (0, ''))

    def test_fish(self):
        script = postern('completion', 'fish').stdout
        for name in commands():
            self.assertIn(f" -n '__fish_use_subcommand' -a {name} -d '", script)
        try:
            def complete(typed):
                result = subprocess.run(['fish', '--no-config', '-c', f'{script}\ncomplete -C"{typed}"'], capture_output=True,
                                        text=True, check=True, timeout=30)
                self.assertEqual(result.stderr, '')
                return [line.split('\t')[0] for line in result.stdout.split('\n') if line]
            self.assertEqual(complete('postern check'), ['check-config'])
            self.assertEqual(complete('postern help wh'), ['why'])
            self.assertEqual(complete('postern sessions --cl'), ['--client'])
            self.assertEqual(complete('postern why --cl'), [])
            self.assertEqual(complete('postern completion z'), ['zsh'])
        except FileNotFoundError:
            self.skipTest('there is no fish here')


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
