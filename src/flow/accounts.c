#include "flow/accounts.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"

enum { CHAINS_FIRST = 1024 };

struct account_name {
    struct address address;
    uint64_t shard;
};

struct accounts *accounts_create(struct budget max, uint32_t accounts_max, struct err *err)
{
    struct accounts *a = memory_get(sizeof *a);
    a->max = max;
    a->secret = table_secret(); // places in chains shape no result
    a->chain_count = CHAINS_FIRST;
    a->chains = memory_get(a->chain_count * sizeof *a->chains);
    if (pool_init(&a->pool, sizeof(struct account), accounts_max, err)) return a;
    accounts_destroy(a);
    return NULL;
}

void accounts_destroy(struct accounts *a)
{
    if (!a) return;
    pool_deinit(&a->pool);
    memory_free(a->chains);
    memory_free(a);
}

static uint32_t *chain_of(const struct accounts *a, struct address address, uint8_t shard)
{
    struct account_name name = {address, shard};
    return &a->chains[table_hash(&name, sizeof name, a->secret) & (a->chain_count - 1)];
}

// As many chains as accounts, at least.
static void chains_grow(struct accounts *a)
{
    uint32_t *old = a->chains, old_count = a->chain_count;
    a->chain_count *= 2;
    a->chains = memory_get(a->chain_count * sizeof *a->chains);
    for (uint32_t i = 0; i < old_count; i++) {
        for (uint32_t index = old[i], next; index; index = next) {
            struct account *account = account_at(a, index);
            uint32_t *chain = chain_of(a, account->address, account->shard);
            next = account->next;
            account->next = *chain;
            *chain = index;
        }
    }
    memory_free(old);
}

// In the chain that begins with `index`; 0 when it is not there.
static uint32_t account_find(const struct accounts *a, uint32_t index, uint8_t shard,
                             struct address address)
{
    while (index) {
        const struct account *account = account_at(a, index);
        if (account->shard == shard && address_equal(account->address, address)) break;
        index = account->next;
    }
    return index;
}

uint32_t account_take(struct accounts *a, uint8_t shard, struct address address)
{
    uint32_t *chain = chain_of(a, address, shard);
    uint32_t index = account_find(a, *chain, shard, address);
    if (!index) {
        if (a->pool.used == a->chain_count) {
            chains_grow(a);
            chain = chain_of(a, address, shard);
        }
        index = pool_take(&a->pool);
        if (!index) return 0;
        struct account *account = account_at(a, index);
        account->address = address;
        account->shard = shard;
        account->next = *chain;
        *chain = index;
    }
    account_at(a, index)->users++;
    return index;
}

void account_give(struct accounts *a, uint32_t index)
{
    if (!index) return;
    struct account *account = account_at(a, index);
    assert(account->users);
    if (--account->users) return;
    assert(!account->used.bytes && !account->used.files && !account->conversations);
    uint32_t *place = chain_of(a, account->address, account->shard);
    while (*place != index) place = &account_at(a, *place)->next;
    *place = account->next;
    pool_give(&a->pool, index);
}

// Whether `used` with `more` is no more than what `all` with `more` leaves of `max`.
static bool is_within(uint64_t used, uint64_t all, uint64_t more, uint64_t max)
{
    return !more || (all + more <= max && used + more <= max - all - more);
}

bool account_fits(const struct accounts *a, uint8_t shard, uint32_t index, struct budget more)
{
    const struct budget *all = &a->shards[shard];
    struct budget used = index ? account_at(a, index)->used : (struct budget){0};
    return is_within(used.bytes, all->bytes, more.bytes, a->max.bytes) &&
           is_within(used.files, all->files, more.files, a->max.files) &&
           is_within(used.recent, all->recent, more.recent, a->max.recent);
}

static void budget_add(struct budget *to, struct budget more)
{
    to->bytes += more.bytes;
    to->files += more.files;
    to->recent += more.recent;
}

static void budget_take(struct budget *from, struct budget less)
{
    assert(from->bytes >= less.bytes && from->files >= less.files && from->recent >= less.recent);
    from->bytes -= less.bytes;
    from->files -= less.files;
    from->recent -= less.recent;
}

void account_charge(struct accounts *a, uint8_t shard, uint32_t index, struct budget more)
{
    budget_add(&a->shards[shard], more);
    if (index) budget_add(&account_at(a, index)->used, more);
}

void account_release(struct accounts *a, uint8_t shard, uint32_t index, struct budget less)
{
    budget_take(&a->shards[shard], less);
    if (index) budget_take(&account_at(a, index)->used, less);
}
