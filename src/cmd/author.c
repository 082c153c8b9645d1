// Who runs the program, and the key with which he signs.
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "engine/version.h"
#include "store/entry.h"

enum { KEY_NAME_MAX = 4096, WHO_MAX = 512 };

static struct signing_key *key;

static void drop_key(void)
{
    signing_key_close(key);
}

static bool fits(int n, size_t size, struct err *err)
{
    return n < (int)size || err_set(err, ERR_USAGE, "the name of the key's file is too long");
}

bool command_key_path(char *path, size_t size, struct err *err)
{
    const char *named = getenv("WEIR_KEY"), *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    if (named && *named) return fits(snprintf(path, size, "%s", named), size, err);
    if (config && *config == '/')
        return fits(snprintf(path, size, "%s/weir/key.pem", config), size, err);
    if (home && *home == '/')
        return fits(snprintf(path, size, "%s/.config/weir/key.pem", home), size, err);
    return err_set(err, ERR_USAGE,
                   "a case is signed with a key, and HOME does not say where it is to be kept: "
                   "name its file with WEIR_KEY=FILE");
}

static const char *who(void)
{
    static char text[WHO_MAX];
    char host[128] = "";
    const struct passwd *user = getpwuid(getuid());
    gethostname(host, sizeof host - 1);
    if (user) snprintf(text, sizeof text, "%s@%s", user->pw_name, host);
    else snprintf(text, sizeof text, "%u@%s", (unsigned)getuid(), host);
    return text;
}

bool command_author(struct author *author, bool signing, const char *why, struct err *err)
{
    char path[KEY_NAME_MAX];
    *author = (struct author){.version = WEIR_VERSION, .time = command_now(), .why = why};
    if (!signing) return true;
    author->who = who();
    if (!key) {
        if (!command_key_path(path, sizeof path, err)) return false;
        key = signing_key_open(path, err);
        if (key) atexit(drop_key);
    }
    author->key = key;
    return key != NULL;
}
