#!/usr/bin/env python3
"""Kafka at the edges, with a real broker: each message is in the case once, whoever is killed when.

Without Java, or where the broker's jars cannot be fetched, all of it is skipped.
"""
import json
import os
import random
import signal
import socket
import subprocess
import time

from broker import Broker, broker
from program import SECONDS, WEIR, free_port, main, need, need_equal, query, test, weir

INPUT = 3
OTHER_WAY = 10000000


def flow(number):
    second, part = divmod(number, 1000)
    return ('{"date_first_seen":"2015-07-18T18:%02d:%02d.%03d+02:00","date_last_seen":"2015-07-18T18:%02d:%02d.%03d+02:00",'
            '"duration":0.000,"src_ip_addr":"10.%d.%d.%d","dst_ip_addr":"192.0.2.1","src_port":%d,"dst_port":443,'
            '"protocol":6,"flags":".A..S.","tos":0,"packets":1,"bytes":%d}'
            % ((second // 60 % 60, second % 60, part) * 2 + (number >> 16 & 255, number >> 8 & 255, number & 255,
                                                               number % 60000 + 1, number + 1)))


def send(topic, lines, separator="\n"):
    done = subprocess.run(["kcat", "-P", "-b", broker().address, "-t", topic, "-D", separator, "-X",
                           "topic.metadata.refresh.interval.ms=500"], input=separator.join(lines).encode(),
                          stderr=subprocess.PIPE, timeout=SECONDS, check=False)
    need_equal(done.returncode, 0, done.stderr.decode())


def send_flows(topic, first, last):
    send(topic, [flow(i) for i in range(first, last)])


def found(case):
    return query(case, "SELECT count(*) n, count(DISTINCT bytes) d, coalesce(max(bytes), 0) m FROM flow")[0]


def need_each_once(case, count):
    need_equal(found(case), {"n": count, "d": count, "m": count})


def collect(case, url, *words):
    return subprocess.Popen([WEIR, "collect", url, "-w", case, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def end(run, number=signal.SIGTERM):
    run.send_signal(number)
    told = run.communicate(timeout=SECONDS)[1].decode()
    need_equal(run.returncode, 0 if number == signal.SIGTERM else -number, told)
    return told


def positions(case):
    """How far the case has each partition, and how many flows its log says that it has."""
    next_offsets, rows = {}, 0
    with open(os.path.join(case, "log", "00000001.jsonl"), encoding="utf-8") as log:
        for line in log:
            entry = json.loads(line)
            for position in entry.get("positions", []):
                next_offsets[position["input"]] = position["next"]
            rows += sum(s["rows"] for s in entry.get("segments", []) if s["kind"] == "flow")
    return next_offsets, rows


def of_group(group):
    """What the broker has of a group: partition to offset."""
    done = broker().java("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server",
                         broker().address, "--describe", "--group", group)
    rows = [line.split() for line in done.stdout.decode().splitlines() if line.startswith(group + " ")]
    return {row[2]: int(row[3]) for row in rows if row[3] != "-"}


@test
def flows_of_a_topic_are_in_the_case(folder):
    case, dead = os.path.join(folder, "case"), os.path.join(folder, "dead")
    send_flows("simple", 0, 1000)
    send("simple", ["\n".join(flow(i) for i in range(1000, 1500)), flow(1500) + "\n{\"bytes\":\n" + flow(1501)], "\x01")
    told = weir("collect", broker().url("simple", "until=end"), "-w", case, "--dead", dead).err.decode()
    need("1502 flows in 1503 lines" in told, told)
    need_each_once(case, 1502)
    with open(dead, encoding="utf-8") as file:
        where, why, line = file.read().rstrip("\n").split("\t")
    need(where.startswith("simple/") and "@" in where and where.endswith(":2"), where)
    need_equal(line, '{"bytes":')
    need_equal(query(case, "SELECT reason, count FROM loss"), [{"reason": "not_json", "count": 1}])
    # Once more: nothing is new.
    told = weir("collect", broker().url("simple", "until=end"), "-w", case).err.decode()
    need_each_once(case, 1502)
    weir("verify", "--quick", case)


@test
def every_flow_is_once_in_the_case_when_weir_is_killed(folder):
    case, dice = os.path.join(folder, "case"), random.Random(7)
    url, sent = broker().url("killed", "group=killed"), 0
    for _ in range(6):
        run = collect(case, url, "--every", "150ms")
        for _ in range(4):
            send_flows("killed", sent, sent + 2000)
            sent += 2000
            time.sleep(dice.random() / 4)
        run.kill()
        run.communicate()
        if not os.path.exists(os.path.join(case, "log")):
            continue
        # A group is never told of more than is safe.
        safe = {name.rsplit("/", 1)[1]: offset for name, offset in positions(case)[0].items()}
        for partition, offset in of_group("killed").items():
            need(offset <= safe.get(partition, 0), partition, offset, safe)
    # Who was killed has a share of the topic until the broker gives it up.
    end_of_patience = time.time() + SECONDS
    while True:
        weir("collect", broker().url("killed", "group=killed&until=end&session.timeout.ms=6000"), "-w", case)
        if found(case)["n"] >= sent or time.time() > end_of_patience:
            break
    need_each_once(case, sent)
    offsets, rows = positions(case)
    need_equal((sum(offsets.values()), rows), (sent, sent))
    need_equal(sum(of_group("killed").values()), sent)
    weir("verify", "--quick", case)


def answer(number):
    """The flow of the other direction; its bytes are told from those of all others."""
    told = json.loads(flow(number))
    for there, back in ("src_ip_addr", "dst_ip_addr"), ("src_port", "dst_port"):
        told[there], told[back] = told[back], told[there]
    return json.dumps(dict(told, flags=".A....", bytes=OTHER_WAY + number + 1), separators=(",", ":"))


def both_ways(case):
    """Bytes of all flows of one direction, apart or together in a row; and how many are together."""
    rows = query(case, "SELECT bytes, reverse_bytes FROM flow")
    pairs = [row for row in rows if row.get("reverse_bytes") is not None]
    for row in pairs:
        need_equal(abs(row["reverse_bytes"] - row["bytes"]), OTHER_WAY)
    return sorted([row["bytes"] for row in rows] + [row["reverse_bytes"] for row in pairs]), len(pairs)


def ways_of(count):
    return list(range(1, count + 1)) + list(range(OTHER_WAY + 1, OTHER_WAY + count + 1))


@test
def flows_of_one_direction_are_joined(folder):
    case = os.path.join(folder, "case")
    send("pairs", [flow(i) for i in range(500)] + [answer(i) for i in range(500)])
    told = weir("collect", broker().url("pairs", "until=end"), "--join", "-w", case).err.decode()
    need("500 pairs of one-way flows were joined" in told, told)
    need_equal(both_ways(case), (ways_of(500), 500))


@test
def flows_are_joined_and_once_in_the_case_when_weir_is_killed(folder):
    """What waits for the other direction was taken from the topic and is in no case yet."""
    case, dice, sent = os.path.join(folder, "case"), random.Random(11), 0
    for _ in range(4):
        run = collect(case, broker().url("joined"), "--every", "300ms", "--join", "400ms")
        for _ in range(4):
            send("joined", [flow(i) for i in range(sent, sent + 500)])
            time.sleep(dice.random() / 4)
            send("joined", [answer(i) for i in range(sent, sent + 500)])
            sent += 500
        run.kill()
        run.communicate()
    weir("collect", broker().url("joined", "until=end"), "--join", "-w", case)
    need_equal(both_ways(case)[0], ways_of(sent))
    need_equal(sum(positions(case)[0].values()), 2 * sent)


@test
def every_flow_is_once_in_the_case_when_the_broker_stops_and_dies(folder):
    case, b = os.path.join(folder, "case"), broker()
    send_flows("dying", 0, 3000)
    run = collect(case, b.url("dying", "reconnect.backoff.max.ms=500"), "--every", "200ms")
    time.sleep(1.5)
    b.signal(signal.SIGSTOP)
    time.sleep(2)
    b.signal(signal.SIGCONT)
    send_flows("dying", 3000, 6000)
    b.kill()
    time.sleep(2)
    b.start()
    send_flows("dying", 6000, 9000)
    for _ in range(100):
        time.sleep(0.3)
        if found(case)["n"] >= 9000:
            break
    told = end(run)
    need_each_once(case, 9000)
    need("does not answer" in told and "answers again" in told, told)


@test
def what_went_before_it_was_read_is_told(folder):
    case, b = os.path.join(folder, "case"), broker()
    send_flows("old", 0, 500)
    weir("collect", b.url("old", "until=end"), "-w", case)
    send_flows("old", 500, 800)
    low = {}
    done = subprocess.run(["kcat", "-Q", "-b", b.address, "-t", "old:0:-1", "-t", "old:1:-1", "-t", "old:2:-1"],
                          stdout=subprocess.PIPE, timeout=SECONDS, check=True)
    for line in done.stdout.decode().splitlines():
        words = line.split()
        low[int(words[1].strip("[]"))] = int(words[-1])
    need_equal(sum(low.values()), 800)
    path = os.path.join(folder, "delete.json")
    with open(path, "w", encoding="ascii") as file:
        json.dump({"version": 1, "partitions": [{"topic": "old", "partition": p, "offset": n} for p, n in low.items()]}, file)
    done = b.java("org.apache.kafka.tools.DeleteRecordsCommand", "--bootstrap-server", b.address, "--offset-json-file", path)
    need_equal(done.returncode, 0, done.stdout.decode())
    send_flows("old", 800, 1000)
    weir("collect", b.url("old", "until=end"), "-w", case)
    need_equal(found(case), {"n": 700, "d": 700, "m": 1000})
    need_equal(query(case, "SELECT reason, sum(count) n FROM loss GROUP BY ALL"), [{"reason": "topic_expired", "n": 300}])


@test
def members_of_a_group_share(folder):
    b = broker()
    send_flows("shared", 0, 3000)
    cases = [os.path.join(folder, "case-%d" % i) for i in range(2)]
    runs = [collect(cases[0], b.url("shared", "group=shared"), "--every", "100ms")]
    time.sleep(1.5)
    runs.append(collect(cases[1], b.url("shared", "group=shared"), "--every", "100ms"))
    for i in range(10):
        send_flows("shared", 3000 + 500 * i, 3500 + 500 * i)
        time.sleep(0.5)
    for _ in range(100):
        counts = [found(case)["n"] if os.path.exists(case + "/log") else 0 for case in cases]
        if sum(counts) >= 8000:
            break
        time.sleep(0.3)
    for run in runs:
        end(run)
    need(all(counts), counts)
    need_equal(sum(counts), 8000)
    numbers = [row["bytes"] for case in cases for row in query(case, "SELECT bytes FROM flow")]
    need_equal(sorted(numbers), list(range(1, 8001)))


def topic_lines(topic):
    done = subprocess.run(["kcat", "-C", "-b", broker().address, "-t", topic, "-e", "-q"], stdout=subprocess.PIPE,
                          timeout=SECONDS, check=True)
    return done.stdout.decode().splitlines()


def case_of(folder, count):
    path = os.path.join(folder, "flows.json")
    with open(path, "w", encoding="ascii") as file:
        file.write("".join(flow(i) + "\n" for i in range(count)))
    case = os.path.join(folder, "case")
    weir("collect", path, "-w", case)
    return case


@test
def records_go_into_a_topic(folder):
    case, b = case_of(folder, 3000), broker()
    told = weir("replay", case, "-w", b.url("results.output"), "-o", "json", "-n", "2").err.decode()
    need("6000 records sent: 6000 delivered, 0 failed, 0 held" in told, told)
    sent = [json.loads(line) for line in topic_lines("results.output")]
    need_equal(sorted(line["bytes"] for line in sent), sorted(list(range(1, 3001)) * 2))
    need_equal({line["kind"] for line in sent}, {"flow"})
    told = weir("replay", case, "-w", b.url("results.output.some"), "-Y", "bytes > 2990").err.decode()
    need("10 records sent: 10 delivered" in told, told)
    # Kinds other than flow.
    weir("collect", "-", "-w", case, stdin=b'{"date_first_seen":"no time","bytes":1}\n' + flow(1).encode() + b"\n", status=0)
    weir("replay", case, "-w", b.url("losses"), "--kind", "loss")
    need_equal([json.loads(line)["reason"] for line in topic_lines("losses")], ["bad_value"])


@test
def a_broker_that_dies_while_it_is_written_to_gets_each_record_once(folder):
    case, b = case_of(folder, 2000), broker()
    run = subprocess.Popen([WEIR, "replay", case, "-w", b.url("reborn", "reconnect.backoff.max.ms=500"), "-n", "5", "--rate",
                            "2000"], stderr=subprocess.PIPE)
    time.sleep(1.5)
    b.kill()
    time.sleep(1.5)
    b.start()
    told = run.communicate(timeout=SECONDS)[1].decode()
    need_equal(run.returncode, 0, told)
    need("10000 records sent: 10000 delivered, 0 failed, 0 held" in told and "answers again" in told, told)
    numbers = sorted(json.loads(line)["bytes"] for line in topic_lines("reborn"))
    need_equal(numbers, sorted(list(range(1, 2001)) * 5))


SERVICE = """sources:
  - read: %s
store:
  path: case
  every: 300ms
sinks:
  - to: %s
    format: json
    spool: spool
"""


def serve(folder, into, out):
    path = os.path.join(folder, "weir.yaml")
    with open(path, "w", encoding="ascii") as file:
        file.write(SERVICE % (into, out))
    return subprocess.Popen([WEIR, "run", "-c", path], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@test
def what_goes_out_waits_on_disk_while_a_broker_is_away(folder):
    b, case = broker(), os.path.join(folder, "case")
    away = Broker(os.path.join(folder, "away"))
    send_flows("through", 0, 3000)
    out = away.url("out", "reconnect.backoff.max.ms=300")
    run = serve(folder, b.url("through"), out)
    time.sleep(4)
    told = end(run)
    need("waiting for it" in told and "3000 records wait in spool until kafka://%s/out takes them" % away.address in told, told)
    need_each_once(case, 3000)
    send_flows("through", 3000, 6000)
    run = serve(folder, b.url("through"), out)
    time.sleep(2)
    with away:
        for _ in range(100):
            lines = subprocess.run(["kcat", "-C", "-b", away.address, "-t", "out", "-e", "-q"], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, timeout=SECONDS, check=False).stdout.splitlines()
            if len(lines) >= 6000:
                break
            time.sleep(0.3)
        told = end(run)
    need("answers again" in told and "wait in" not in told, told)
    need_equal(sorted(json.loads(line)["bytes"] for line in lines), list(range(1, 6001)))
    need_each_once(case, 6000)


@test
def what_no_broker_takes_is_counted(folder):
    case = case_of(folder, 100)
    done = weir("replay", case, "-w", "kafka://127.0.0.1:1/t?message.timeout.ms=1500", status=4)
    told = done.err.decode().splitlines()
    need("waiting for it" in told[0], told)
    need("100 records sent: 0 delivered, 100 failed, 0 held" in told[1], told)
    need("timed out" in told[2] and len(told) == 3, told)


@test
def stream4flow_finds_its_topics(folder):
    entry = ('{"@type":"ipfix.entry","ipfix.sourceIPv4Address":"10.0.0.1","ipfix.destinationIPv4Address":"10.0.0.2",'
             '"ipfix.sourceTransportPort":1234,"ipfix.destinationTransportPort":443,"ipfix.protocolIdentifier":6,'
             '"ipfix.tcpControlBits":27,"ipfix.packetDeltaCount":%d,"ipfix.octetDeltaCount":1000,'
             '"ipfix.flowStartMilliseconds":1437238800000,"ipfix.flowEndMilliseconds":1437238801000}')
    case = os.path.join(folder, "case")
    send("ipfix.entry", [entry % i for i in range(1, 201)])
    weir("collect", broker().url("ipfix.entry", "until=end"), "-w", case)
    need_equal(query(case, "SELECT count(*) n, sum(packets) p, sum(bytes) b, min(dst_port) d FROM flow"),
               [{"n": 200, "p": 20100, "b": 200000, "d": 443}])


def secured(folder):
    """A broker with a listener that wants a password over TLS, and where that is."""
    b, port = Broker(os.path.join(folder, "secured")), free_port(socket.SOCK_STREAM)
    place, key, certificate = os.path.join(folder, "both.pem"), os.path.join(folder, "key.pem"), os.path.join(folder, "ca.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days",
                    "2", "-subj", "/CN=broker", "-addext", "subjectAltName=IP:127.0.0.1"], stderr=subprocess.DEVNULL,
                   timeout=SECONDS, check=True)
    with open(place, "wb") as both:
        for path in key, certificate:
            with open(path, "rb") as file:
                both.write(file.read())
    address = "127.0.0.1:%d" % port
    with open(b.configuration, "a", encoding="ascii") as file:
        file.write("""listeners=PLAINTEXT://%s,SASL_SSL://%s,CONTROLLER://127.0.0.1:%d
advertised.listeners=PLAINTEXT://%s,SASL_SSL://%s
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_weir="pa55";
ssl.keystore.type=PEM
ssl.keystore.location=%s
""" % (b.address, address, b.controller, b.address, address, place))
    return b, "kafka://%s/guarded" % address, certificate


def secrets(folder, name, password, certificate):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="ascii") as file:
        file.write("# of the test\nsecurity.protocol=sasl_ssl\nsasl.mechanism=PLAIN\nsasl.username=weir\nsasl.password=%s\n"
                   "ssl.ca.location=%s\n" % (password, certificate))
    return path


@test
def a_password_over_tls(folder):
    broker() # whoever has none has no second one
    case, again = case_of(folder, 500), os.path.join(folder, "again")
    b, url, certificate = secured(folder)
    with b:
        right = secrets(folder, "right", "pa55", certificate)
        told = weir("replay", case, "-w", url, "--kafka", right).err.decode()
        need("500 delivered, 0 failed" in told, told)
        weir("collect", url + "?until=end", "--kafka", right, "-w", again)
        need_each_once(again, 500)
        told = weir("read", url, "--kafka", right, "-w", "none", "-q").err.decode()
        need_equal(told, "")
        # A wrong password, and a certificate that nobody vouches for.
        wrong = secrets(folder, "wrong", "pa66", certificate)
        told = weir("read", url, "--kafka", wrong, "-w", "none", status=2).err.decode()
        need("Invalid username or password" in told.splitlines()[-1] and "pa66" not in told, told)
        for file, mentioned in (wrong, "Invalid username or password"), (secrets(folder, "foreign", "pa55", "/etc/ssl/certs"),
                                                                       "certificate"):
            told = weir("replay", case, "-w", url + "?message.timeout.ms=3000", "--kafka", file, status=4).err.decode()
            need(mentioned in told and told.count("waiting for it") <= 2 and "pa66" not in told, told)


@test
def wrong_words_are_one_sentence(folder):
    b = broker()
    for url, status, mentioned in ((b.url("nowhere.at.all"), INPUT, "no such topic"), ("kafka://a:1/", 2, "HOST:PORT/TOPIC"),
                                   (b.url("x", "sasl.password=pa55&nonsense=1"), 2, "nonsense"),
                                   (b.url("x", "format=xml"), 2, "format=json")):
        told = weir("collect", url, status=status).err.decode()
        need(mentioned in told and told.count("\n") == 1 and "pa55" not in told, told)
    case = case_of(folder, 1)
    for words, mentioned in ((("-w", b.url("x", "group=g")), "of reading"), (("-w", b.url("x"), "-o", "ipfix"), "as json"),
                             (("-w", "udp://127.0.0.1:9", "-o", "json"), "json goes to"),
                             (("-w", b.url("x"), "--kind", "flaw"), "no kind")):
        told = weir("replay", case, *words, status=2).err.decode()
        need(mentioned in told and told.count("\n") == 1, told)


main()
