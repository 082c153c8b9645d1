#include "source/link_type.h"

#include <pcap/pcap.h>
#include <stdlib.h>

// LINKTYPE values stand in files, DLT values in libpcap's calls. They differ where systems had
// given one number to several link types (https://www.tcpdump.org/linktypes.html).
int dlt_of_link_type(uint16_t link_type)
{
    switch (link_type) {
    case 100:
        return DLT_ATM_RFC1483;
    case 101:
        return DLT_RAW;
    case 102:
        return DLT_SLIP_BSDOS;
    case 103:
        return DLT_PPP_BSDOS;
    case 104:
        return DLT_C_HDLC;
    case 106:
        return DLT_ATM_CLIP;
    case 246:
        return DLT_PFSYNC;
    default:
        return link_type;
    }
}

uint16_t link_type_of_dlt(int dlt)
{
    static const uint16_t differing[] = {100, 101, 102, 103, 104, 106, 246};
    for (size_t i = 0; i < sizeof differing / sizeof differing[0]; i++)
        if (dlt_of_link_type(differing[i]) == dlt) return differing[i];
    return (uint16_t)dlt;
}

const char *link_type_name(uint16_t link_type)
{
    return pcap_datalink_val_to_name(dlt_of_link_type(link_type));
}

bool link_type_parse(const char *name, uint16_t *link_type, struct err *err)
{
    int dlt = *name ? pcap_datalink_name_to_val(name) : DLT_EN10MB;
    char *end;
    unsigned long number = strtoul(name, &end, 10);
    *link_type = dlt >= 0 ? link_type_of_dlt(dlt) : (uint16_t)number;
    bool is_number = *name >= '0' && *name <= '9' && !*end && number <= UINT16_MAX;
    return dlt >= 0 || is_number ||
           err_set(err, ERR_USAGE,
                   "link=%s: a link type is named as tcpdump -L names it, or by its number", name);
}
