// A cluster of librdkafka's own making for tests: brokers that are threads of this process.
#pragma once

#include <stdio.h>
#include <string.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "base/bytes.h"

struct mock {
    rd_kafka_t *client; // produces, and holds the cluster
    rd_kafka_mock_cluster_t *cluster;
    char url[256]; // of the topic
};

static inline void mock_open(struct mock *m, const char *topic, int partitions)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    m->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    m->cluster = rd_kafka_mock_cluster_new(m->client, 1);
    rd_kafka_mock_topic_create(m->cluster, topic, partitions, 1);
    const char *brokers = rd_kafka_mock_cluster_bootstraps(m->cluster);
    snprintf(m->url, sizeof m->url, "kafka://%s/%s", brokers, topic);
    rd_kafka_brokers_add(m->client, brokers);
}

static inline void mock_put(struct mock *m, const char *topic, int partition, bytes key,
                            bytes value)
{
    rd_kafka_topic_t *t = rd_kafka_topic_new(m->client, topic, NULL);
    rd_kafka_produce(t, partition, RD_KAFKA_MSG_F_COPY, (void *)(uintptr_t)value.p, value.n, key.p,
                     key.n, NULL);
    rd_kafka_topic_destroy(t);
}

static inline void mock_send(struct mock *m, const char *topic, int partition, const char *text)
{
    mock_put(m, topic, partition, bytes_of(NULL, 0), bytes_text(text));
}

static inline void mock_flush(struct mock *m)
{
    rd_kafka_flush(m->client, 10000);
}

static inline void mock_close(struct mock *m)
{
    rd_kafka_mock_cluster_destroy(m->cluster);
    rd_kafka_destroy(m->client);
}
