// A thread beside the caller's that does the next piece of the same work meanwhile.
//
// Made, asked and ended by one thread; what the work touches belongs to it from ahead_begin to
// ahead_wait.
#pragma once

struct ahead;

// NULL when there is no thread to be had: then the caller does everything.
struct ahead *ahead_create(void (*work)(void *context), void *context);
void ahead_destroy(struct ahead *a); // waits; NULL is fine

void ahead_begin(struct ahead *a); // not while work is under way
void ahead_wait(struct ahead *a);  // until none is under way
