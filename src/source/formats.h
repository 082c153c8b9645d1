// The capture formats that are known; each is a file of its name.
#pragma once

#include "source/capture_file.h"

extern const struct capture_format pcap_format;
extern const struct capture_format pcapng_format;
extern const struct capture_format snoop_format;
