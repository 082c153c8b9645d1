"""A real Kafka broker on loopback for tests and benchmarks: one Java process, its data in a folder."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from program import Skip

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START_SECONDS = 60
SHARED = []
FETCH_SECONDS = 600


class NoBroker(Exception):
    """There is no Java, or there are no jars."""


def free_port():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return holder.getsockname()[1]


def jars():
    """The folder of the broker's jars, fetched once."""
    try:
        done = subprocess.run([os.path.join(ROOT, "tools/fetch_kafka")], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=FETCH_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise NoBroker("the jars of a broker cannot be fetched in time")
    if done.returncode:
        raise NoBroker((done.stderr.decode().strip() or "tools/fetch_kafka failed").splitlines()[-1])
    return done.stdout.decode().strip()


class Broker:
    def __init__(self, folder, partitions=3, heap="384m", more=""):
        self.folder, self.heap, self.process = folder, heap, None
        os.makedirs(folder, exist_ok=True)
        self.jars = jars()
        self.port, self.controller = free_port(), free_port()
        self.address = "127.0.0.1:%d" % self.port
        self.configuration = os.path.join(folder, "broker.properties")
        with open(self.configuration, "w", encoding="ascii") as file:
            file.write("""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:%d
listeners=PLAINTEXT://%s,CONTROLLER://127.0.0.1:%d
advertised.listeners=PLAINTEXT://%s
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=%s/data
num.partitions=%d
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
log.retention.check.interval.ms=1000
log.initial.task.delay.ms=500
broker.session.timeout.ms=4000
%s
""" % (self.controller, self.address, self.controller, self.address, folder, partitions, more))
        done = self.java("kafka.tools.StorageTool", "format", "-t", "weir-test-cluster-0001", "-c",
                         self.configuration)
        if done.returncode:
            raise NoBroker("the broker's storage cannot be made: " + done.stdout.decode()[-300:])

    def words(self, heap, *words):
        return ["java", "-Xmx" + heap, "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", self.jars + "/*", *words]

    def java(self, *words):
        try:
            return subprocess.run(self.words("128m", *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=START_SECONDS, check=False)
        except FileNotFoundError:
            raise NoBroker("java is not installed: tools/setup --test")

    def start(self):
        with open(os.path.join(self.folder, "broker.log"), "ab") as log:
            self.process = subprocess.Popen(self.words(self.heap, "kafka.Kafka", self.configuration), stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        self.stop()
        with open(os.path.join(self.folder, "broker.log"), "rb") as log:
            raise NoBroker("the broker does not start: " + log.read().decode("utf-8", "replace")[-500:])

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def url(self, topic, query=""):
        return "kafka://%s/%s%s" % (self.address, topic, "?" + query if query else "")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def broker():
    """One for all tests of a process, which have topics of their own; without one they are skipped."""
    if not SHARED:
        for tool in "kcat", "java":
            if shutil.which(tool) is None:
                raise Skip("%s is not installed" % tool)
        folder = tempfile.mkdtemp(prefix="weir-broker-")
        atexit.register(shutil.rmtree, folder, True)
        try:
            SHARED.append(Broker(folder).start())
        except NoBroker as why:
            raise Skip(why)
        atexit.register(SHARED[0].stop)
    return SHARED[0]
