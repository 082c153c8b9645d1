#include "service/packet_options.h"

bool packet_options_fill(const struct config_source *from, struct reading_options *to,
                         struct err *err)
{
    struct lane_options *lane = &to->lane;
    lane->flow.conversation_timeout = from->timeout;
    lane->flow.active_timeout = from->active_timeout;
    lane->flow.idle_timeout = from->idle_timeout;
    lane->dissect = !from->no_dissect;
    lane->point = from->tap ? from->tap : "";
    to->lanes = (uint32_t)from->lanes;
    return !from->overlap || overlap_parse(from->overlap, &lane->overlap, err);
}
