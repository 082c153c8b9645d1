// Inside of the line formats: what a name means, what a value is, and how one becomes the other.
#pragma once

#include "collect/lines.h"

// Seldom called, or with much on its stack: not to weigh on what is called for every value.
#define APART __attribute__((noinline))

enum {
    LINE_KEYS_MAX = 1024, // different names in one input
    LINE_KEY_SLOTS = 4096,
    LINE_NAME_MAX = 64,
    LINE_QUOTED_MAX = 96, // a name with quotes and colon, and zeros up to where a wide load ends
    LINE_SLACK = LINE_QUOTED_MAX, // what can be read behind the end of a line
    LINE_MINUTES = 64,
    LINE_WORDS = 32,
};

enum value_shape {
    VALUE_NUMBER,
    VALUE_DECIMAL, // `number` millionths, exactly
    VALUE_REAL,    // nearly `number` billionths; `text` has all digits
    VALUE_TEXT,
    VALUE_OTHER, // what no field takes; `text` says what
    VALUE_NONE,
};

struct line_value {
    enum value_shape shape;
    uint64_t number;
    bytes text; // UTF-8; any bytes where a table has them
};

// What a name in a line is for.
enum line_use {
    LINE_STEP,     // fills what its step says
    LINE_FLAGS,    // TCP flags as letters, or a number
    LINE_HEX,      // hexadecimal digits
    LINE_PORT,     // a number, or type and code of ICMP: 3.1 (nfdump), 0x0103 (Argus)
    LINE_PROTOCOL, // a number, or the protocol's name
    LINE_DURATION,
    LINE_KEPT,     // as NAME=VALUE
    LINE_BOTH,     // packets or bytes of both directions together; `field` is that of the first
    LINE_ELEMENTS, // NAME=VALUE, several
    LINE_TYPE,     // a line with another value than one of `types` is no flow
    LINE_IGNORED,
};

// A name of a format's own. Names of information elements need no rows.
struct line_name {
    const char *name;
    uint8_t use;    // enum line_use
    uint8_t field;  // of `flow`
    uint8_t bits;   // of numbers at most; 0: 64
    bool is_filled; // in a table: nothing but zeros stands where there is no value
};

struct line_format {
    const char *name;
    bool (*recognise)(bytes line);
    void (*take)(struct lines *l, bytes line);
    const struct line_name *names;
    uint32_t name_count;
    const char *types[3]; // values of LINE_TYPE that are flows
    nanos unit;           // of times that are numbers, by its own names
    bool has_fields;      // fields of `flow` are called by their names
};

struct line_key;

// What the name `key` tells is `v`; false and a fault when it does not fit.
typedef bool line_putter(struct lines *l, const struct line_key *key, const struct line_value *v);

// What is known of a name once it was met.
struct line_key {
    line_putter *put;
    struct line_key *next; // that came behind it last
    uint64_t seen;         // in this line
    uint64_t number_max;
    nanos unit;      // of a time that is a number
    uint32_t wanted; // which of the first 32 bytes are of `quoted`
    uint8_t use;
    uint8_t field;
    uint8_t how; // enum step_how
    bool is_filled;
    uint8_t shown; // where in it the element's name begins
    uint8_t quoted_size;
    uint8_t quoted[LINE_QUOTED_MAX]; // `"name":`
};

// Of formats of tables.
struct line_table {
    uint8_t delimiter;
    bool has_quotes;                 // else escapes
    bool is_other;                   // it is no table of flows
    char unset[16], empty[16];       // what stands where there is no value
    uint16_t columns[LINE_KEYS_MAX]; // numbers of their keys
    uint32_t column_count;           // 0: its header was not understood
};

// A minute that was met, in times of one form.
struct line_minute {
    uint8_t text[16];            // 2015-07-18T18:00
    uint8_t size, fraction_size; // of the whole; of the fraction with its dot
    uint64_t zone, is_zone;      // of its last eight bytes those that are zone; which these are
    uint64_t is_fraction;        // which are fraction of the eight bytes in front of the zone
    nanos fraction;              // what its last digit counts
    nanos start;
};

// A text of up to eight bytes, and the number that it stands for.
struct line_word {
    uint64_t text;
    uint8_t length, number;
};

struct line_keys {
    struct line_key keys[LINE_KEYS_MAX];
    struct line_key *first; // of the line before
    uint32_t count;
    uint16_t slots[LINE_KEY_SLOTS]; // number + 1
};

struct lines {
    struct lines_options options;
    struct record_writer *writer;
    const struct line_format *format;
    struct lines_counts counts;
    uint64_t lines_before; // the message that is being taken
    uint64_t lost[LINE_LOSS_COUNT];
    nanos lost_from, lost_to, now;                  // `now`: time of the last flow
    uint8_t carry[LINE_BYTES_MAX + 1 + LINE_SLACK]; // a line whose end has not come
    size_t carried;
    bool is_cut; // and which is too long already
    struct line_keys keys;
    struct line_minute minutes[LINE_MINUTES];
    struct line_word protocols[LINE_WORDS]; // names that were met
    struct line_table table;
    // Of this line.
    uint64_t stamp; // another for each reading of a line
    struct record_batch *batch;
    bool is_told; // something of a flow
    bool is_other;
    bool is_icmp;                      // told by name: the number depends on the family
    nanos duration;                    // 0: not told
    uint64_t packets_both, bytes_both; // 0: not told
    enum line_loss fault;
    char why[128];
    struct text list, value, cell;
};

extern const struct line_format *const line_formats[];
extern const uint32_t line_format_count;

// The key of a name, made when it is met first; NULL and a fault when there is no room.
struct line_key *line_key(struct lines *l, bytes name);
// Marks the key as seen in this line; false when it was.
static inline bool line_key_see(struct lines *l, struct line_key *key)
{
    if (key->seen == l->stamp) return false;
    key->seen = l->stamp;
    return true;
}
static inline bytes line_key_name(const struct line_key *key)
{
    return bytes_of(key->quoted + 1, key->quoted_size - 3u);
}

// The field that a name fills in a format; -1 when it fills none.
int line_field_of(const struct line_format *format, bytes name);

// False, with the fault noted.
bool line_fault(struct lines *l, enum line_loss loss, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void line_begin(struct lines *l);
void line_cancel(struct lines *l);
void line_end(struct lines *l, bytes line, bool ok);
line_putter *line_putter_of(const struct line_key *key);
static inline bool line_put(struct lines *l, const struct line_key *key, const struct line_value *v)
{
    // A line that is no flow must be well formed, but its values are not ours to judge.
    if ((v->shape == VALUE_NONE || l->is_other) && key->use != LINE_TYPE) return true;
    return key->put(l, key, v);
}

// An address of IPv4 that is written as most are; -1 says that address_parse knows.
int64_t line_v4(bytes text);
// A time as people write it; zones with or without colon and minutes, none is UTC.
#define LINE_NO_TIME INT64_MIN
nanos line_time(struct lines *l, bytes text);

enum scan_result { SCAN_DONE, SCAN_FAULT, SCAN_REFUSED };
// The fast way: takes only what it understands beyond doubt, and leaves all else to the other.
// Behind the line, which may end in '\r', stands '\n', and LINE_SLACK bytes more can be read.
enum scan_result line_scan(struct lines *l, bytes line);
// The strict way, for any line.
bool line_strict(struct lines *l, bytes line);

// For formats of objects: scanner, and the strict parser behind it.
void line_take_json(struct lines *l, bytes line);
// Whether a line is an object in which `"name` stands.
bool line_has(bytes line, const char *name);

// For formats of tables. What the names of a header mean; false and a fault when it has none, or
// one twice: then all lines of the table are broken.
bool table_header(struct lines *l, bytes names);
// A line of the table.
void table_take(struct lines *l, bytes line);
// A line that is part of the table and tells of no flow.
void table_pass(struct lines *l);
