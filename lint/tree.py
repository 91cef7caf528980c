"""What all lints share: the tree that they look at, and how a fault is told."""
import argparse
import os
import re
import sys

PURE = ['base', 'wire', 'core', 'checks']


class Tree:
    """A lint prints `file:line: what` for each fault, nothing else, and ends with 1 if there was one."""

    def __init__(self, doc):
        parser = argparse.ArgumentParser(description=doc)
        parser.add_argument('--root', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'),
                            help='the top of the source tree')
        parser.add_argument('--build', default='build', help='the build folder')
        arguments = parser.parse_args()
        self.root = os.path.normpath(arguments.root)
        self.build = os.path.abspath(arguments.build)
        self.faults = set()

    def files(self, folders, endings):
        """Names of files below the folders, relative to the top."""
        found = []
        for folder in folders:
            for place, inner, names in os.walk(os.path.join(self.root, folder)):
                inner[:] = [name for name in inner if not name.startswith('.')
                            and name not in ('__pycache__', 'node_modules', 'work')]
                found += [os.path.relpath(os.path.join(place, name), self.root) for name in names
                          if name.endswith(endings)]
        return sorted(found)

    def text(self, name):
        with open(os.path.join(self.root, name), encoding='utf-8', errors='replace') as file:
            return file.read()

    def exists(self, name):
        return os.path.exists(os.path.join(self.root, name))

    def fault(self, name, line, what):
        self.faults.add((name, line, what))

    def end(self):
        for name, line, what in sorted(self.faults):
            print(f'{name}:{line}: {what}')
        sys.exit(1 if self.faults else 0)


def line_at(text, place):
    return text.count('\n', 0, place) + 1


# A comment, a string or a character of C, whichever begins first.
NO_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_alone(text):
    """C with comments and the inside of strings blanked; every line keeps its number."""
    def blank(match):
        kept = re.sub(r'[^\n]', ' ', match.group())
        return kept if match.group()[0] == '/' else '"' + kept[1:-1] + '"'
    return NO_CODE.sub(blank, text)
