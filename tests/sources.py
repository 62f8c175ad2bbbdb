"""
Other programs' cases of referrers and channels, each through rpvctl explain source.

usage: sources.py RPVCTL CASES_DIR DIFFERENCES.md

A case is met where the class is right: the channel, or the medium and a name that is alike.
What is not met has to be a row of the table in DIFFERENCES.md, with what they say and what rpvd
says; and each row there has to be such a case, so that the table tells no tales.
"""
import csv
import json
import os
import re
import subprocess
import sys
from urllib.parse import quote

RPVCTL, CASES, DIFFERENCES = sys.argv[1:]
OWN = "www.snowplowanalytics.com"
MEDIA = {"search": "organic", "social": "social", "email": "email", "chatbot": "ai", "internal": "(none)"}
SPELLINGS = {"Affiliate": "Affiliates", "Cross Network": "Cross-network", "Paid Unknown": "Paid Other"}
# Lists of hosts: which medium, and how many hosts may be otherwise (docs/sources.md says why).
LISTS = {"SearchEngines.yml": ("organic", 40), "Socials.yml": ("social", 13), "AIAssistants.yml": ("ai", 1)}
CHANNEL_OF_CATEGORY = {"shopping": "Organic Shopping", "video": "Organic Video"}

failures = []


def explain(pairs):
    """[(target, referrer)] -> the answers."""
    lines = "".join("%s\t%s\n" % pair for pair in pairs)
    out = subprocess.run([RPVCTL, "explain", "source", "--host", OWN], input=lines, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in out.stdout.splitlines()]
    if len(answers) != len(pairs):
        sys.exit("%d answers to %d lines" % (len(answers), len(pairs)))
    return answers


def rows_of(name):
    with open(os.path.join(CASES, name), encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def told(**fields):
    """A case in a few words, as the table calls it."""
    return " ".join("%s=%s" % (k, v) for k, v in fields.items() if v)


def tagged(source, medium, campaign):
    return "/?" + "&".join("utm_%s=%s" % (k, quote(v)) for k, v in (("source", source), ("medium", medium), ("campaign", campaign)) if v)


def ga4(row):
    return tagged(row["source"], row["medium"], row["campaign"]), "", told(source=row["source"], medium=row["medium"], campaign=row["campaign"])


def posthog(row):
    domain, tags = row["referring_domain"], (row["utm_source"], row["utm_medium"], row["utm_campaign"])
    referrer = "" if domain in ("", "$direct") else "https://%s/" % domain
    return tagged(*tags), referrer, told(referrer=domain.replace("$direct", ""), source=tags[0], medium=tags[1], campaign=tags[2])


def landing(row):
    return row["landing_url"], row["referer"], told(landing=row["landing_url"].split("?")[0], referrer=row["referer"])


def referer(row):
    return "/", row["referer"], told(referrer=row["referer"].split("?")[0])


def is_alike(theirs, ours):
    return any(word in ours for word in re.findall(r"[a-z0-9]+", theirs.lower()))


def channel_said(row, answer):
    theirs = SPELLINGS.get(row["channel"], row["channel"])
    return theirs, answer["channel"]


def medium_said(row, answer):
    theirs, ours = MEDIA[row["medium"]], answer["medium"]
    if theirs != ours or not row["source"] or is_alike(row["source"], answer["source"]):
        return theirs, ours
    return row["source"] + "/" + theirs, answer["source"] + "/" + ours


FILES = {
    "channel-cases-ga4.tsv": (ga4, channel_said, 13),
    "channel-cases-posthog.tsv": (posthog, channel_said, 12),
    "landing-cases.tsv": (landing, channel_said, 6),
    "referer-cases.tsv": (referer, medium_said, 18),
}


def differences():
    """(file, case) -> (theirs, ours) of the table's rows."""
    table = {}
    with open(DIFFERENCES, encoding="utf-8") as f:
        for line in f:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if len(cells) == 5 and cells[0].strip("`") in FILES:
                key = cells[0].strip("`"), cells[1].strip("`")
                if key in table or not cells[4]:
                    failures.append("%s: twice in the table, or without a reason: %s" % key)
                table[key] = cells[2], cells[3]
    return table


def check_file(name, table):
    case_of, said, count = FILES[name]
    rows = rows_of(name)
    cases = [case_of(row) for row in rows]
    met = 0
    if len(rows) != count:
        failures.append("%s: %d cases, where %d are known" % (name, len(rows), count))
    for row, case, answer in zip(rows, cases, explain([case[:2] for case in cases])):
        theirs, ours = said(row, answer)
        listed = table.pop((name, case[2]), None)
        met += theirs == ours
        if theirs != ours and listed != (theirs, ours):
            failures.append("%s: %s: they say %s, rpvd says %s, and the table %s" % (name, case[2], theirs, ours, listed or "nothing"))
        if theirs == ours and listed is not None:
            failures.append("%s: %s: met, and in the table" % (name, case[2]))
    print("%s: %d of %d as they say" % (name, met, len(rows)))


def hosts_of(name):
    """The hosts of a list; {} stands for a country's domain."""
    with open(os.path.join(CASES, "lists", name), encoding="utf-8") as f:
        found = re.findall(r"^\s*- '?([\w{}*-]+(?:\.[\w{}*-]+)+)(?:/[^\s']*)?'?$", f.read(), re.M)
    return [host.replace("{}", "de").replace(".*", ".de") for host in found]


def check_list(name):
    medium, allowed = LISTS[name]
    hosts = hosts_of(name)
    others = [host for host, a in zip(hosts, explain([("/", "https://%s/" % host) for host in hosts])) if a["medium"] != medium]
    print("%s: %d of %d hosts known as such" % (name, len(hosts) - len(others), len(hosts)))
    if len(hosts) < 20 or len(others) > allowed:
        failures.append("%s: of %d hosts %d are something else, at most %d may be: %s" % (name, len(hosts), len(others), allowed, " ".join(others)))


def check_categories():
    with open(os.path.join(CASES, "lists", "ga4-shopping-video.csv"), encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    answers = explain([("/?utm_source=" + quote(row["source"]), "") for row in rows])
    others = [row["source"] for row, a in zip(rows, answers) if a["channel"] != CHANNEL_OF_CATEGORY[row["category"]]]
    print("ga4-shopping-video.csv: %d of %d names known as such" % (len(rows) - len(others), len(rows)))
    if len(rows) < 90 or len(others) > 13:
        failures.append("ga4-shopping-video.csv: %s" % " ".join(others))


listed = differences()
for file_name in FILES:
    check_file(file_name, listed)
for key in listed:
    failures.append("in the table, and no case: %s: %s" % key)
for list_name in LISTS:
    check_list(list_name)
check_categories()
print("\n".join(failures) or "no difference that is not explained")
sys.exit(bool(failures))
