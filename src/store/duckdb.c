#include "store/duckdb.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lock.h"

struct duck_api duck;

// The library finds its own symbols first: with all libraries of the program before it, that takes
// a third longer to load. Sanitizers take the place of symbols, and do not allow it.
#ifdef WITH_SANITIZER
enum { LIBRARY_MODE = RTLD_LAZY | RTLD_LOCAL };
#else
enum { LIBRARY_MODE = RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND };
#endif

enum { LIBRARY_PATH_MAX = 4096 };

static struct lock load_lock = LOCK_INIT;
static void *library;

static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
#define X(type, name, parameters) {"duckdb_" #name, offsetof(struct duck_api, name)},
    DUCK_FUNCTIONS(X)
#undef X
};

// The folder of the running program with `below` behind it, and the library's name.
static void *open_beside_program(const char *below)
{
    char path[LIBRARY_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 64);
    if (n <= 0) return NULL;
    path[n] = 0;
    char *slash = strrchr(path, '/');
    if (!slash) return NULL;
    snprintf(slash, sizeof path - (size_t)(slash - path), "/%s/libduckdb.so", below);
    return dlopen(path, LIBRARY_MODE);
}

// Where tools/fetch_duckdb leaves it.
static void *open_in_cache(void)
{
    char path[LIBRARY_PATH_MAX];
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && cache[0] == '/') snprintf(path, sizeof path, "%s/weir/libduckdb.so", cache);
    else if (home && home[0] == '/')
        snprintf(path, sizeof path, "%s/.cache/weir/libduckdb.so", home);
    else return NULL;
    return dlopen(path, LIBRARY_MODE);
}

static void *open_library(void)
{
    static const char *const beside[] = {"../lib/weir", "lib", "../lib", "../../lib"};
    static const char *const fixed[] = {"/usr/local/lib/weir/libduckdb.so",
                                        "/usr/lib/weir/libduckdb.so"};
    void *l = NULL;
    for (size_t i = 0; !l && i < sizeof beside / sizeof *beside; i++)
        l = open_beside_program(beside[i]);
    for (size_t i = 0; !l && i < sizeof fixed / sizeof *fixed; i++)
        l = dlopen(fixed[i], LIBRARY_MODE);
    if (!l) l = open_in_cache();
    return l ? l : dlopen("libduckdb.so", LIBRARY_MODE);
}

static bool resolve(struct err *err)
{
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *function = dlsym(library, symbols[i].name);
        if (!function)
            return err_set(err, ERR_MACHINE,
                           "libduckdb.so has no %s: it is too old, run tools/setup",
                           symbols[i].name);
        memcpy((char *)&duck + symbols[i].offset, &function, sizeof function);
    }
    void *streaming = dlsym(library, "duckdb_pending_prepared_streaming");
    memcpy(&duck.pending_prepared_streaming, &streaming, sizeof streaming);
    void *assign = dlsym(library, "duckdb_unsafe_vector_assign_string_element_len");
    memcpy(&duck.unsafe_vector_assign_string_element_len, &assign, sizeof assign);
    return true;
}

static bool load(struct err *err)
{
    const char *named = getenv("WEIR_DUCKDB");
    if (library) return true;
    library = named && *named ? dlopen(named, LIBRARY_MODE) : open_library();
    if (!library && named && *named)
        return err_set(err, ERR_MACHINE, "cannot load %s, which WEIR_DUCKDB names: %s", named,
                       dlerror());
    if (!library)
        return err_set(err, ERR_MACHINE,
                       "libduckdb.so is missing, without which cases cannot be written or asked: "
                       "run tools/setup, or "
                       "name it in WEIR_DUCKDB");
    if (resolve(err)) return true;
    dlclose(library);
    library = NULL;
    return false;
}

bool duckdb_load(struct err *err)
{
    lock_take(&load_lock);
    bool fine = load(err);
    lock_give(&load_lock);
    return fine;
}
