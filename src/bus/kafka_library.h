// librdkafka, loaded when a topic is first named: whoever has no Kafka pays nothing for it.
//
// Thread: any. The table is valid once kafka_load has returned true.
#pragma once

#include <librdkafka/rdkafka.h>

#include "base/err.h"

// clang-format off
#define KAFKA_FUNCTIONS(X) \
    X(assign) X(clusterid) X(commit) X(committed) X(conf_destroy) X(conf_get) X(conf_new) \
    X(conf_set) X(conf_set_dr_msg_cb) X(conf_set_error_cb) X(conf_set_log_cb) \
    X(conf_set_offset_commit_cb) X(conf_set_opaque) X(conf_set_rebalance_cb) \
    X(consume_batch_queue) X(consume_start_queue) X(consume_stop) X(consumer_close) X(destroy) \
    X(err2str) X(fatal_error) X(flush) X(get_watermark_offsets) \
    X(last_error) X(mem_free) X(message_destroy) \
    X(message_timestamp) X(metadata) X(metadata_destroy) X(new) X(poll) X(poll_set_consumer) \
    X(produce) X(purge) X(query_watermark_offsets) X(queue_destroy) X(queue_get_consumer) \
    X(queue_io_event_enable) X(queue_new) X(subscribe) X(topic_conf_new) \
    X(topic_conf_set_partitioner_cb) X(topic_destroy) X(topic_new) X(topic_partition_list_add) \
    X(topic_partition_list_destroy) X(topic_partition_list_new)
// clang-format on

struct kafka_api {
#define X(name) __typeof__(&rd_kafka_##name) name;
    KAFKA_FUNCTIONS(X)
#undef X
};
extern struct kafka_api kafka;

// ERR_MACHINE when there is no librdkafka.
bool kafka_load(struct err *err);
