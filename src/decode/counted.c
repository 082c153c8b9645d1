// Ethertypes that carry no IP: counted by what they are. One row each (IEEE's registry of
// ethertypes).
#include "decode/layer.h"

// clang-format off
#define COUNTED(X) \
    X(0x0842, WAKE_ON_LAN) \
    X(0x22ea, REGISTRATION) /* SRP */ \
    X(0x22f0, INDUSTRIAL) /* AVTP */ \
    X(0x22f3, MESH) /* TRILL */ \
    X(0x4305, MESH) /* B.A.T.M.A.N. */ \
    X(0x809b, APPLETALK) \
    X(0x80f3, APPLETALK) \
    X(0x8137, IPX) \
    X(0x8809, SLOW) \
    X(0x8863, PPPOE_DISCOVERY) \
    X(0x887b, MESH) /* HomePlug */ \
    X(0x888e, EAPOL) \
    X(0x8892, INDUSTRIAL) /* Profinet */ \
    X(0x88a2, ATA) \
    X(0x88a4, INDUSTRIAL) /* EtherCAT */ \
    X(0x88ab, INDUSTRIAL) /* Powerlink */ \
    X(0x88b8, INDUSTRIAL) /* GOOSE */ \
    X(0x88b9, INDUSTRIAL) /* GSE */ \
    X(0x88ba, INDUSTRIAL) /* sampled values */ \
    X(0x88c7, EAPOL) /* pre-authentication */ \
    X(0x88cc, LLDP) \
    X(0x88cd, INDUSTRIAL) /* Sercos */ \
    X(0x88e1, MESH) /* HomePlug AV */ \
    X(0x88e3, INDUSTRIAL) /* media redundancy, IEC 62439-2 */ \
    X(0x88e5, MACSEC) \
    X(0x88f5, REGISTRATION) /* MVRP */ \
    X(0x88f6, REGISTRATION) /* MMRP */ \
    X(0x88f7, PTP) \
    X(0x8902, CFM) \
    X(0x8906, FCOE) \
    X(0x8914, FCOE) /* initialisation */ \
    X(0x9000, LOOPBACK_TEST)
// clang-format on

static enum layer_result counted_step(struct walk *w)
{
    switch (w->number) {
#define COUNTED_CASE(ethertype, reason)                                                            \
    case ethertype:                                                                                \
        return layer_end(w, REASON_##reason);
        COUNTED(COUNTED_CASE)
    }
    return layer_end(w, REASON_UNKNOWN_ETHERTYPE);
}

#define COUNTED_KEY(ethertype, reason) {SPACE_ETHERTYPE, ethertype},
static const struct layer_key keys[] = {COUNTED(COUNTED_KEY){SPACE_END, 0}};
const struct layer counted_layer = {.name = "counted", .keys = keys, .step = counted_step};
