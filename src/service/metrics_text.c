#include "service/metrics_text.h"

#include <inttypes.h>

enum { LABEL_MAX = 1024 };

void metric_family(struct text *out, const char *area, const char *name, const char *type,
                   const char *help)
{
    text_format(out, "# HELP weir_%s%s %s.\n# TYPE weir_%s%s %s\n", area, name, help, area, name,
                type);
}

void metric_sample(struct text *out, const char *area, const char *name)
{
    text_format(out, "weir_%s%s", area, name);
}

void metric_label(struct text *out, const char *before, const char *name, const char *value)
{
    char clean[LABEL_MAX];
    size_t n = text_escape(clean, sizeof clean, bytes_text(value));
    text_format(out, "%s%s=\"", before, name);
    for (size_t i = 0; i < n; i++) {
        if (clean[i] == '\n') text_add(out, "\\n");
        else if (clean[i] == '"' || clean[i] == '\\') text_format(out, "\\%c", clean[i]);
        else text_put(out, bytes_of(&clean[i], 1));
    }
    text_add(out, "\"");
}

void metric_number(struct text *out, uint64_t v)
{
    text_format(out, " %" PRIu64 "\n", v);
}

void metric_real(struct text *out, double v)
{
    text_format(out, " %.15g\n", v);
}
