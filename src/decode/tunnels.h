// Tunnels: what carries a conversation of its own inside one of others. One row a tunnel; to add
// one, add a row.
//
// The number of a tunnel is not stored anywhere; its name is, in the field `tunnel`.
#pragma once

// X(constant, name)
// clang-format off
#define DECODE_TUNNELS(X) \
    X(IP_IN_IP, "ipip") \
    X(6IN4, "6in4") \
    X(6TO4, "6to4") \
    X(6RD, "6rd") \
    X(ISATAP, "isatap") \
    X(6IN6, "6in6") \
    X(GRE, "gre") \
    X(PPTP, "pptp") \
    X(ERSPAN, "erspan") \
    X(TEREDO, "teredo") \
    X(VXLAN, "vxlan") \
    X(VXLAN_GPE, "vxlan-gpe") \
    X(GENEVE, "geneve") \
    X(GTP, "gtp") \
    X(L2TP, "l2tp") \
    X(L2TP_3, "l2tpv3") \
    X(AYIYA, "ayiya") \
    X(LISP, "lisp") \
    X(CAPWAP, "capwap") \
    X(TZSP, "tzsp") \
    X(MPLS_UDP, "mpls") \
    X(ESP, "esp") \
    X(PSEUDOWIRE, "pseudowire") \
    X(PBB, "pbb") \
    X(GSE, "gse")
// clang-format on

enum tunnel {
    TUNNEL_NONE,
#define TUNNEL_CONSTANT(constant, name) TUNNEL_##constant,
    DECODE_TUNNELS(TUNNEL_CONSTANT)
#undef TUNNEL_CONSTANT
        TUNNEL_COUNT,
};

const char *tunnel_name(enum tunnel tunnel); // NULL for TUNNEL_NONE
