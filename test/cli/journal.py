#!/usr/bin/env python3
"""sessions, explain and journal find what the journal holds, say it in words for people and in stable keys for
programs, and say plainly when there is nothing.

usage: journal.py POSTERN SAMPLE"""
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAM, SAMPLE = (os.path.abspath(word) for word in sys.argv[1:3])
KEYS = 'id time address ptr helo from to findings verdict reply number octets seconds'.split()


def wait_until_polling(pid):
    """Until the process waits for descriptors: the numbers are those of poll and ppoll."""
    for _ in range(3000):
        with open(f'/proc/{pid}/syscall', encoding='ascii') as file:
            if file.read().split()[0] in ('7', '73', '271'):
                return
        time.sleep(0.01)
    raise TimeoutError('it never polls')


class Journal(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.state = os.path.join(folder.name, 'state')
        self.config = os.path.join(folder.name, 'p.conf')
        os.mkdir(self.state)
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write(f'host-name mx.example.net\nuser root\ngroup root\nstate-directory {self.state}\n'
                       f'run-directory {folder.name}\nroute example.net {{ relay 192.0.2.1 }}\n')

    def sample(self):
        subprocess.run([SAMPLE, os.path.join(self.state, 'journal')], check=True, timeout=30)

    def environment(self):
        return dict(os.environ, TZ='UTC')

    def postern(self, *words):
        return subprocess.run([PROGRAM, *words, '-c', self.config], capture_output=True, text=True, timeout=30,
                              stdin=subprocess.DEVNULL, env=self.environment(), check=False)

    def sessions(self, *words):
        """The clients that are found, the newest first."""
        result = self.postern('sessions', '--json', *words)
        return [json.loads(line)['address'] for line in result.stdout.splitlines()]

    def files(self):
        folder = os.path.join(self.state, 'journal')
        return sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith('.journal'))


class Sessions(Journal):
    def test_newest_come_first(self):
        self.sample()
        self.assertEqual(self.sessions(), ['2001:db8::5', '198.51.100.9', '192.0.2.7', '36.37.0.13'])
        self.assertEqual(self.sessions('--limit', '2'), ['2001:db8::5', '198.51.100.9'])

    def test_each_option_finds(self):
        self.sample()
        for words, wanted in (
                (['--client', '192.0.2.0/24'], ['192.0.2.7']),
                (['--client', '2001:db8::5'], ['2001:db8::5']),
                (['--ptr', 'MAIL.example.org'], ['192.0.2.7']),
                (['--ptr', 'example.ORG'], ['192.0.2.7']),
                (['--ptr', '*ail.ex*'], ['192.0.2.7']),
                (['--ptr', 'ail.example.org'], []),
                (['--from', '@example.org'], ['192.0.2.7']),
                (['--from', '<>'], ['2001:db8::5']),
                (['--reply', '#82'], ['192.0.2.7']),
                (['--helo', 'desk98'], ['36.37.0.13']),
                (['--from', 'alice@EXAMPLE.org'], ['192.0.2.7']),
                (['--to', 'jill'], ['2001:db8::5']),
                (['--to', 'nobody@'], ['192.0.2.7']),
                (['--finding', 'junk'], ['198.51.100.9']),
                (['--verdict', 'reject'], ['192.0.2.7']),
                (['--verdict', 'pass'], ['2001:db8::5', '36.37.0.13']),
                (['--since', '2026-07-24T04:00:00Z'], ['2001:db8::5', '198.51.100.9']),
                (['--until', '2026-07-24 04:00'], ['192.0.2.7', '36.37.0.13']),
                (['--since', '2026-07-24 03:00', '--until', '2026-07-24 04:00'], ['192.0.2.7']),
                (['--since', '1s'], []),
                (['--verdict', 'drop', '--to', 'jill'], [])):
            self.assertEqual(self.sessions(*words), wanted, words)

    def test_keys_for_programs_stay(self):
        self.sample()
        lines = self.postern('sessions', '--json').stdout.splitlines()
        for line in lines:
            self.assertEqual(list(json.loads(line)), KEYS)
        session = json.loads(lines[2])
        self.assertRegex(session['id'], '^[0-9a-hjkmnp-tv-z]{13}$')
        session['id'] = ''
        self.assertEqual(session, {
            'id': '', 'time': '2026-07-24T03:35:56.000Z', 'address': '192.0.2.7', 'ptr': 'mail.example.org',
            'helo': 'mail.example.org', 'from': 'Alice@example.org', 'to': ['nobody@example.net'],
            'findings': ['unknown-recipient'], 'verdict': 'reject',
            'reply': '550 5.1.1 there is no <nobody@example.net> here #82 (x)', 'number': 82, 'octets': 99,
            'seconds': 3.5})

    def test_table_for_people(self):
        self.sample()
        lines = self.postern('sessions').stdout.splitlines()
        self.assertRegex(lines[0], r'^SESSION +TIME +CLIENT +HELO +FROM +TO +OCTETS +RESULT$')
        self.assertRegex(lines[1], r'2026-07-24 05:35:56  2001:db8::5 +six.example.org +<> +<joe@example.net> \+1 +4444  '
                                   r'accepted$')
        self.assertRegex(lines[2], r'198\.51\.100\.9 +40  421 4\.7\.0 mx\.example\.net this is an SMTP server$')
        self.assertRegex(lines[3], r'<nobody@example\.net> +99  550 5\.1\.1 there is no')

    def test_wrong_words_are_explained(self):
        for words in (['--client', '192.0.2.0/33'], ['--finding', 'nonsense'], ['--verdict', 'maybe'], ['--since', 'noon'],
                      ['--limit', 'all']):
            result = self.postern('sessions', *words)
            self.assertEqual((result.returncode, result.stdout), (64, ''), words)
            self.assertIn(words[1], result.stderr)

    def test_following(self):
        os.mkdir(os.path.join(self.state, 'journal'))
        process = subprocess.Popen([PROGRAM, 'sessions', '--follow', '--json', '-c', self.config], stdout=subprocess.PIPE,
                                   text=True, env=self.environment())
        late = threading.Timer(30, process.kill)
        late.start()
        try:
            wait_until_polling(process.pid)
            self.sample()
            found = {json.loads(process.stdout.readline())['address'] for _ in range(4)}
        finally:
            late.cancel()
            process.send_signal(signal.SIGINT)
            process.stdout.close()
            process.wait(timeout=30)
        self.assertEqual(found, {'2001:db8::5', '198.51.100.9', '192.0.2.7', '36.37.0.13'})


class Explain(Journal):
    def explain(self, client, *words):
        session = next(json.loads(line) for line in self.postern('sessions', '--json').stdout.splitlines()
                       if json.loads(line)['address'] == client)
        result = self.postern('explain', session['id'], *words)
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        return result.stdout

    def sentence(self, text):
        return re.sub(r'\s+', ' ', text.split('\n', 1)[1].split('\n\n')[0])

    def test_sentences(self):
        self.sample()
        for client, wanted in (
                ('36.37.0.13',
                 '[36.37.0.13], which calls itself Made-Up-Name-desk98, sent a message of 1,285 octets from '
                 '<Made-Up-Name-emailplus@321media.com> to <recipes@hypertouch.com>; it was accepted, and delivered to '
                 'joepublic; after 2 min 42 s the client said QUIT.'),
                ('192.0.2.7',
                 'mail.example.org [192.0.2.7] tried to send a message from <Alice@example.org> to <nobody@example.net>; it '
                 'was refused because the recipient does not exist here: there is no mailbox nobody@example.net (550 5.1.1 there is '
                 'no <nobody@example.net> here #82 (x)); after 3.5 s the client said QUIT.'),
                ('198.51.100.9',
                 '[198.51.100.9] sent no mail; the gate closed the connection because it kept sending words that are no mail '
                 'commands (421 4.7.0 mx.example.net this is an SMTP server); after 120 ms the gate closed the connection.'),
                ('2001:db8::5',
                 '[2001:db8::5], which calls itself six.example.org, sent a message of 4,300 octets from the null sender <> to '
                 '<joe@example.net> and one other recipient; it was accepted, and delivered to joe, but a delivery waits: '
                 'connection refused; after 800 ms the client closed the connection without QUIT.')):
            self.assertEqual(self.sentence(self.explain(client)), wanted)

    def test_log_by_level(self):
        self.sample()
        log = self.explain('36.37.0.13', '--view', 'log').split('\n\n', 1)[1]
        self.assertIn('02:36:51 4 SMTP-750([36.37.0.13]) Input Line: HELO Made-Up-Name-desk98\\r\n', log)
        self.assertNotIn(' 5 SMTP', log)
        log = self.explain('36.37.0.13', '--level', '5').split('\n\n', 1)[1]
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../journal/golden/seed-001.log'),
                  encoding='utf-8') as golden:
            self.assertEqual(log, golden.read())
        log = self.explain('2001:db8::5', '--level', '2').split('\n\n', 1)[1]
        self.assertRegex(log, r'SYSTEM\(MAILDIR\) \[[0-9a-z]{13}\.1\] delivered to \(joe\)\n')
        self.assertIn('deferred at (inner.example)', log)

    def test_nothing_steers_the_terminal(self):
        self.sample()
        self.assertIn('POST / HTTP/1.0 \\x1b[2J', self.explain('198.51.100.9'))

    def test_colours_on_terminals_alone(self):
        self.sample()
        self.assertNotIn('\033', self.explain('36.37.0.13'))
        ours, theirs = pty.openpty()
        try:
            subprocess.run([PROGRAM, 'explain', '-c', self.config], stdout=theirs, check=True, timeout=30,
                           env=dict(self.environment(), NO_COLOR=''))
            self.assertIn('\033[1;31m', os.read(ours, 65536).decode())
        finally:
            os.close(ours)
            os.close(theirs)

    def test_views_and_formats(self):
        self.sample()
        for view in ('annotated', 'log', 'sender'):
            text = self.explain('192.0.2.7', '--view', view)
            self.assertIn('RCPT TO:<nobody@example.net>', text)
            page = self.explain('192.0.2.7', '--view', view, '--format', 'html')
            self.assertTrue(page.startswith('<!DOCTYPE html>') and page.endswith('</html>\n'))
            self.assertIn('RCPT TO:&lt;nobody@example.net&gt;', page)
            self.assertNotIn('<script', page)
            self.assertIsNone(re.search(r'(src|href)=', page))
            document = json.loads(self.explain('192.0.2.7', '--view', view, '--format', 'json'))
            self.assertEqual(document['view'], view)
            self.assertTrue(any(line['style'] == 'client' and line['text'].startswith('RCPT TO:<nobody@example.net>')
                                for line in document['lines']))
        self.assertEqual(self.explain('192.0.2.7'), self.explain('192.0.2.7', '--view', 'annotated'))
        self.assertIn('There is nobody of that name here.', self.explain('192.0.2.7'))
        sender = self.explain('192.0.2.7', '--view', 'sender')
        self.assertNotIn('unknown-recipient', sender)
        self.assertNotIn('weigh', sender)

    def test_redaction(self):
        self.sample()
        for words in (['--view', 'annotated'], ['--view', 'log', '--level', '5'], ['--format', 'html'],
                      ['--format', 'json'], ['--json']):
            shown = self.explain('192.0.2.7', '--redact', *words)
            self.assertNotIn('nobody@', shown, words)
            self.assertNotIn('Alice@', shown, words)
            self.assertIn('@example.net', shown)
            shown = self.explain('36.37.0.13', '--redact', *words)
            self.assertNotIn('36.37.0.13', shown, words)
            self.assertNotIn('joepublic', shown, words)
            self.assertIn('192.0.2.', shown)

    def follow(self, wanted, *words):
        """The lines that --follow prints while the sample is written, until `wanted` came."""
        process = subprocess.Popen([PROGRAM, 'explain', '--follow', *words, '-c', self.config], stdout=subprocess.PIPE,
                                   text=True, env=self.environment())
        late = threading.Timer(30, process.kill)
        late.start()
        lines = []
        try:
            wait_until_polling(process.pid)
            self.sample()
            for line in process.stdout:
                lines.append(line)
                if wanted in line:
                    break
        finally:
            late.cancel()
            process.send_signal(signal.SIGINT)
            process.stdout.close()
            process.wait(timeout=30)
        self.assertIn(wanted, ''.join(lines))
        return ''.join(lines)

    def test_following(self):
        os.mkdir(os.path.join(self.state, 'journal'))
        for words, wanted, not_wanted in (
                (['--view', 'log', '--client', '198.51.100.0/24'], 'Session: 0 of 0', 'Alice@example.org'),
                (['--view', 'log', '--from', 'alice@'], 'Session: 0 of 1', '198.51.100.9'),
                (['--view', 'log', '--to', 'NOBODY@example.net', '--verdict', 'reject'], 'Session: 0 of 1', '36.37.0.13'),
                (['--view', 'log', '--finding', 'helo-unverified'], 'disposing line', '198.51.100.9'),
                (['--view', 'annotated', '--verdict', 'drop'], 'What the sender can do', 'Alice@example.org'),
                (['--view', 'sender', '--format', 'json', '--from', 'alice'], '"view":"sender"', '198.51.100.9')):
            said = self.follow(wanted, *words)
            self.assertNotIn(not_wanted, said, words)
            for name in self.files():
                os.unlink(name)
        # What came before the condition was met is shown, too.
        self.assertIn('Got connection from [192.0.2.7', self.follow('Session: 0 of 1', '--view', 'log', '--to', 'nobody'))

    def test_last_is_what_ended_last(self):
        self.sample()
        self.assertIn('2001:db8::5', self.postern('explain').stdout)
        self.assertEqual(self.postern('explain', 'last').stdout, self.postern('explain').stdout)

    def test_ids_as_they_stand_in_replies_and_queue(self):
        self.sample()
        session = json.loads(self.postern('sessions', '--json').stdout.splitlines()[0])['id']
        wanted = self.postern('explain', session).stdout
        for form in (f'({session})', session.upper(), f'{session}.1'):
            self.assertEqual(self.postern('explain', form).stdout, wanted, form)

    def test_what_is_not_over(self):
        self.sample()
        opened = [json.loads(line) for line in self.postern('journal', 'dump', 'gate-0').stdout.splitlines()
                  if '203.0.113.4' in line]
        text = self.postern('explain', opened[0]['session']).stdout
        self.assertIn('[203.0.113.4], which calls itself open.example.org, connected and sent no mail; no end of the session '
                      'is recorded.', self.sentence(text))

    def test_json(self):
        self.sample()
        lines = [json.loads(line) for line in self.explain('192.0.2.7', '--json').splitlines()]
        self.assertEqual(list(lines[0]), KEYS + ['sentence'])
        self.assertEqual([line['event'] for line in lines[1:4]], ['session-opened', 'line-received', 'reply-sent'])
        self.assertEqual(next(line for line in lines if line.get('event') == 'verdict')['verdict_word'], 'reject')

    def test_wrong_words_are_explained(self):
        self.sample()
        self.assertEqual(self.postern('explain', 'nonsense').returncode, 64)
        for words in (['--level', '6'], ['--view', 'nonsense'], ['--format', 'pdf'], ['--colour', 'blue'], ['--to', 'joe'],
                      ['--follow', '--format', 'html'], ['--follow', 'last'], ['--follow', '--client', 'x'],
                      ['--follow', '--finding', 'nonsense'], ['--follow', '--verdict', 'maybe']):
            self.assertEqual(self.postern('explain', *words).returncode, 64, words)
        result = self.postern('explain', '028t5cy4tqkff')
        self.assertEqual(result.returncode, 1)
        self.assertIn('has no session 028t5cy4tqkff', result.stderr)


class History(Journal):
    WORDS = (['--client', '192.0.2.0/24'], ['--ptr', 'example.org'], ['--to', 'jill'], ['--from', '<>'], ['--verdict', 'pass'],
             ['--finding', 'junk'], ['--until', '2026-07-24 04:00'], [])

    def days(self):
        return [json.loads(line) for line in self.postern('history', '--json').stdout.splitlines()]

    def rebuild(self):
        result = self.postern('history', 'rebuild')
        self.assertEqual((result.returncode, result.stderr), (0, ''))

    def test_finds_the_same(self):
        self.sample()
        before = [self.sessions(*words) for words in self.WORDS]
        self.rebuild()
        self.assertEqual([(day['day'], day['sessions']) for day in self.days()], [('2026-07-24', 4)])
        self.assertEqual([self.sessions(*words) for words in self.WORDS], before)
        for words, found in zip(self.WORDS, before):
            self.assertEqual(self.postern('sessions', '--count', *words).stdout, f'{len(found)}\n', words)
        self.rebuild()
        self.assertEqual([self.sessions(*words) for words in self.WORDS], before)

    def test_explain_goes_to_the_place(self):
        self.sample()
        before = self.postern('explain', 'last').stdout
        self.rebuild()
        self.assertEqual(self.postern('explain', 'last').stdout, before)

    def test_damage_is_told(self):
        self.sample()
        self.rebuild()
        self.assertEqual(self.postern('history', 'verify').returncode, 0)
        with open(os.path.join(self.state, 'history', '2026-07-24.db'), 'r+b') as file:
            file.write(b'x' * 4096)
        result = self.postern('history', 'verify')
        self.assertEqual(result.returncode, 1)
        self.assertIn('damaged', result.stdout)
        result = self.postern('sessions')
        self.assertIn('1 day of the history cannot be searched', result.stderr)
        self.rebuild()
        self.assertEqual(self.postern('history', 'verify').returncode, 0)
        self.assertEqual(len(self.sessions()), 4)

    def test_wrong_words_are_explained(self):
        self.assertEqual(self.postern('history', 'burn').returncode, 64)
        result = self.postern('history')
        self.assertEqual(result.returncode, 1)
        self.assertIn('there is no history', result.stderr)


class Files(Journal):
    def test_list(self):
        self.sample()
        rows = [json.loads(line) for line in self.postern('journal', 'list', '--json').stdout.splitlines()]
        self.assertEqual([(row['role'], row['number'], row['version']) for row in rows],
                         [('courier', 0, '0.1.0'), ('gate', 0, '0.1.0'), ('gate', 1, '0.1.0')])
        self.assertIn('gate-1.20260724T033556Z.00000001.journal', self.postern('journal', 'list', 'gate').stdout)
        self.assertNotIn('courier', self.postern('journal', 'list', 'gate').stdout)

    def test_verify(self):
        self.sample()
        result = self.postern('journal', 'verify')
        self.assertEqual((result.returncode, result.stdout.count('sound')), (0, 3))
        with open(self.files()[1], 'r+b') as file:
            file.seek(400)
            file.write(b'XXXX')
        result = self.postern('journal', 'verify')
        self.assertEqual((result.returncode, result.stdout.count('sound')), (1, 2))
        self.assertRegex(result.stdout, r'damaged .* octets unreadable')

    def test_dump(self):
        self.sample()
        lines = [json.loads(line) for line in self.postern('journal', 'dump').stdout.splitlines()]
        self.assertEqual(sum(line['event'] == 'session-ended' for line in lines), 4)
        late = self.postern('journal', 'dump', 'gate', '--since', '2026-07-24T06:00:00Z').stdout.splitlines()
        self.assertEqual(json.loads(late[0])['peer'], '203.0.113.4:40000')

    def test_wrong_words_are_explained(self):
        self.sample()
        self.assertEqual(self.postern('journal', 'burn').returncode, 64)
        result = self.postern('journal', 'list', 'gate-9')
        self.assertEqual(result.returncode, 1)
        self.assertIn('has no gate-9', result.stderr)


class Nothing(Journal):
    COMMANDS = (['sessions'], ['explain'], ['journal', 'list'], ['journal', 'verify'], ['journal', 'dump'])

    def test_no_journal(self):
        for words in self.COMMANDS:
            result = self.postern(*words)
            self.assertEqual((result.returncode, result.stdout), (1, ''), words)
            self.assertIn('the gate has not run with this configuration yet', result.stderr)

    def test_empty_journal(self):
        os.mkdir(os.path.join(self.state, 'journal'))
        for words in self.COMMANDS:
            result = self.postern(*words)
            self.assertEqual((result.returncode, result.stdout), (1, ''), words)
            self.assertIn('is empty', result.stderr)

    def test_unreadable_journal(self):
        self.sample()
        for path in self.files():
            with open(path, 'wb') as file:
                file.write(b'no journal')
        for words in self.COMMANDS:
            result = self.postern(*words)
            self.assertEqual((result.returncode, result.stdout), (1, ''), words)
            self.assertIn('does not begin as a journal file', result.stderr)

    def test_nothing_like_that(self):
        self.sample()
        result = self.postern('sessions', '--from', 'nobody-like-that')
        self.assertEqual((result.returncode, result.stdout), (1, ''))
        self.assertIn('no session is like that', result.stderr)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
