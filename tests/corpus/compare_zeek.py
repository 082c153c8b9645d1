"""Zeek's baselines: rows of the same endpoints must agree in the fields that both have."""
from collections import defaultdict

UNSET = {"-", "", "(empty)"}


def number(text):
    return int(float(text))


def listed(text):
    return text.split(",")


def flag(text):
    return text == "T"


def plain(text):
    return text


def lower(text):
    return text.lower()


# Zeek's field to ours and how its text is read.
HTTP = {"method": ("method", plain), "uri": ("uri", plain), "host": ("host", plain), "version": ("version", plain),
        "user_agent": ("user_agent", plain), "referrer": ("referrer", plain), "status_code": ("status_code", number),
        "status_msg": ("status_msg", plain), "info_code": ("info_code", number),
        "request_body_len": ("request_body_len", number), "response_body_len": ("response_body_len", number),
        "trans_depth": ("trans_depth", number), "username": ("username", plain)}
DNS = {"query": ("query", lower), "qtype": ("qtype", number), "qclass": ("qclass", number),
       "trans_id": ("trans_id", number), "rcode": ("rcode", number), "AA": ("aa", flag), "TC": ("tc", flag),
       "RD": ("rd", flag), "RA": ("ra", flag), "opcode": ("opcode", number), "rejected": ("rejected", flag)}
SSL = {"version": ("version", plain), "cipher": ("cipher", plain), "curve": ("curve", plain),
       "server_name": ("server_name", plain), "resumed": ("resumed", flag), "last_alert": ("last_alert", plain),
       "next_protocol": ("next_protocol", plain), "established": ("established", flag),
       "ssl_history": ("ssl_history", plain), "cert_chain_fps": ("cert_fingerprints", listed),
       "sni_matches_cert": ("sni_matches_cert", flag), "ja3": ("ja3", plain), "ja3s": ("ja3s", plain),
       "ja4": ("ja4", plain)}
CONN = {"conn_state": ("conn_state", plain), "history": ("history", plain), "orig_bytes": ("src_payload_bytes", number),
        "resp_bytes": ("dst_payload_bytes", number), "orig_pkts": ("src_packets", number),
        "resp_pkts": ("dst_packets", number), "orig_ip_bytes": ("src_bytes", number),
        "resp_ip_bytes": ("dst_bytes", number)}
SOCKS = {"version": ("version", number), "user": ("username", plain), "status": ("reply_name", plain),
         "request.host": ("request_addr", plain), "request.name": ("request_name", plain),
         "request_p": ("request_port", number), "bound.host": ("bound_addr", plain),
         "bound.name": ("bound_name", plain), "bound_p": ("bound_port", number)}
SERVICES = {"http": "http", "dns": "dns", "ssl": "tls", "socks": "socks"}
X509 = {"certificate.version": ("certificate_version", number), "certificate.serial": ("serial", plain),
        "certificate.subject": ("subject", plain), "certificate.issuer": ("issuer", plain),
        "certificate.key_type": ("key_type", plain), "certificate.key_length": ("key_length", number),
        "certificate.exponent": ("exponent", number), "certificate.curve": ("curve", plain),
        "certificate.key_alg": ("key_alg", plain), "certificate.sig_alg": ("sig_alg", plain),
        "san.dns": ("san_dns", listed), "basic_constraints.ca": ("basic_constraints_ca", flag),
        "fingerprint": ("fingerprint", plain)}


def differences(expected, row, fields):
    """[(field, theirs, ours)] of the fields that Zeek has set."""
    wrong = []
    for theirs, (ours, read) in fields.items():
        text = expected.get(theirs, "-")
        if text in UNSET:
            continue
        value = read(text)
        found = row.get(ours)
        if read is lower and found is not None:
            found = found.lower()
        if theirs == "version" and value == row.get("response_version"):
            continue  # of the response, where there is one
        if value != found and not (value in (0, False, "<empty>") and found in (None, "")):
            wrong.append((theirs, text, row.get(ours)))
    return wrong


def ends_of(row):
    try:
        return frozenset([(row["id.orig_h"], int(row["id.orig_p"])), (row["id.resp_h"], int(row["id.resp_p"]))])
    except (KeyError, ValueError):
        return None


def best(rows, used, expected, fields):
    """The unused row with the fewest differences."""
    found = None
    for row in rows:
        if id(row) in used:
            continue
        wrong = differences(expected, row, fields)
        if found is None or len(wrong) < len(found[1]):
            found = (row, wrong)
    if found:
        used.add(id(found[0]))
    return found


def compare_log(capture, records, tally, log, kind, fields):
    by_ends = records.by_endpoints(kind)
    for name, rows in capture.zeek_logs(log):
        used = set()
        for i, expected in enumerate(rows):
            ends = ends_of(expected)
            if ends is None and log != "x509":
                continue
            candidates = by_ends.get(ends, []) if ends else records.kinds[kind]
            found = best(candidates, used, expected, fields)
            detail = "; ".join(f"{f}: {t} ours {o}" for f, t, o in found[1]) if found else "no such row"
            tally.note(f"zeek_{log}", capture.name, f"{name} {i}", found is not None and not found[1], detail)


def compare_service(capture, expected, row, what, tally):
    """Zeek's services that weir has by another name or not yet are left out."""
    wanted = {SERVICES[s] for s in expected.get("service", "-").split(",") if s in SERVICES}
    if wanted:
        tally.note("zeek_conn_service", capture.name, what, wanted <= set(row.get("service", "").split(",")),
                   f"{expected['service']} ours {row.get('service')}")


def compare_conn(capture, records, tally):
    """Only where endpoints name one connection on both sides."""
    by_ends = records.by_endpoints("conversation")
    for name, rows in capture.zeek_logs("conn"):
        count = defaultdict(int)
        for row in rows:
            count[ends_of(row)] += 1
        for i, expected in enumerate(rows):
            found = by_ends.get(ends_of(expected), [])
            if count[ends_of(expected)] != 1 or len(found) != 1:
                continue
            compare_service(capture, expected, found[0], f"{name} {i}", tally)
            for field, pair in CONN.items():
                if expected.get(field, "-") in UNSET:
                    continue
                wrong = differences(expected, found[0], {field: pair})
                detail = "; ".join(f"{t} ours {o}" for _, t, o in wrong)
                tally.note(f"zeek_conn_{field}", capture.name, f"{name} {i}", not wrong, detail)


def compare(capture, records, tally):
    compare_log(capture, records, tally, "http", "http", HTTP)
    compare_log(capture, records, tally, "dns", "dns", DNS)
    compare_log(capture, records, tally, "ssl", "tls", SSL)
    compare_log(capture, records, tally, "x509", "x509", X509)
    compare_log(capture, records, tally, "socks", "socks", SOCKS)
    compare_conn(capture, records, tally)
