"""TLS over TCP: each hello and each certificate that tshark lists must be found in our rows."""
import json

from compare_dns import split, stream_endpoints
from corpus import open_text


def hello_difference(expected, row):
    name = split(expected, "tls.handshake.extensions_server_name")
    if name and row.get("server_name") not in name:
        return "server_name"
    protocols = split(expected, "tls.handshake.extensions_alpn_str")
    offered = set(row.get("client_alpn", [])) | {row.get("next_protocol")}
    if not set(protocols) <= offered:
        return "alpn"
    ja3 = split(expected, "tls.handshake.ja3")
    if ja3 and row.get("ja3") not in ja3:
        return "ja3"
    ja3s = split(expected, "tls.handshake.ja3s")
    if ja3s and row.get("ja3s") not in ja3s:
        return "ja3s"
    return None


def serial(text):
    return text.replace(":", "").lower().lstrip("0")


def certificates_difference(expected, certificates):
    serials = {serial(row.get("serial", "")) for row in certificates}
    names = {name for row in certificates for name in row.get("san_dns", [])}
    if not {serial(s) for s in split(expected, "x509af.serialNumber")} <= serials:
        return "serial"
    if not set(split(expected, "x509ce.dNSName")) <= names:
        return "san_dns"
    return None


def compare_ja4(capture, rows, tally):
    """FoxIO's own fingerprints of clients."""
    if not capture.has("ja4.json"):
        return
    with open_text(capture.expected_path("ja4.json")) as text:
        streams = json.load(text)
    for stream in streams:
        if "JA4.1" not in stream:
            continue
        where = frozenset([(stream["src"], int(stream["srcport"])), (stream["dst"], int(stream["dstport"]))])
        found = [row.get("ja4") for row in rows.get(where, [])]
        tally.note("ja4", capture.name, f"stream {stream['stream']}", stream["JA4.1"] in found,
                   f"expected {stream['JA4.1']}, found {found}")


def compare(capture, records, tally):
    ends = stream_endpoints(capture)
    compare_ja4(capture, records.by_endpoints("tls"), tally)
    rows, certificates = records.by_endpoints("tls"), records.by_endpoints("x509")
    for expected in capture.table("tls.tsv"):
        types = split(expected, "tls.handshake.type")
        where = ends.get(expected["stream"])
        if expected["stream"].startswith("u") or not set(types) & {"1", "2", "11"}:
            continue
        what = f"frame {expected['frame']} types {'|'.join(types)}"
        if set(types) & {"1", "2"}:
            wrong = [hello_difference(expected, row) for row in rows.get(where, [])]
            tally.note("tls", capture.name, what, None in wrong,
                       f"stream {expected['stream']}: " + (", ".join(w for w in wrong if w) or "no such connection"))
        if expected["x509af.serialNumber"]:
            why = certificates_difference(expected, certificates.get(where, []))
            tally.note("tls", capture.name, what + " certificates", why is None, f"stream {expected['stream']}: {why}")
