"""HTTP over TCP: each request and each response that tshark lists must be found in one of our rows."""
import re
from collections import defaultdict

from compare_dns import stream_endpoints


def version_of(text):
    return text.removeprefix("HTTP/").strip()


def host_of(text):
    return re.sub(r":\d*$", "", text.strip()).strip("[]").lower()


def like(expected, found):
    """Texts that stand in different escapes: compared by their letters, digits and plain signs."""
    plain = re.compile(r"\\x[0-9a-fA-F]{2}|\\[0-9]{3}|\\.|[^\x21-\x7e]+|\ufffd+|\u2026")
    return plain.sub("", expected) == plain.sub("", found or "")


def request_difference(e, row):
    if not row["request_seen"]:
        return "request_seen"
    if e["method"] != row.get("method"):
        return "method"
    if not like(e["uri"], row.get("uri")):
        return "uri"
    if e["host"] and host_of(e["host"]) != host_of(row.get("host", "")):
        return "host"
    if e["version"] and version_of(e["version"]) != row.get("version"):
        return "version"
    if e["agent"] and not like(e["agent"], row.get("user_agent")):
        return "user_agent"
    return None


def response_difference(e, row):
    if not row["response_seen"] and "info_code" not in row:
        return "response_seen"
    if e["code"] == str(row.get("info_code")):
        return None
    if e["code"] != str(row.get("status_code")):
        return "status_code"
    if e["phrase"] and not like(e["phrase"], row.get("status_msg")):
        return "status_msg"
    if e["type"] and not like(e["type"], row.get("response_content_type")):
        return "response_content_type"
    if e["server"] and not like(e["server"], row.get("server")):
        return "server"
    return None


REQUEST = {"method": "http.request.method", "uri": "http.request.uri", "host": "http.host",
           "version": "http.request.version", "agent": "http.user_agent"}
RESPONSE = {"code": "http.response.code", "phrase": "http.response.phrase", "type": "http.content_type",
            "server": "http.server"}


def parts(row, fields, main):
    """One dictionary for each message of the frame. A field that does not come as often as the main one cannot be told
    apart and is not compared."""
    count = len(row[fields[main]].split("|")) if row[fields[main]] else 0
    for i in range(count):
        part = {}
        for name, field in fields.items():
            values = row[field].split("|") if count > 1 else [row[field]]
            part[name] = values[i] if len(values) == count else ""
        yield part


def match(rows, used, part, difference):
    wrong = set()
    for row in rows:
        if id(row) in used:
            continue
        why = difference(part, row)
        if why is None:
            used.add(id(row))
            return None
        wrong.add(why)
    return ", ".join(sorted(wrong)) or "no such message"


def compare(capture, records, tally):
    ends = stream_endpoints(capture)
    rows = records.by_endpoints("http")
    used = defaultdict(set)
    for expected in capture.table("http.tsv"):
        if expected["stream"].startswith("u"):
            continue
        candidates = rows.get(ends.get(expected["stream"]), [])
        for part in parts(expected, REQUEST, "method"):
            why = match(candidates, used["request"], part, request_difference)
            tally.note("http", capture.name, f"frame {expected['frame']} {part['method']} {part['uri'][:60]}",
                       why is None, f"stream {expected['stream']}: {why}")
        for part in parts(expected, RESPONSE, "code"):
            interim = part["code"].startswith("1")
            seen = set() if interim else used["response"]
            why = match(candidates, seen, part, response_difference)
            tally.note("http", capture.name, f"frame {expected['frame']} {part['code']} {part['phrase']}",
                       why is None, f"stream {expected['stream']}: {why}")
