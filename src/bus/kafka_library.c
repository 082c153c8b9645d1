#include "bus/kafka_library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "base/lock.h"

struct kafka_api kafka;

static struct lock load_lock = LOCK_INIT;
static void *library;

static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
#define X(name) {"rd_kafka_" #name, offsetof(struct kafka_api, name)},
    KAFKA_FUNCTIONS(X)
#undef X
};

static bool resolve(void *from, struct err *err)
{
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *function = dlsym(from, symbols[i].name);
        if (!function)
            return err_set(err, ERR_MACHINE, "librdkafka has no %s: it is too old, run tools/setup",
                           symbols[i].name);
        memcpy((char *)&kafka + symbols[i].offset, &function, sizeof function);
    }
    return true;
}

static bool load(struct err *err)
{
    if (library) return true;
    void *l = dlopen("librdkafka.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (!l)
        return err_set(err, ERR_MACHINE,
                       "librdkafka is missing, without which there is no Kafka: run tools/setup, "
                       "or install librdkafka1");
    if (resolve(l, err)) {
        library = l;
        return true;
    }
    dlclose(l);
    return false;
}

bool kafka_load(struct err *err)
{
    lock_take(&load_lock);
    bool fine = load(err);
    lock_give(&load_lock);
    return fine;
}
