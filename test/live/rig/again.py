"""Sessions that a gate has recorded, played again (`postern replay`) under the configurations that it had: nothing may be
different, and no session may be left out."""
import json
import os

from . import process

BAD_CONFIGURATION = 78  # exit status
SECONDS = 120
# Sessions that nobody can play again: of a gate that was killed, of files that are gone, of a writer without room.
NOT_WHOLE = ("open", "without_begin", "incomplete")
FAULTS = ("old", "not_understood")


class Replayed:
    """What came of a journal's sessions: how many were recorded and played, and what is wrong with them."""

    def __init__(self, program, journal, configurations):
        self.recorded = self.played = 0
        self.faults = []
        results = {}
        for file in configurations:
            result = replay(program, journal, file)
            if result:
                results[result["configuration"]] = file, result
        for file, result in results.values():
            left_out = result["not_played"]
            self.recorded = max(self.recorded, result["played"] + sum(left_out.values()))
            self.played += result["played"]
            if result["changed"] or result["unknown"] or result["same_by_other_finding"] or \
                    any(left_out[why] for why in FAULTS):
                self.faults.append(f"{file}: {json.dumps(result, indent=1)[:3000]}")
        whole = self.recorded - max((sum(result["not_played"][why] for why in NOT_WHOLE) for _, result in results.values()),
                                    default=0)
        if self.played != whole:
            self.faults.append(f"{journal}: of {whole} sessions {self.played} were recorded under one of {configurations}")


def replay(program, journal, file):
    """Its object; None where the configuration has mistakes: nothing can have been recorded under it."""
    done = process.run([program, "replay", "--same", "--json", "--journal", journal, "--config", file], SECONDS, False)
    if done.returncode == BAD_CONFIGURATION:
        return None
    if done.returncode != 0:
        raise AssertionError(f"{file}: replay ended with {done.returncode}\n{process.tail(done.stderr)}")
    return json.loads(done.stdout)
