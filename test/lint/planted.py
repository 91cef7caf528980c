"""Proves that each lint finds a planted fault at its very line, and says nothing of a tree that has none."""
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
# In parts, so that no search for what is left open stops here.
LEFT_OPEN = 'TO' + 'DO'

LONG_BODY = ''.join(f'    a += {n};\n' for n in range(60))
LONG_FUNCTION = f'int sum(int a)\n{{\n{LONG_BODY}    return a;\n}}\n'

# A finding with all that it needs.
FINDING = {'src/core/finding.def': '\nFINDING(A, 1, "early-talk", 5, NONE, "a")\n',
           'src/core/stat.def': 'FINDING_STAT(A, CLIENTS)\n',
           'doc/man/postern-findings.7': '.\\" words: finding.def\n.It Cm early-talk\n.\\" words: end\n',
           'test/replay/scripts/1-off.smtp': 'set check.early-talk.mode off\n',
           'test/replay/scripts/2-observe.smtp': 'set check.early-talk.mode observe\nevent finding finding=early-talk mode=1\n',
           'test/replay/scripts/3-enforce.smtp': 'event finding mode=2 finding=1 weight=5\n'}
CATALOGUE = 'src/core/finding.def'

# Catalogues with one finding, and what else is counted.
NUMBERS = {'src/core/finding.def': 'FINDING(A, 1, "early-talk", 5, NONE, "a")\n', 'src/core/stat.def': '', 'src/core/ask.def': '',
           'src/core/say.def': ''}
GOLDEN = 'test/journal/golden/statistics'
STAGES = ['connect', 'helo', 'mail', 'rcpt', 'data', 'message']
ACTS = ['pass', 'defer', 'reject', 'drop', 'slow', 'discard', 'trap']
VERDICTS = ''.join(f'{first + 10 * stage + act} {STAGES[stage]}-{ACTS[act]}{observed}\n'
                   for first, observed in ((400, ''), (500, '-observed')) for stage in range(6) for act in range(7))


def finding_without(part):
    """The same without one script."""
    return {name: text for name, text in FINDING.items() if part not in name}


# Lint, what is planted, and the faults wanted: (file, line, a part of what is said).
CASES = [
    ('floors', {'src/base/a.c': '#include "base/b.h"\n', 'src/wire/a.h': '#include "base/b.h"\n#include "wire/c.h"\n',
                'src/checks/a.c': '#include "core/check.h"\n'}, []),
    ('floors', {'src/base/a.c': '#include <stdio.h>\n#include "wire/line.h"\n'},
     [('src/base/a.c', 2, 'base may not include wire/line.h')]),
    ('floors', {'src/checks/a.c': '\n  # include "core/session.h"\n'}, [('src/checks/a.c', 2, 'core/session.h')]),
    ('floors', {'src/wire/a.c': '#include "a.h"\n'}, [('src/wire/a.c', 1, 'with its folder')]),
    ('floors', {'src/attic/a.c': '\n'}, [('src/attic/a.c', 1, 'no floor')]),

    ('purity', {'src/base/a.c': '#include <string.h>\nint a(const char *s);\nint a(const char *s)\n{\n'
                                '    return (int)strlen(s);\n}\n'}, []),
    ('purity', {'src/base/a.c': '#include <time.h>\n\nlong a(void);\nlong a(void)\n{\n    return time(NULL);\n}\n'},
     [('src/base/a.c', 6, 'time has no place')]),
    ('purity', {'src/base/a.c': '#include <stdlib.h>\nvoid *a(void);\nvoid *a(void)\n{\n    return malloc(9);\n}\n'},
     [('src/base/a.c', 5, 'malloc has no place')]),
    ('purity', {'src/wire/a.c': 'int a(void);\nint a(void)\n{\n    static int calls;\n    return ++calls;\n}\n'},
     [('src/wire/a.c', 4, 'state')]),
    ('purity', {'src/base/a.c': 'extern const char *const names[];\nconst char *const names[] = {"a", "b"};\n'}, []),
    ('purity', {'src/core/meson.build': ''}, [('src/core/meson.build', 1, 'is not built')]),

    ('length', {'src/base/a.c': LONG_FUNCTION.replace('    a += 0;\n    a += 1;\n    a += 2;\n    a += 3;\n', '')}, []),
    ('length', {'src/base/a.c': '\n' + LONG_FUNCTION}, [('src/base/a.c', 2, 'sum has 64 lines')]),
    ('length', {'src/base/a.c': '/* long: a table in code */\n' + LONG_FUNCTION}, []),
    ('length', {'src/base/a.c': '/* Sums.\n *\n * Much. */\n/* long: a table in code */\nstatic int\n' + LONG_FUNCTION[4:]},
     []),
    ('length', {'src/base/a.c': '/* long: of another */\nint b;\n\n' + LONG_FUNCTION}, [('src/base/a.c', 4, 'sum')]),
    ('length', {'test/base/a.c': 'int a;\n' * 600}, []),
    ('length', {'test/base/a.c': 'int a;\n' * 601}, [('test/base/a.c', 1, '601 lines')]),
    ('length', {'test/base/a.c': '/* long: one table */\n' + 'int a;\n' * 601}, []),

    ('banned', {'src/io/a.c': '/* strcpy( */ // sprintf(\nchar *a = "system(";\nint b = x.gets(1) + y->rand(2);\n'}, []),
    ('banned', {'src/io/a.c': '\nint a = atoi("1");\n'}, [('src/io/a.c', 2, 'atoi is banned')]),
    ('banned', {'test/io/a.c': 'x = strtok (a, b);\n'}, [('test/io/a.c', 1, 'strtok is banned')]),
    ('banned', {'src/io/a.c': 'x = malloc(1);\nfree(x);\n'},
     [('src/io/a.c', 1, 'malloc stands for'), ('src/io/a.c', 2, 'free stands for')]),
    ('banned', {'test/io/a.c': 'x = malloc(1);\n', 'src/base/memory.c': 'x = malloc(1);\n'}, []),
    ('banned', {'src/io/a.c': 'x = alloca(n);\n'}, [('src/io/a.c', 1, 'alloca')]),
    ('banned', {'doc/a.md': f'a\n{LEFT_OPEN}: b\n'}, [('doc/a.md', 2, 'left open')]),

    ('words', {'src/core/finding.def': '/* FINDING(NAME) */\nFINDING(A, 1, "early-talk", 5, NONE, "a")\n',
               'doc/man/a.7': '.\\" words: finding.def\n.It Cm early-talk\n.\\" words: end\n.It Cm other\n'}, []),
    ('words', {'src/core/finding.def': '\nFINDING(A, 1, "early-talk", 5, NONE, "a")\n'},
     [('src/core/finding.def', 2, 'lacks early-talk')]),
    ('words', {'doc/man/a.7': '.\\" words: finding.def\n.TP\n.B early\\-talk\n.\\" words: end\n'},
     [('doc/man/a.7', 3, 'has no early-talk')]),
    ('words', {'src/core/setting.def': 'SETTING(TEXT, a, "a.b", "", 0, 0,\n        "x")\n',
               'doc/man/a.5': '.\\" words: setting.def\n.It Ic a.b\n.It Ic a.b\n'},
     [('doc/man/a.5', 3, 'two entries')]),
    ('words', {'src/core/say.def': 'SAY(A, 7, 250, "2.0.0", "ok", "c", "r")\n'}, [('src/core/say.def', 1, 'lacks 7')]),
    ('words', {'src/core/event.def': 'EVENT(a, "b")\n'}, [('src/core/event.def', 1, 'another shape')]),

    ('findings', FINDING, []),
    ('findings', finding_without('off'), [(CATALOGUE, 2, 'no replay script has early-talk with mode off')]),
    ('findings', finding_without('observe'), [(CATALOGUE, 2, 'with mode observe')]),
    ('findings', finding_without('enforce'), [(CATALOGUE, 2, 'with mode enforce')]),
    ('findings', {**FINDING, 'test/replay/scripts/2-observe.smtp': 'set check.early-talk.mode observe\n'},
     [(CATALOGUE, 2, 'with mode observe')]),
    ('findings', {**FINDING, 'doc/man/postern-findings.7': '.It Cm early-talker\n'}, [(CATALOGUE, 2, 'has no line')]),
    ('findings', {**FINDING, CATALOGUE: '\nFINDING(A, 1, "early-talk", NONE, "a")\n'}, [(CATALOGUE, 2, 'another shape')]),
    ('findings', {**FINDING, CATALOGUE: '\nFINDING(A, 1, "early-talk", x, NONE, "a")\n'}, [(CATALOGUE, 2, 'no default')]),
    ('findings', {**FINDING, CATALOGUE: '\nFINDING(A, 1, "early-talk", 5, BLOCK, "a")\n'}, [(CATALOGUE, 2, 'no default')]),
    ('findings', {**FINDING, 'src/core/stat.def': 'FINDING_STAT(B, CLIENTS)\n'}, [(CATALOGUE, 2, 'no section for early-talk')]),
    ('findings', {**finding_without('-o'), 'src/core/finding.c': 'firm[] = {FIND_A, FIND_B};\n'}, []),

    ('manual', {'doc/man/a.7': '.Dd November 21, 2026\n.Dt A 7\n.Os\n.Sh NAME\n.Nm a\n.Nd b\n.\\" words: ask.def\n'
                               '.\\" words: end\n', 'src/core/ask.def': ''}, []),
    ('manual', {**NUMBERS, GOLDEN: f'001 early-talk\n{VERDICTS}'}, []),
    ('manual', {**NUMBERS, GOLDEN: VERDICTS}, [(GOLDEN, 1, 'lacks early-talk')]),
    ('manual', {**NUMBERS, GOLDEN: f'001 late-talk\n{VERDICTS}'}, [(GOLDEN, 1, '001 is late-talk for ever')]),
    ('manual', {**NUMBERS, GOLDEN: f'001 early-talk\n002 nul\n{VERDICTS}'}, [(GOLDEN, 2, '002 is nul for ever')]),
    ('manual', {'doc/man/a.7': '.\\" words: ask.def\n.It Cm a\n.\\" words: end\n', 'src/core/ask.def': ''},
     [('doc/man/a.7', 2, 'not as the catalogue has it')]),

    ('format', {'src/base/a.c': 'int a(void)\n{\n    return 1;\n}\n'}, []),
    ('format', {'src/base/a.c': 'int a(void)\n{\n  return 1;\n}\n'}, [('src/base/a.c', 2, 'clang-format')]),

    ('tests', {'src/base/a.c': '', 'test/base/a.c': '', 'src/wire/dot_encode.c': '', 'test/wire/dot.c': '',
               'src/io/b.c': ''}, []),
    ('tests', {'src/wire/a.c': '', 'test/base/a.c': ''}, [('src/wire/a.c', 1, 'test/wire has no a.c')]),
]


def plant(top, files):
    shutil.copy(os.path.join(TOP, '.clang-format'), top)
    for name, text in files.items():
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)


def build(top, files):
    """The libraries that meson would build."""
    for name in files:
        folder = name.split('/')[1]
        place = os.path.join(top, 'build', 'src', folder)
        os.makedirs(place, exist_ok=True)
        if name.endswith('.c'):
            member = os.path.join(place, os.path.basename(name) + '.o')
            subprocess.run(['cc', '-fPIC', '-c', os.path.join(top, name), '-o', member], check=True)
            subprocess.run(['ar', 'rc', os.path.join(place, f'lib{folder}.a'), member], check=True)


def failure(lint, files, wanted):
    """What is wrong with a lint's answer, or nothing."""
    with tempfile.TemporaryDirectory() as top:
        plant(top, files)
        if lint == 'purity':
            build(top, files)
        ran = subprocess.run([os.path.join(TOP, 'lint', lint), '--root', top, '--build',
                              os.path.join(top, 'build')], capture_output=True, text=True, check=False)
    lines = ran.stdout.splitlines()
    if ran.stderr:
        return ran.stderr
    if ran.returncode != (1 if wanted else 0) or len(lines) != len(wanted):
        return f'status {ran.returncode}, said: {lines}'
    for line, (name, number, part) in zip(lines, wanted):
        if not line.startswith(f'{name}:{number}: ') or part not in line:
            return f'said {line!r} instead of {name}:{number}: … {part} …'
    return None


def main():
    print(f'1..{len(CASES)}')
    failed = 0
    for number, (lint, files, wanted) in enumerate(CASES, 1):
        wrong = failure(lint, files, wanted)
        failed += wrong is not None
        print(f'{"not " if wrong else ""}ok {number} - {lint} {"finds a fault" if wanted else "has nothing to say"}')
        if wrong:
            print('\n'.join('# ' + line for line in wrong.splitlines()), flush=True)
    return 1 if failed else 0


sys.exit(main())
