#!/usr/bin/env python3
"""Proves that SPF is evaluated as RFC 7208's public test suite wants it, each of its tests counted.

usage: spf_suite.py ANSWERER       The suite is Debian's: /usr/share/doc/python3-spf/rfc7208-tests.yml.gz"""
import gzip
import ipaddress
import subprocess
import sys

SUITE = '/usr/share/doc/python3-spf/rfc7208-tests.yml.gz'
TYPES = {'txt': 'TXT', 'address4': 'A', 'address6': 'AAAA', 'mx': 'MX', 'pointer': 'PTR'}
CHAIN_MAX = 8


def octets(text):
    """What YAML read as characters, as the octets that they stand for."""
    return text.encode('utf-8')


def zone_read(data):
    """Name: [(type, value)] and, where the server is silent from then on, 'TIMEOUT'. A TXT record stands in for each
    record of type SPF where the name has no TXT of its own; TXT: NONE says that it has neither."""
    zone = {}
    for name, rows in data.items():
        records = zone.setdefault(name.lower(), [])
        own_txt = any(isinstance(row, dict) and 'TXT' in row for row in rows)
        for row in rows:
            if row == 'TIMEOUT':
                records.append('TIMEOUT')
                continue
            for kind, value in row.items():
                if kind == 'SPF' and not own_txt:
                    kind = 'TXT'
                if value != 'NONE':
                    records.append((kind, value))
    return zone


def look_up(zone, name, kind):
    """'timeout', 'loop' or a list of values."""
    for _ in range(CHAIN_MAX):
        found = []
        for record in zone.get(name.lower(), []):
            if record == 'TIMEOUT':
                if not found:
                    return 'timeout'
                break
            if record[0] == kind:
                found.append(record[1])
            elif record[0] == 'CNAME' and kind != 'CNAME':
                name = record[1].rstrip('.')
                break
        else:
            return found
        if found:
            return found
    return 'loop'


def value_print(kind, values):
    if kind == 'TXT':
        texts = [b''.join(map(octets, value)) if isinstance(value, list) else octets(value) for value in values]
        return b''.join(b'%d:%s,' % (len(text), text) for text in texts)
    if kind == 'MX':
        return octets(' '.join(f'{preference} {name.rstrip(".").lower() or "."}' for preference, name in sorted(values)))
    return octets(' '.join(value.rstrip('.').lower() for value in values))


def answer(zone, word, key):
    kind = TYPES[word]
    if kind == 'PTR':
        key = ipaddress.ip_address(key).reverse_pointer
    found = look_up(zone, key, kind)
    if found == 'timeout':
        return 'timeout', b''
    if found == 'loop':
        return 'failed', b'the names lead round in circles'
    if not found:
        return 'none', b'no such data' if key.lower() in zone else b'no such name'
    return 'found', value_print(kind, found)


def evaluate(answerer, zone, test):
    """(result, explanation)"""
    fields = [str(ipaddress.ip_address(test['host'])), octets(test['helo']).hex(), octets(test['mailfrom']).hex() or '-']
    answerer.stdin.write(' '.join(fields) + '\n')
    while True:
        answerer.stdin.flush()
        words = answerer.stdout.readline().split()
        if not words:
            raise SystemExit(f'{test["spec"]}: the answerer has ended')
        if words[0] == 'is':
            return words[1], '' if words[2] == '-' else bytes.fromhex(words[2]).decode('ascii')
        status, value = answer(zone, words[1], bytes.fromhex(words[2]).decode('utf-8'))
        answerer.stdin.write(f'{status} {value.hex()}\n')


def judge(test, result, explanation):
    """What is wrong, or nothing."""
    allowed = test['result'] if isinstance(test['result'], list) else [test['result']]
    if result not in allowed:
        return f'{result}, not {" or ".join(allowed)}'
    wanted = test.get('explanation')
    if wanted is not None and explanation != ('' if wanted == 'DEFAULT' else wanted):
        return f'explains "{explanation}", not "{wanted}"'
    return None


def main():
    try:
        import yaml
        with gzip.open(SUITE, 'rb') as file:
            scenarios = list(yaml.safe_load_all(file))
    except (ImportError, OSError) as error:
        print(f'1..1\nnot ok 1 - the suite is not here ({error}): packaging/deps test')
        return 1
    answerer = subprocess.Popen(sys.argv[1:2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    number = failed = 0
    for scenario in scenarios:
        zone = zone_read(scenario['zonedata'])
        for name, test in scenario['tests'].items():
            number += 1
            fault = judge(test, *evaluate(answerer, zone, test))
            failed += fault is not None
            print(f'{"not " if fault else ""}ok {number} - {scenario["description"]}: {name}{": " + fault if fault else ""}')
    answerer.stdin.close()
    print(f'1..{number}')
    return 1 if failed or answerer.wait() else 0


sys.exit(main())
