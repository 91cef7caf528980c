"""One live test program: its cases, its folders, its TAP."""
import argparse
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import traceback

from . import process
from .again import Replayed
from .postern import Postern

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(ROOT, "test"))
import leftovers  # noqa: E402  pylint: disable=wrong-import-position

MARK = "POSTERN_LIVE"  # in the environment of all that a run starts


class Skip(Exception):
    """A case cannot run here; says why."""


class Failure(AssertionError):
    """A case found what it must not find."""


def expect(truth, what):
    if not truth:
        raise Failure(what)


def reachable(folder):
    """Whether any user may go to the folder: the daemon's processes run as one who has no rights at all."""
    while folder != "/":
        if os.path.isdir(folder) and not os.stat(folder).st_mode & 0o001:
            return False
        folder = os.path.dirname(folder)
    return True


class Live:
    """A run of a test program. Use it with `with`: at the end come plan and exit status."""

    def __init__(self, doc, arguments=None):
        self.name = os.path.basename(sys.argv[0])
        parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("program", nargs="?", default=os.path.join(ROOT, "build", "postern"), help="the daemon")
        parser.add_argument("--only", metavar="WORD", help="run the cases that have WORD in their name")
        parser.add_argument("--keep", action="store_true", help="keep the work folder")
        for flags, options in (arguments or {}).items():
            parser.add_argument(flags, **options)
        self.options = parser.parse_args()
        self.program = os.path.abspath(self.options.program)
        self.cases = self.failed = 0
        self.gates, self.journals = [], []
        self.minder = None
        self.work = self.work_folder()

    def work_folder(self):
        build = os.path.join(os.path.dirname(self.program), "live", self.name)
        if not reachable(os.path.dirname(build)):
            build = os.path.join("/var/tmp", f"postern-live-{os.getuid()}", self.name)
        shutil.rmtree(build, ignore_errors=True)
        os.makedirs(build)
        return build

    def folder(self, name):
        """A fresh folder of this run."""
        folder = os.path.join(self.work, name)
        os.makedirs(folder)
        return folder

    def postern(self, name, **options):
        """A daemon of its own, not started yet (see Postern)."""
        gate = Postern(self.program, self.folder(name), **options)
        self.gates.append(gate)
        return gate

    def __enter__(self):
        os.environ[MARK] = secrets.token_hex(8)
        self.minder = leftovers.mind(f"{MARK}={os.environ[MARK]}")  # a time-out kills, and leaves daemons behind
        process.adopt_orphans()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
        if not os.access(self.program, os.X_OK):
            print(f"Bail out! there is no {self.program}")
            sys.exit(1)
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None and issubclass(kind, Exception):
            self.report(f"{self.name} runs to its end", error)
        elif kind is None and (self.gates or self.journals) and not self.failed and not self.options.only:
            self.case("the sessions of all gates, played again, are the same", self.play_again)
        left = [pid for pid in process.descendants(os.getpid()) if pid != self.minder]
        if left:
            self.say("left behind: " + ", ".join(leftovers.name_of(pid) for pid in left))
            process.end(left)
        process.end([self.minder])
        print(f"1..{self.cases}")
        if not self.failed and not self.options.keep and kind is None:
            shutil.rmtree(self.work, ignore_errors=True)
        elif kind is None or issubclass(kind, Exception):
            self.say(f"kept: {self.work}")
        sys.exit(1 if self.failed or kind is not None else 0)

    def recorded(self, journal, *configurations):
        """Sessions in this journal's folder, of a daemon that is no Postern, are played again, too."""
        self.journals.append((journal, configurations))

    def play_again(self, *gates):
        """The sessions of all gates, or of these, played again under their own configurations: nothing may be different."""
        journals = [(gate.path("state", "journal"), gate.configurations) for gate in gates or self.gates if gate.started]
        replayed = [Replayed(self.program, *journal) for journal in journals + ([] if gates else self.journals)]
        self.say(f"{sum(one.played for one in replayed)} of {sum(one.recorded for one in replayed)} recorded sessions "
                 "played again")
        expect(not any(one.faults for one in replayed), "\n".join(fault for one in replayed for fault in one.faults))

    def case(self, name, function, *arguments):
        """Runs function(*arguments): it fails by any exception. True: it passed."""
        if self.options.only and self.options.only not in name:
            return True
        started = time.monotonic()
        try:
            function(*arguments)
        except Skip as reason:
            self.cases += 1
            print(f"ok {self.cases} - {name} # SKIP {reason}")
            return True
        except Exception as error:  # pylint: disable=broad-except
            self.report(name, error)
            return False
        self.cases += 1
        print(f"ok {self.cases} - {name} # {time.monotonic() - started:.1f} s")
        return True

    def report(self, name, error):
        self.cases += 1
        self.failed += 1
        print(f"not ok {self.cases} - {name}")
        if isinstance(error, Failure):
            self.say(str(error))
        else:
            self.say("".join(traceback.format_exception(error))[-4000:])
        if isinstance(error, subprocess.TimeoutExpired):
            self.say(f"{process.tail(error.stdout or b'')}{process.tail(error.stderr or b'')}")
        for gate in [gate for gate in self.gates if gate.alive()] or self.gates[-1:]:
            self.say(gate.last_words())

    @staticmethod
    def say(text):
        """Notes for people, which TAP readers pass over."""
        for line in text.rstrip().splitlines():
            print(f"# {line}")
