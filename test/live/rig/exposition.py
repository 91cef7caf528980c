"""The text format of Prometheus, version 0.0.4, read strictly: what is not as its description says is an error."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)(?: (-?\d+))?")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')
HELP = re.compile(rf"# HELP ({NAME}) ((?:[^\\\n]|\\[\\n])*)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram|summary|untyped)")
UNITS = {"milliseconds", "microseconds", "minutes", "hours", "octets", "kilobytes", "percent"}


class ExpositionError(AssertionError):
    """The text breaks the format."""


def need(truth, what, line=""):
    if not truth:
        raise ExpositionError(f"{what}: {line}" if line else what)


def labels_parse(text, line):
    labels, place = {}, 0
    while place < len(text):
        match = LABEL.match(text, place)
        need(match, "labels that cannot be read", line)
        need(match.group(1) not in labels, "a label twice", line)
        need(match.group(3) != "," or match.end() < len(text), "a comma behind the last label", line)
        labels[match.group(1)] = re.sub(r"\\(.)", lambda found: "\n" if found.group(1) == "n" else found.group(1), match.group(2))
        place = match.end()
    return labels


class Family:
    def __init__(self, name, text):
        self.name, self.help, self.type, self.samples = name, text, None, {}

    def is_mine(self, name):
        parts = [self.name + part for part in ("_bucket", "_sum", "_count")] if self.type == "histogram" else [self.name]
        return name in parts

    def add(self, name, labels, value, line):
        key = (name, tuple(sorted(labels.items())))
        need(key not in self.samples, "a series twice", line)
        need(self.type != "counter" or value >= 0, "a counter below nothing", line)
        need("quantile" not in labels and ("le" in labels) == name.endswith("_bucket"), "a label that belongs to another type", line)
        self.samples[key] = value

    def series(self):
        """[(labels, value)] of a counter or gauge."""
        return [(dict(labels), value) for (_, labels), value in self.samples.items()]

    def check(self):
        """What names and histograms must be."""
        need(self.samples or self.type == "counter", f"{self.name} has no sample")
        need(self.type != "counter" or self.name.endswith("_total"), f"the counter {self.name} does not end in _total")
        need(self.type == "counter" or not self.name.endswith("_total"), f"{self.name} is no counter and ends in _total")
        need(not UNITS & set(self.name.split("_")), f"{self.name}: the unit is no base unit")
        if self.type == "histogram":
            self.check_histograms()

    def check_histograms(self):
        groups = {}
        for (name, labels), value in self.samples.items():
            rest = tuple(label for label in labels if label[0] != "le")
            group = groups.setdefault(rest, {"buckets": []})
            if name.endswith("_bucket"):
                group["buckets"].append((float(dict(labels)["le"]), value))
            else:
                group[name.rsplit("_", 1)[1]] = value
        for rest, group in groups.items():
            bounds, counts = zip(*group["buckets"])
            need(list(bounds) == sorted(set(bounds)) and bounds[-1] == float("inf"), f"{self.name} {rest}: buckets {bounds}")
            need(list(counts) == sorted(counts), f"{self.name} {rest}: buckets are not cumulative")
            need(group["count"] == counts[-1], f"{self.name} {rest}: its count is not that of its last bucket")
            need(group["sum"] >= 0, f"{self.name} {rest}: sum")


def parse(text):
    """{name: Family}, or an ExpositionError."""
    families, family = {}, None
    need(text.endswith("\n") and "\r" not in text, "the last line has no end, or lines end in CR LF")
    for line in text[:-1].split("\n"):
        begun, typed, sample = HELP.fullmatch(line), TYPE.fullmatch(line), SAMPLE.fullmatch(line)
        if begun:
            need(begun.group(1) not in families, "a family in two places", line)
            family = families[begun.group(1)] = Family(begun.group(1), begun.group(2))
        elif typed:
            need(family and family.name == typed.group(1) and not family.type and not family.samples, "TYPE out of place", line)
            family.type = typed.group(2)
        else:
            need(sample and family and family.type, "a line that is none", line)
            name, labels, value, _ = sample.groups()
            need(family.is_mine(name), "a sample of another family", line)
            family.add(name, labels_parse(labels or "", line), float(value), line)
    for family in families.values():
        need(family.type, f"{family.name} has no type")
        family.check()
    return families
