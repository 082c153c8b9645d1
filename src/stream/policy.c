#include "stream/policy.h"

#include <string.h>

enum { WINS_COUNT = 9 };

static const struct {
    const char *name;
    char wins[WINS_COUNT + 1];
} policies[] = {
#define OVERLAP_ROW(constant, name, wins) [OVERLAP_##constant] = {name, wins},
    OVERLAP_POLICIES(OVERLAP_ROW)
#undef OVERLAP_ROW
};

const char *overlap_name(enum overlap_policy policy)
{
    return policies[policy].name;
}

// 0 before, 1 at, 2 behind.
static unsigned place(uint64_t at, uint64_t of)
{
    return at < of ? 0 : at == of ? 1 : 2;
}

bool overlap_later_wins(enum overlap_policy policy, struct overlap_extent earlier,
                        struct overlap_extent later)
{
    unsigned begins = place(later.from, earlier.from), ends = place(later.to, earlier.to);
    return policies[policy].wins[3 * begins + ends] == 'n';
}

// ---- the option ---------------------------------------------------------------------------------

static bool policy_parse(bytes name, enum overlap_policy *policy, struct err *err)
{
    for (unsigned i = 0; i < OVERLAP_COUNT; i++) {
        if (!bytes_equal(name, bytes_text(policies[i].name))) continue;
        *policy = (enum overlap_policy)i;
        return true;
    }
    char names[256];
    size_t n = 0;
    for (unsigned i = 0; i < OVERLAP_COUNT; i++) {
        size_t length = strlen(policies[i].name);
        memcpy(names + n, policies[i].name, length);
        memcpy(names + n + length, ", ", 2);
        n += length + 2;
    }
    names[n - 2] = 0;
    return err_set(err, ERR_USAGE, "\"%.*s\" is no overlap policy; there are %s", (int)name.n,
                   (const char *)name.p, names);
}

static bool rule_parse(bytes network, bytes name, struct overlap_rules *rules, struct err *err)
{
    if (rules->count == OVERLAP_RULES_MAX)
        return err_set(err, ERR_USAGE, "--overlap takes %d networks at most", OVERLAP_RULES_MAX);
    struct prefix *prefix = &rules->rules[rules->count].network;
    if (!prefix_parse(network, prefix))
        return err_set(err, ERR_USAGE,
                       "\"%.*s\" is no network; write it as in 10.0.0.0/8=linux or "
                       "2001:db8::/32=windows",
                       (int)network.n, (const char *)network.p);
    for (uint32_t i = 0; i < rules->count; i++)
        if (address_equal(rules->rules[i].network.first, prefix->first) &&
            address_equal(rules->rules[i].network.last, prefix->last))
            return err_set(err, ERR_USAGE, "--overlap names the network %.*s twice", (int)network.n,
                           (const char *)network.p);
    return policy_parse(name, &rules->rules[rules->count++].policy, err);
}

bool overlap_parse(const char *text, struct overlap_rules *rules, struct err *err)
{
    *rules = (struct overlap_rules){.text = text};
    bool has_otherwise = false;
    for (bytes rest = bytes_text(text);;) {
        bytes part = bytes_first(rest, bytes_find(rest, ','));
        size_t equals = bytes_find(part, '=');
        if (equals < part.n) {
            bytes name = bytes_after(part, equals + 1);
            if (!rule_parse(bytes_first(part, equals), name, rules, err)) return false;
        } else {
            if (!policy_parse(part, &rules->otherwise, err)) return false;
            if (has_otherwise)
                return err_set(err, ERR_USAGE,
                               "--overlap has two policies without a network; write NETWORK=POLICY "
                               "for all but one");
            has_otherwise = true;
        }
        if (part.n == rest.n) return true;
        rest = bytes_after(rest, part.n + 1);
    }
}

enum overlap_policy overlap_of(const struct overlap_rules *rules, struct address receiver)
{
    const struct prefix *smallest = NULL;
    enum overlap_policy policy = rules->otherwise;
    for (uint32_t i = 0; i < rules->count; i++) {
        const struct prefix *network = &rules->rules[i].network;
        // Of two networks with one address in common, one lies in the other.
        if (!prefix_has(network, receiver) || (smallest && !prefix_has(smallest, network->first)))
            continue;
        if (smallest && !prefix_has(smallest, network->last)) continue;
        smallest = network;
        policy = rules->rules[i].policy;
    }
    return policy;
}
