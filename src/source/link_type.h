// Link types: the LINKTYPE values of capture files, their names, and what libpcap calls them.
//
// Thread: plain functions.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { LINK_TYPE_ETHERNET = 1 };

// The name, such as "EN10MB"; NULL when it has none.
const char *link_type_name(uint16_t link_type);
// The value of such a name, or of a number; Ethernet of "". ERR_USAGE when it is neither.
bool link_type_parse(const char *name, uint16_t *link_type, struct err *err);

// The DLT values of libpcap's calls.
int dlt_of_link_type(uint16_t link_type);
uint16_t link_type_of_dlt(int dlt);
