// What plain librdkafka takes to read a topic from its beginning to where it ends now, and to drop
// what it reads: the least that a program which reads it can cost.
//
//     topic HOST:PORT TOPIC PARTITIONS
//
// Prints how many messages and bytes there were.
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

enum { AT_ONCE = 1000 };

static rd_kafka_t *open_client(const char *brokers)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof why);
    return rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
}

int main(int argc, char **argv)
{
    static rd_kafka_message_t *list[AT_ONCE];
    if (argc != 4) return 2;
    int open = atoi(argv[3]);
    unsigned long long messages = 0, bytes = 0;
    rd_kafka_t *client = open_client(argv[1]);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, argv[2], NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    for (int i = 0; i < open; i++)
        rd_kafka_consume_start_queue(topic, i, RD_KAFKA_OFFSET_BEGINNING, queue);
    while (open > 0) {
        ssize_t n = rd_kafka_consume_batch_queue(queue, 1000, list, AT_ONCE);
        for (ssize_t i = 0; i < n; i++) {
            if (list[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) open--;
            else messages++, bytes += list[i]->len;
            rd_kafka_message_destroy(list[i]);
        }
    }
    printf("%llu %llu\n", messages, bytes);
    return 0;
}
