"""Reads the catalogues src/core/*.def: rows of one macro each, as data."""
import re

# Catalogue: the macro whose row is an entry, how many columns it has, and which of them is the word.
ROWS = {
    'setting.def': ('SETTING', 7, 2),
    'event.def': ('EVENT', 5, 3),
    'finding.def': ('FINDING', 6, 2),
    'ask.def': ('ASK', 5, 2),
    'say.def': ('SAY', 7, 1),
    'stat.def': ('STAT', 6, 3),
}

STAGES = ['connect', 'helo', 'mail', 'rcpt', 'data', 'message']
VERDICTS = ['pass', 'defer', 'reject', 'drop', 'slow', 'discard', 'trap']

TOKEN = re.compile(r'\s*("(?:\\.|[^"\\])*"|[(),]|[^\s(),"]+)')
ESCAPE = {'n': '\n', 't': '\t', '"': '"', '\\': '\\'}


def unquoted(token):
    return re.sub(r'\\(.)', lambda match: ESCAPE.get(match.group(1), match.group()), token[1:-1])


def columns(text, place):
    """The arguments of the macro call whose opening bracket stands before place; strings side by side are one."""
    row, depth, column = [], 1, []
    while depth:
        match = TOKEN.match(text, place)
        if not match:
            return None
        token, place = match.group(1), match.end()
        if token == '(':
            depth += 1
        elif token == ')':
            depth -= 1
        if depth == 0 or (token == ',' and depth == 1):
            quoted = column and column[0].startswith('"')
            row.append(''.join(unquoted(part) if part.startswith('"') else part for part in column)
                       if quoted else ' '.join(column))
            column = []
        else:
            column.append(token)
    return row


def without_comments(text):
    return re.sub(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/',
                  lambda match: match.group() if match.group()[0] == '"' else re.sub(r'[^\n]', ' ', match.group()),
                  text, flags=re.S)


def calls(text, macros):
    """(macro, line, columns) of each call at the start of a line, in order; columns is None where it cannot be read."""
    text = without_comments(text)
    for match in re.finditer(rf'^[ \t]*({"|".join(macros)})\(', text, re.M):
        yield match.group(1), text.count('\n', 0, match.start(1)) + 1, columns(text, match.end())


def rows(text, catalogue):
    """(line, columns) of each entry."""
    macro, count, _ = ROWS[catalogue]
    for _, line, row in calls(text, [macro]):
        yield line, row if row is not None and len(row) == count else None


def statistics(read):
    """Number: name, of all statistics, as src/journal/stat.h says; read(name) is a catalogue's text."""
    names = {}
    for catalogue, number, name, of in (('stat.def', 1, 3, ''), ('finding.def', 1, 2, ''), ('ask.def', 1, 2, 'ask-'),
                                        ('say.def', 1, 0, 'reply-')):
        first = {'ask-': 700, 'reply-': 1000}.get(of, 0)
        for _, row in rows(read(catalogue), catalogue):
            if row:
                names[first + int(row[number])] = of + row[name].replace('_', '-').lower()
    for stage, stage_word in enumerate(STAGES):
        for verdict, verdict_word in enumerate(VERDICTS):
            names[400 + 10 * stage + verdict] = f'{stage_word}-{verdict_word}'
            names[500 + 10 * stage + verdict] = f'{stage_word}-{verdict_word}-observed'
    return names
