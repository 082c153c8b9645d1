#include "source/rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Root writes to a case in somebody's folder: by these, not by its name.
static uint32_t needed_by_root(void)
{
    return 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH | 1U << CAP_FOWNER | 1U << CAP_CHOWN;
}

static uint32_t kept_of(enum rights which)
{
    if (which == RIGHTS_TO_CAPTURE) return ~(1U << CAP_NET_RAW | 1U << CAP_NET_ADMIN);
    return geteuid() == 0 ? needed_by_root() : 0;
}

bool rights_give_up(enum rights which, struct err *err)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct rights[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &head, rights) != 0)
        return err_system(err, errno, "cannot ask for the rights of this process");
    rights[0].permitted &= kept_of(which);
    rights[0].effective &= kept_of(which);
    rights[0].inheritable = rights[1].inheritable = 0;
    if (which == RIGHTS_ALL) rights[1].permitted = rights[1].effective = 0;
    if (syscall(SYS_capset, &head, rights) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_system(err, errno, "cannot give up the rights of this process");
    return true;
}
