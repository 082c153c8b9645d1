// Who wins where segments that wait overlap and differ, in the words of Novak and Sturges,
// "Target-Based TCP Stream Reassembly" (2007), section 5, and of Shankar and Paxson, "Active
// Mapping" (2003), section 5.
#include "truth.h"

static bool is_one_of(const char *name, const char *const *names, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}

bool truth_later_wins(const char *policy, struct extent old, struct extent new)
{
    static const char *const like_bsd[] = {"bsd",    "windows", "windows2k3",
                                           "hpux10", "irix",    "macos"};
    static const char *const like_solaris[] = {"solaris", "hpux11"};
    bool begins_before = new.from < old.from, begins_with = new.from == old.from;
    if (!strcmp(policy, "last")) return true;
    if (is_one_of(policy, like_bsd, 6)) return begins_before;
    if (!strcmp(policy, "bsd-right")) return !begins_before;
    if (!strcmp(policy, "linux")) return begins_before || (begins_with && new.to > old.to);
    if (!strcmp(policy, "old-linux")) return begins_before || (begins_with && new.to >= old.to);
    // Whoever ends later; of those that end together the one that begins no later.
    if (is_one_of(policy, like_solaris, 2))
        return new.to > old.to || (new.to == old.to && (begins_before || begins_with));
    return false; // first, vista
}
