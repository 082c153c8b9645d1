// What a configuration says that no key can tell alone: places, expressions, formats, elements.
#include <inttypes.h>
#include <string.h>

#include "api/page.h"
#include "base/memory.h"
#include "bus/kafka_place.h"
#include "config/keys.h"
#include "flow/flow_kind.h"
#include "record/element.h"
#include "service/packet_options.h"
#include "service/service_inside.h"
#include "source/live.h"

// They are read by one thread, which knows how far all of them were taken.
static bool topics_check(const struct config *c, struct err *err)
{
    const struct config_source *sources = c->sources.items, *first = NULL;
    struct text one = {0}, two = {0};
    bool ok = true;
    for (uint32_t i = 0; ok && i < c->sources.count; i++) {
        const struct config_source *s = &sources[i];
        if (!s->read || !kafka_is_place(s->read)) continue;
        text_clear(&two);
        text_format(&two, "%s\n%s\n%s\n%d\n%" PRId64, s->tap ? s->tap : "", s->dead ? s->dead : "",
                    s->kafka ? s->kafka : "", s->known_only, s->join);
        if (!first) text_add(&one, two.p);
        if (!first) first = s;
        else if (strcmp(one.p, two.p) != 0)
            ok = config_fail(c, s->place, err,
                             "topics share tap, dead, kafka, known-only and join; those of line "
                             "%u are others",
                             first->place.line);
    }
    text_deinit(&one);
    text_deinit(&two);
    return ok;
}

// Keys that say something of packets, where there are none.
static bool packets_check(const struct config *c, const struct config_source *s, struct err *err)
{
    const struct config_section *section = config_section_named("sources");
    struct config_source defaults = {.place = {0, 0}};
    struct reading_options packets = READING_DEFAULTS;
    struct err wrong = {0};
    config_defaults(section, &defaults);
    bool is_live = s->read && live_interface_of(s->read);
    for (unsigned i = 0; !is_live && i < section->key_count; i++) {
        const struct config_key *key = &section->keys[i];
        if ((key->traits & KEY_PACKETS) && !option_equal(&key->option, s, &defaults))
            return config_fail(c, s->place, err,
                               "\"%s\" is for a source that is an interface: "
                               "read: interface:NAME",
                               key->option.name);
    }
    if (is_live && s->join)
        return config_fail(c, s->place, err,
                           "\"join\" is for flows that others tell: those of an interface have "
                           "both directions");
    if (s->keep && !c->store.path)
        return config_fail(c, s->place, err, "packets are kept in a case: store: {path: CASE}");
    return packet_options_fill(s, &packets, &wrong) ||
           config_fail(c, s->place, err, "%s", wrong.text);
}

static bool sources_check(const struct config *c, struct err *err)
{
    const struct config_source *sources = c->sources.items;
    for (uint32_t i = 0; i < c->sources.count; i++) {
        const struct config_source *s = &sources[i];
        struct err wrong = {0};
        if (i == SERVICE_SOURCES_MAX)
            return config_fail(c, s->place, err, "more than %d sources", SERVICE_SOURCES_MAX);
        if (s->listen && !gather_is_port(s->listen))
            return config_fail(c, s->place, err,
                               "\"%s\" is no place to listen at: udp://HOST:PORT, ipfix://HOST, "
                               "sflow://HOST, tcp://HOST",
                               s->listen);
        if (!packets_check(c, s, err)) return false;
        if (s->listen && !gather_check(s->listen, &wrong))
            return config_fail(c, s->place, err, "%s", wrong.text);
    }
    if (!topics_check(c, err)) return false;
    return c->sources.count ||
           config_fail(c, (struct config_place){1, 1}, err, "no sources: there is nothing to do");
}

static bool sinks_check(const struct config *c, nanos now, struct err *err)
{
    const struct config_sink *sinks = c->sinks.items;
    for (uint32_t i = 0; i < c->sinks.count; i++) {
        if (i == DELIVERIES_MAX)
            return config_fail(c, sinks[i].place, err, "more than %d sinks", DELIVERIES_MAX);
        if (!delivery_check(c, &sinks[i], now, err)) return false;
    }
    return true;
}

// ---- elements -----------------------------------------------------------------------------------

static bool type_fits(enum field_type field, enum element_type type)
{
    if (field == FIELD_UINT) return type >= ELEMENT_unsigned8 && type <= ELEMENT_unsigned64;
    if (field == FIELD_ADDRESS) return type == ELEMENT_ipv4Address || type == ELEMENT_ipv6Address;
    if (field == FIELD_TIME)
        return type >= ELEMENT_dateTimeSeconds && type <= ELEMENT_dateTimeNanoseconds;
    if (field == FIELD_MAC) return type == ELEMENT_macAddress;
    return field == FIELD_TEXT && type == ELEMENT_string;
}

static bool fills_check(const struct config *c, const struct config_element *e, struct err *err)
{
    if (!e->fills) return true;
    enum element_type type;
    int field = kind_field(&flow_kind, bytes_text(e->fills));
    if (field < 0)
        return config_fail(c, e->place, err, "flow has no field \"%s\"; weir fields flow lists all",
                           e->fills);
    enum field_type of = flow_kind.fields[field].type;
    return (element_type_named(bytes_text(e->type), &type) && type_fits(of, type)) ||
           config_fail(c, e->place, err, "%s is of type %s, which %s cannot fill", e->fills,
                       field_type_name(of), e->type);
}

static bool elements_check(const struct config *c, struct err *err)
{
    const struct config_element *elements = c->elements.items;
    for (uint32_t i = 0; i < c->elements.count; i++) {
        const struct config_element *e = &elements[i];
        for (uint32_t k = 0; k < i; k++)
            if (elements[k].enterprise == e->enterprise && elements[k].number == e->number)
                return config_fail(c, e->place, err,
                                   "this number of this enterprise stands in "
                                   "line %u already",
                                   elements[k].place.line);
        if (!fills_check(c, e, err)) return false;
    }
    return true;
}

bool service_check(const struct config *c, nanos now, struct err *err)
{
    struct err wrong = {0};
    if (!elements_check(c, err) || !sources_check(c, err) || !sinks_check(c, now, err))
        return false;
    if (!c->metrics.listen || page_check(c->metrics.listen, &wrong)) return true;
    return config_fail(c, c->metrics.place, err, "%s", wrong.text);
}
