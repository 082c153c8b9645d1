#include "record/packet_message.h"

#include <string.h>

// draft-ietf-opsawg-pcap section 4.
enum { VERSION_MAJOR = 2, VERSION_MINOR = 4 };
#define MAGIC_MICROS UINT32_C(0xa1b2c3d4)
#define MAGIC_NANOS UINT32_C(0xa1b23c4d)

bool packet_form_of(const char *word, enum packet_form *form)
{
    static const char *const words[] = {"packets", "pcap", "frame"};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) != 0) continue;
        *form = (enum packet_form)i;
        return true;
    }
    return false;
}

uint16_t link_type_of_pcap(uint32_t field)
{
    uint16_t link_type = (uint16_t)field; // above are class and FCS length
    // Raw IP under the numbers that systems use inside (DLT_RAW) instead of LINKTYPE_RAW.
    return link_type == 12 || link_type == 14 ? 101 : link_type;
}

// ---- reading ------------------------------------------------------------------------------------

static uint32_t next_32(struct reader *r, bool is_big)
{
    return is_big ? read_be32(r) : read_le32(r);
}

static bool read_pcap(bytes value, struct packet_message *out)
{
    struct reader r = reader_of(value);
    uint32_t magic = read_le32(&r);
    bool is_big =
        magic == __builtin_bswap32(MAGIC_MICROS) || magic == __builtin_bswap32(MAGIC_NANOS);
    if (is_big) magic = __builtin_bswap32(magic);
    if (magic != MAGIC_MICROS && magic != MAGIC_NANOS) return false;
    read_bytes(&r, 16); // version, zone, accuracy, snap length
    out->link_type = link_type_of_pcap(next_32(&r, is_big));
    nanos second = next_32(&r, is_big), fraction = next_32(&r, is_big);
    uint32_t captured = next_32(&r, is_big);
    out->length = next_32(&r, is_big);
    if (r.bad || captured != reader_left(&r)) return false;
    if (magic == MAGIC_MICROS) fraction *= NANOS_PER_MICRO;
    out->time = second * NANOS_PER_SECOND + fraction;
    out->data = reader_rest(&r);
    if (out->length < captured) out->length = captured;
    return fraction < NANOS_PER_SECOND;
}

static bool read_frame(bytes key, bytes value, struct packet_message *out)
{
    struct reader r = reader_of(key);
    uint64_t micros = read_be64(&r);
    if (r.bad || reader_left(&r) || micros > INT64_MAX / NANOS_PER_MICRO) return false;
    out->time = (nanos)micros * NANOS_PER_MICRO;
    out->length = (uint32_t)value.n;
    out->data = value;
    return true;
}

bool packet_message_read(enum packet_form form, uint16_t link_type, bytes key, bytes value,
                         struct packet_message *out)
{
    *out = (struct packet_message){.link_type = link_type};
    if (value.n > PACKET_MESSAGE_MAX + PACKET_MESSAGE_HEAD) return false;
    bool is_one = form != PACKET_FORM_FRAME && read_pcap(value, out);
    if (!is_one && form != PACKET_FORM_PCAP) {
        out->link_type = link_type;
        is_one = read_frame(key, value, out);
    }
    return is_one && out->data.n && out->data.n <= PACKET_MESSAGE_MAX;
}

// ---- writing ------------------------------------------------------------------------------------

// The lowest `n` bytes of a number, the lowest first.
static uint8_t *put_little(uint8_t *to, uint64_t value, unsigned n)
{
    for (unsigned i = 0; i < n; i++) to[i] = (uint8_t)(value >> 8 * i);
    return to + n;
}

static uint64_t time_of(const struct packet *p)
{
    return (uint64_t)(p->time > 0 ? p->time : 0);
}

void packet_message_head(const struct packet *p, uint8_t head[PACKET_MESSAGE_HEAD])
{
    uint64_t time = time_of(p), fraction = time % NANOS_PER_SECOND;
    bool is_nanos = fraction % NANOS_PER_MICRO != 0;
    head = put_little(head, is_nanos ? MAGIC_NANOS : MAGIC_MICROS, 4);
    head = put_little(head, VERSION_MAJOR, 2);
    head = put_little(head, VERSION_MINOR, 2);
    head = put_little(head, 0, 8); // zone, accuracy
    head = put_little(head, PACKET_MESSAGE_MAX, 4);
    head = put_little(head, p->link_type, 4);
    head = put_little(head, time / NANOS_PER_SECOND, 4);
    head = put_little(head, is_nanos ? fraction : fraction / NANOS_PER_MICRO, 4);
    head = put_little(head, p->captured, 4);
    put_little(head, p->length, 4);
}

void packet_message_key(const struct packet *p, uint8_t key[PACKET_MESSAGE_KEY])
{
    uint64_t micros = __builtin_bswap64(time_of(p) / NANOS_PER_MICRO);
    put_little(key, micros, PACKET_MESSAGE_KEY);
}
