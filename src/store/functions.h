// What the store adds to SQL: ip_text(hi, lo), ip_hi(text), ip_lo(text), in_prefix(address,
// prefix), mac_text(number), id_text(us, hash).
#pragma once

#include "store/database.h"

bool functions_register(struct database *d, struct err *err);
