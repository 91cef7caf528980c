#!/usr/bin/env python3
"""scan-log finds the pattern of the five attempts and leaves a pool alone, counts what awk counts, reads its input in every form, says what it did not understand, and refuses what it
cannot read.

usage: scan_log.py POSTERN"""
import gzip
import html.parser
import json
import os
import pty
import re
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


class Page(html.parser.HTMLParser):
    """Every element that is opened is closed."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in ('meta',):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()


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

    def recount(self, path, server, year='2026'):
        """What awk counts is what was counted."""
        found = self.found('--year', year, path)
        awk = subprocess.run(['awk', '-f', os.path.join(HERE, f'scan_log_{server}.awk'), path], capture_output=True, text=True,
                             check=True, timeout=60)
        wanted = {name: int(value) for name, value in (line.split() for line in awk.stdout.splitlines())}
        seen = dict(found['counts'], lines=found['lines'], attempts=found['attempts'],
                    **{f'verdict-{name}': count for name, count in found['verdicts'].items()})
        self.assertEqual({name: seen[name] for name in wanted}, wanted)
        self.assertEqual(sum(found['verdicts'].values()), found['attempts'])
        return found

    def test_counts_are_those_of_awk(self):
        for name, server, year in ('postfix', 'postfix', '2026'), ('postscreen', 'postfix', '2026'), \
                ('sendmail', 'sendmail', '2026'), ('seed-003', 'sendmail', '2003'):
            with self.subTest(log=name):
                self.assertGreater(self.recount(log(f'{name}.log'), server, year)['attempts'], 0)
        for seed, form in ('1', ''), ('2', '--iso'):
            found = self.recount(self.generated('--sessions', '700', '--seed', seed, *form.split()), 'postfix')
            self.assertEqual(found['unknown'], 0)
            self.assertGreater(found['attempts'], 500)

    def test_five_attempts_are_one(self):
        found = self.found('--year', '2003', log('seed-003.log'))
        campaign, = found['campaigns']
        self.assertEqual((campaign['kind'], campaign['attempts'], campaign['hosts']), ('relay-rotation', 5, 4))
        self.assertTrue(campaign['sentence'].startswith('5 attempts in 42 s from 4 unrelated networks to deliver the same '
                                                        '1,762-octet message from 5140ghxc@aci.net to LENNON@'))
        self.assertEqual([host['attempts'] for host in campaign['host_table']], [2, 1, 1, 1])
        self.assertTrue(all(host['suggested'] for host in campaign['host_table']))
        self.assertEqual({block['reason'] for block in found['blocks']}, {'Apparent open relay'})
        text = self.scan('--year', '2003', log('seed-003.log')).stdout.decode()
        self.assertRegex(text, r'61\.77\.232\.38 +2 +2 .* came again')
        for address in '61.77.232.38', '165.246.189.33', '211.209.23.36', '12.237.128.54':
            self.assertIn(f'Connect:{address}\tERROR:5.7.1:"550 Apparent open relay"\n', text)

    def pool(self, name):
        """The same message from eight addresses of one house, greylisted; the last one comes again, and is taken."""
        path, lines = os.path.join(self.folder, 'pool.log'), []
        for i in range(9):
            host = name(i % 8) + f'[198.18.{i % 8}.1]'
            head = f'Nov  1 10:{i:02d}:00 mx postfix/'
            lines.append(f'{head}smtpd[{i}]: connect from {host}')
            if i < 8:
                lines.append(f'{head}smtpd[{i}]: NOQUEUE: reject: RCPT from {host}: 450 4.2.0 <ann@our.example>: Recipient '
                             'address rejected: Greylisted; from=<news@big.example> to=<ann@our.example> proto=ESMTP '
                             f'helo=<{name(i)}>')
            else:
                lines += [f'{head}smtpd[{i}]: 4F1B2C3D01: client={host}',
                          f'{head}qmgr[1]: 4F1B2C3D01: from=<news@big.example>, size=1762, nrcpt=1 (queue active)',
                          f'{head}lmtp[1]: 4F1B2C3D01: to=<ann@our.example>, status=sent (250 ok)']
            lines.append(f'{head}smtpd[{i}]: disconnect from {host} ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4')
        with open(path, 'w', encoding='ascii') as file:
            file.write('\n'.join(lines) + '\n')
        return path

    def test_a_pool_is_no_campaign(self):
        found = self.found('--year', '2026', self.pool(lambda i: f'out{i}.mail.big.example'))
        self.assertEqual((found['attempts'], found['campaigns'], found['blocks']), (9, [], []))

    def test_trusted_networks_are_left_alone(self):
        found = self.found('--year', '2003', '--trusted', '61.77.232.0/24', '--trusted', '165.246.189.33',
                           log('seed-003.log'))
        self.assertEqual((found['attempts'], found['campaigns']), (5, []))

    def test_a_configuration_names_its_networks(self):
        config = os.path.join(self.folder, 'p.conf')
        with open(config, 'w', encoding='ascii') as file:
            file.write('host-name mx.example.net\nroute example.net { relay 192.0.2.1 }\n'
                       'networks { own 61.77.0.0/16\n trusted 165.246.189.33 211.209.23.36 }\n')
        self.assertEqual(self.found('-c', config, '--year', '2003', log('seed-003.log'))['campaigns'], [])
        self.assertEqual(self.scan('-c', '/nowhere', log('seed-003.log')).returncode, 78)

    def test_origins(self):
        made = subprocess.run(['perl', os.path.join(HERE, '..', 'io', 'origin.pl'), self.folder], check=False, timeout=60)
        if made.returncode == 77:
            self.skipTest('libmaxmind-db-writer-perl is missing')
        path = os.path.join(self.folder, 'moved.log')
        with open(log('seed-003.log'), encoding='ascii') as file:
            text = file.read()
        for old, new in (('[61.77.232.38]', '[192.0.2.7]'), ('[165.246.189.33]', '[198.51.100.7]'),
                         ('[211.209.23.36]', '[IPv6:2001:db8::7]')):
            text = text.replace(old, new)
        with open(path, 'w', encoding='ascii') as file:
            file.write(text)
        words = '--origin', os.path.join(self.folder, 'asn.mmdb'), '--year', '2003', path
        campaign, = self.found(*words)['campaigns']
        self.assertEqual([(host['address'], host['origin']) for host in campaign['host_table']][:3],
                         [('192.0.2.7', 'AS64500 Example Telecom'), ('198.51.100.7', 'AS64501'),
                          ('2001:db8::/64', 'AS64502 Example Six')])
        self.assertIn(b'AS64500 Example Telecom', self.scan(*words).stdout)
        self.assertIn(b'Connect:IPv6:2001:db8:0:0\t', self.scan(*words).stdout)

    def test_a_page_is_safe_and_whole(self):
        path = os.path.join(self.folder, 'strange.log')
        with open(log('seed-003.log'), encoding='ascii') as file:
            text = file.read().replace('5140ghxc at aci.net', '<script>alert(1)</script>&"\'@b.example')
        with open(path, 'w', encoding='ascii') as file:
            file.write(text)
        page = self.scan('--year', '2003', '--format', 'html', path).stdout.decode()
        self.assertNotIn('<script', page)
        self.assertIn("default-src 'none'", page)
        self.assertIn('prefers-color-scheme:dark', page)
        self.assertEqual(page.count('<svg role="img"'), 1)
        self.assertEqual(len(re.findall(r'<circle class="mark refused"[^>]*><title>2003-07-24 01:1', page)), 5)
        for outside in 'http://', 'https://', 'src=', 'url(':
            self.assertNotIn(outside, page)
        parser = Page()
        parser.feed(page)
        self.assertEqual(parser.open, [])

    def test_stamps_of_both_kinds_give_the_same(self):
        plain = self.found('--year', '2026', self.generated('--sessions', '150'))
        iso = self.found(self.generated('--sessions', '150', '--iso'))
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
                (['--format', 'pdf', '-'], 64, 'expected text'),
                (['--trusted', 'x', '-'], 64, 'a network'), (['--origin', '/nowhere', '-'], 1, '/nowhere')):
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
