#include "source/capture_kind.h"

// clang-format off
static const struct field capture_fields[] = {
    {"number", FIELD_UINT, NULL,
     "Which capture of the reading it is, from 0 in the order named", NULL, NULL, 0},
    {"path", FIELD_TEXT, NULL, "File as it was named, or -", "file.path", NULL, FIELD_UNDIGESTED},
    {"sha256", FIELD_HASH, NULL, "SHA-256 of the file as stored", "file.hash.sha256", NULL, 0},
    {"format", FIELD_TEXT, NULL,
     "Format of the capture: pcap, pcapng or snoop", "file.type", NULL, 0},
    {"compression", FIELD_TEXT, NULL,
     "How the file is compressed: gzip, zstd or lz4", NULL, NULL, 0},
    {"link_types", FIELD_TEXT, NULL,
     "Link types of its interfaces, separated by commas", NULL, NULL, 0},
    {"packets", FIELD_UINT, "packets", "Packets in the file", "network.packets", NULL, 0},
    {"bytes", FIELD_UINT, "bytes", "Bytes of these packets on the wire", "network.bytes", NULL, 0},
    {"captured_bytes", FIELD_UINT, "bytes", "Bytes of these packets in the file", NULL, NULL, 0},
    {"file_bytes", FIELD_UINT, "bytes", "Size of the file as stored", "file.size", NULL, 0},
    {"filtered", FIELD_UINT, "packets", "Packets that the packet filter left out", NULL, NULL, 0},
    {"backwards", FIELD_UINT, "packets",
     "Packets with an earlier time than the packet before", NULL, NULL, 0},
    {"damaged_bytes", FIELD_UINT, "bytes",
     "Bytes that were skipped because no packet could be made of them", NULL, NULL, 0},
    {"cut_bytes", FIELD_UINT, "bytes",
     "Bytes of the packet in the middle of which the file ends", NULL, NULL, 0},
    {"interface_drops", FIELD_UINT, "packets",
     "Packets that were lost while capturing, as the file tells", NULL, NULL, 0},
    {"first_seen", FIELD_TIME, NULL, "Earliest packet time", "event.start", NULL, 0},
    {"last_seen", FIELD_TIME, NULL, "Latest packet time", "event.end", NULL, 0},
    {"interfaces", FIELD_UINT, NULL, "Interfaces that the file describes", NULL, NULL, 0},
    {"comments", FIELD_TEXT, NULL, "Comments in the file, a line each", NULL, NULL, 0},
    {"truncated", FIELD_BOOL, NULL,
     "Whether the file ends in the middle of a packet, or before its end", NULL, NULL, 0},
    {"reading", FIELD_UINT, NULL,
     "Number of the reading in the log of the case", NULL, NULL, FIELD_HIDDEN},
};
// clang-format on

const struct record_kind capture_kind = {
    .name = "capture",
    .help = "A capture file that was read",
    .fields = capture_fields,
    .field_count = sizeof capture_fields / sizeof *capture_fields,
    .undigested = true,
};

static void capture_row_times(const struct capture_info *info, struct row *row)
{
    if (info->first_seen > info->last_seen) return; // no packet has a time
    row_time(row, CAPTURE_FIRST_SEEN, info->first_seen);
    row_time(row, CAPTURE_LAST_SEEN, info->last_seen);
    row->ts = info->first_seen;
}

void capture_row(const struct capture_info *info, struct row *row)
{
    row_uint(row, CAPTURE_NUMBER, info->number);
    row_text(row, CAPTURE_PATH, bytes_text(info->path));
    if (info->hashed) row_hash(row, CAPTURE_SHA256, bytes_of(info->sha256, sizeof info->sha256));
    row_text(row, CAPTURE_FORMAT, bytes_text(info->format));
    if (info->compression[0]) row_text(row, CAPTURE_COMPRESSION, bytes_text(info->compression));
    if (info->link_types[0]) row_text(row, CAPTURE_LINK_TYPES, bytes_text(info->link_types));
    row_uint(row, CAPTURE_PACKETS, info->packets);
    row_uint(row, CAPTURE_BYTES, info->packet_bytes);
    row_uint(row, CAPTURE_CAPTURED_BYTES, info->captured_bytes);
    row_uint(row, CAPTURE_FILE_BYTES, info->file_bytes);
    row_uint(row, CAPTURE_FILTERED, info->packets_filtered);
    row_uint(row, CAPTURE_BACKWARDS, info->packets_backwards);
    row_uint(row, CAPTURE_DAMAGED_BYTES, info->damaged_bytes);
    row_uint(row, CAPTURE_CUT_BYTES, info->cut_bytes);
    row_uint(row, CAPTURE_INTERFACE_DROPS, info->interface_drops);
    capture_row_times(info, row);
    row_uint(row, CAPTURE_INTERFACES, info->interface_count);
    if (info->comments[0]) row_text(row, CAPTURE_COMMENTS, bytes_text(info->comments));
    row_uint(row, CAPTURE_TRUNCATED, info->truncated);
}
