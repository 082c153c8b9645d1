// Rights of the process that are needed to begin with, and to be without afterwards.
#pragma once

#include "base/err.h"

// Gives up what is not needed once interfaces and low ports are open, for good: all capabilities,
// of root all but those that let it write where it could write before. Before the process has other
// threads, as it is done for the calling thread and those that it starts.
bool rights_give_up(struct err *err);
