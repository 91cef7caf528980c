"""The side-by-side benchmark behind bench/run: machine, servers, tests, report."""
