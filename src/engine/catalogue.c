#include "engine/catalogue.h"

#include <assert.h>

#include "collect/interface_kind.h"
#include "dissect/driver.h"
#include "extract/file_kind.h"
#include "flow/flow.h"
#include "flow/references.h"
#include "record/kinds.h"
#include "source/capture_kind.h"

static const struct record_kind *kinds[CATALOGUE_MAX];
static uint32_t kind_count;

static void catalogue_add(const struct record_kind *kind)
{
    assert(kind_count < CATALOGUE_MAX);
    kinds[kind_count++] = kind;
}

const struct record_kind *const *catalogue(uint32_t *count)
{
    if (!kind_count) {
        const struct record_kind *const begin[] = {&capture_kind, &conversation_kind, &flow_kind,
                                                   &interface_kind};
        for (size_t i = 0; i < sizeof begin / sizeof begin[0]; i++) catalogue_add(begin[i]);
        for (uint32_t i = 0; i < dissector_count; i++)
            for (unsigned k = 0; k < 4 && dissectors[i]->kinds[k]; k++)
                catalogue_add(dissectors[i]->kinds[k]);
        const struct record_kind *const end[] = {&file_kind, &anomaly_kind, &ambiguity_kind,
                                                 &loss_kind, &counter_kind, &packets_kind};
        for (size_t i = 0; i < sizeof end / sizeof end[0]; i++) catalogue_add(end[i]);
    }
    *count = kind_count;
    return kinds;
}

const struct record_kind *catalogue_kind(bytes name)
{
    uint32_t count;
    const struct record_kind *const *all = catalogue(&count);
    for (uint32_t i = 0; i < count; i++)
        if (bytes_equal(bytes_text(all[i]->name), name)) return all[i];
    return NULL;
}
