// Which program made a record: stands in the log of every case.
#pragma once

#define WEIR_VERSION "0.1.0"
