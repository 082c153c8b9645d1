// What exporters told (collect/exporters.h) in a file of the case, for who collects into it again.
//
// Only who writes the case may keep it. Whole or not at all after a crash. No evidence: whoever
// removes it makes a collector wait for its templates.
#pragma once

#include "collect/exporters.h"

// What exporters_write wrote of collector `number` of those that collect into the case, from 0.
bool exporters_keep(const char *folder, unsigned number, bytes content, struct err *err);
// What was kept last, if anything. False when it is damaged: then nothing was taken.
bool exporters_recall(const char *folder, unsigned number, struct collector *c, struct err *err);
