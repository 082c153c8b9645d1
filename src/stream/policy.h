// Which of two segments wins where they overlap and differ, by the system that received them.
//
// Systems differ in this, so whoever knows what the receiver is can show a monitor other bytes than
// it. A policy decides only between segments that wait behind a hole: what was in order went to the
// receiver's application at once, and no system takes it back.
//
// The rules are those of U. Shankar and V. Paxson, "Active Mapping: Resisting NIDS Evasion Without
// Altering Traffic" (2003), of J. Novak and S. Sturges, "Target-Based TCP Stream Reassembly"
// (2007), and of the host-os-policy of Suricata, which follows the latter.
//
// Thread: plain values.
#pragma once

#include "base/address.h"
#include "base/err.h"

// A row each: constant, name, and whether the new segment wins (n) or the old one (o). Three groups
// for where the new one begins - before the old, at its beginning, behind it - of three letters for
// where it ends: before the old, at its end, behind it.
// clang-format off
#define OVERLAP_POLICIES(X) \
    X(FIRST, "first", "ooo" "ooo" "ooo")             /* whatever came first */ \
    X(LAST, "last", "nnn" "nnn" "nnn")               /* whatever came last */ \
    X(BSD, "bsd", "nnn" "ooo" "ooo")                 /* the old unless the new begins before it */ \
    X(BSD_RIGHT, "bsd-right", "ooo" "nnn" "nnn")     /* the new unless it begins before the old */ \
    X(LINUX, "linux", "nnn" "oon" "ooo")             /* as bsd; the longer of equal beginnings */ \
    X(OLD_LINUX, "old-linux", "nnn" "onn" "ooo")     /* as linux; the new of equal ones */ \
    X(WINDOWS, "windows", "nnn" "ooo" "ooo")         /* as bsd */ \
    X(WINDOWS_2003, "windows2k3", "nnn" "ooo" "ooo") /* as bsd */ \
    X(VISTA, "vista", "ooo" "ooo" "ooo")             /* as first */ \
    X(SOLARIS, "solaris", "onn" "onn" "oon")         /* the new unless the old ends behind it, \
                                                        or begins before it and ends with it */ \
    X(HPUX_10, "hpux10", "nnn" "ooo" "ooo")          /* as bsd */ \
    X(HPUX_11, "hpux11", "onn" "onn" "oon")          /* as solaris */ \
    X(IRIX, "irix", "nnn" "ooo" "ooo")               /* as bsd */ \
    X(MACOS, "macos", "nnn" "ooo" "ooo")             /* as bsd */
// clang-format on

enum overlap_policy {
#define OVERLAP_CONSTANT(constant, name, wins) OVERLAP_##constant,
    OVERLAP_POLICIES(OVERLAP_CONSTANT)
#undef OVERLAP_CONSTANT
        OVERLAP_COUNT,
};

const char *overlap_name(enum overlap_policy policy);

// A segment as it was sent, by its place in the stream.
struct overlap_extent {
    uint64_t from, to;
};
// Whether the later of two overlapping segments wins.
bool overlap_later_wins(enum overlap_policy policy, struct overlap_extent earlier,
                        struct overlap_extent later);

// The policies of a run, by the network of the receiver.
enum { OVERLAP_RULES_MAX = 64 };

struct overlap_rules {
    const char *text; // as it was written, borrowed; NULL when nothing was
    enum overlap_policy otherwise;
    uint32_t count;
    struct {
        struct prefix network;
        enum overlap_policy policy;
    } rules[OVERLAP_RULES_MAX];
};

// "last", "first,10.0.0.0/8=linux,2001:db8::/32=windows". False and err when that is not
// understood.
bool overlap_parse(const char *text, struct overlap_rules *rules, struct err *err);
// The policy of who receives at `receiver`: that of the smallest network which has it.
enum overlap_policy overlap_of(const struct overlap_rules *rules, struct address receiver);
