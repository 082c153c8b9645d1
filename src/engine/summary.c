#include "engine/summary.h"
#include "base/memory.h"
struct summary { int x; };
struct summary *summary_create(void) { return memory_get(sizeof(struct summary)); }
void summary_destroy(struct summary *s) { memory_free(s); }
static void take(void *c, const struct record_batch *b) { (void)c; (void)b; }
struct record_sink summary_sink(struct summary *s) { return (struct record_sink){s, take}; }
const char *const *summary_columns(const char *kind) { (void)kind; return NULL; }
void summary_print(const struct summary *s, const struct summary_style *style, FILE *out) { (void)s; (void)style; (void)out; }
