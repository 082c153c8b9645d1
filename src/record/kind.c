#include "record/kind.h"

int kind_field(const struct record_kind *kind, bytes name)
{
    for (uint32_t i = 0; i < kind->field_count; i++)
        if (bytes_equal(name, bytes_text(kind->fields[i].name))) return (int)i;
    return -1;
}

bool kind_has_common_fields(const struct record_kind *kind)
{
    return kind->field_count >= COMMON_COUNT &&
           kind_field(kind, bytes_text("src_offset")) == COMMON_SRC_OFFSET;
}

const char *field_type_name(enum field_type type)
{
    switch (type) {
    case FIELD_TIME:
        return "time";
    case FIELD_DURATION:
        return "duration";
    case FIELD_UINT:
        return "uint";
    case FIELD_REAL:
        return "real";
    case FIELD_BOOL:
        return "bool";
    case FIELD_MAC:
        return "mac";
    case FIELD_ADDRESS:
        return "address";
    case FIELD_ID:
        return "id";
    case FIELD_TEXT:
        return "text";
    case FIELD_HASH:
        return "hash";
    case FIELD_BLOB:
        return "blob";
    case FIELD_TEXTS:
        return "texts";
    case FIELD_UINTS:
        return "uints";
    case FIELD_ADDRESSES:
        return "addresses";
    }
    return "unknown";
}

uint64_t kind_asked_fields(const struct record_kind *kind)
{
    uint64_t fields = 0;
    for (uint32_t f = 0; f < kind->field_count; f++)
        if (kind->fields[f].flags & FIELD_ASKED) fields |= UINT64_C(1) << f;
    return fields;
}
