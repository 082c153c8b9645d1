// What a session lost: seen, or told by its own count.
#include "collect/session.h"

// Sequence numbers that jump further belong to an exporter that began anew.
enum { SEQUENCE_JUMP_MAX = 1 << 24 };
// So many messages that follow each other further behind where the count stood than what is merely
// late: it began anew, too. One message may be late, and several systems may count for one address,
// so that each message follows none of the others.
enum { SEQUENCE_BACK_MAX = 4, SEQUENCE_LATE_MAX = 64 };

void session_lose(struct session *s, enum export_loss why, uint64_t n, nanos now)
{
    if (!n) return;
    if (!s->lost_from || now < s->lost_from) s->lost_from = now;
    if (now > s->lost_to) s->lost_to = now;
    s->lost[why] += n;
}

// Nothing that was counted as lost is lost any more: at most what was not told yet. How much.
static uint64_t session_find(struct session *s, uint64_t n)
{
    uint64_t *lost = &s->lost[EXPORT_LOSS_sequence_gap];
    if (n > *lost) n = *lost;
    *lost -= n;
    return n;
}

// Whether the count stands before a message (RFC 7011 section 3.1) or behind it shows in two
// messages of different length. Behind a loss it may look so by chance: the next such message says.
static void sequence_style(struct session *s, uint32_t sequence, uint32_t n)
{
    struct sequence *q = &s->sequence;
    bool is_before = sequence == q->next, is_behind = sequence == q->last + n;
    if (is_before == is_behind) return;
    // No message begins in the middle of one before.
    bool is_certain = q->doubted || (int32_t)(sequence - q->next) < 0;
    if (is_behind && is_certain) session_find(s, q->doubted);
    q->counts_own = is_behind && (q->counts_own || is_certain);
    q->doubted = is_behind && !q->counts_own ? sequence - q->next : 0;
}

// A message behind where the count stands: late, and counted as lost when the one behind it came,
// or one of a count that began anew.
static bool sequence_is_late(struct session *s, uint32_t sequence, uint32_t n)
{
    struct sequence *q = &s->sequence;
    bool follows = q->back_run && sequence == q->back_last + (q->counts_own ? n : q->back_n);
    if (!follows) q->back_run = 0, q->back_found = 0;
    if (q->back_run < SEQUENCE_BACK_MAX) q->back_run++;
    q->back_last = sequence;
    q->back_n = n;
    bool is_far = (int32_t)(q->next - sequence) > SEQUENCE_LATE_MAX;
    if (q->back_run == SEQUENCE_BACK_MAX && is_far) {
        s->lost[EXPORT_LOSS_sequence_gap] += q->back_found;
        return false;
    }
    q->back_found += session_find(s, n ? n : 1);
    return true;
}

void session_sequence(struct session *s, uint32_t sequence, uint32_t n, nanos now)
{
    struct sequence *q = &s->sequence;
    if (!q->is_known) q->counts_own = n && sequence == n; // the first of all
    else sequence_style(s, sequence, n);
    int32_t ahead = (int32_t)(sequence - (q->counts_own ? q->last + n : q->next));
    bool is_jump = ahead > SEQUENCE_JUMP_MAX || ahead < -SEQUENCE_JUMP_MAX;
    if (q->is_known && ahead > 0 && !is_jump)
        session_lose(s, EXPORT_LOSS_sequence_gap, (uint64_t)ahead, now);
    if (q->is_known && ahead < 0 && !is_jump && sequence_is_late(s, sequence, n)) return;
    *q = (struct sequence){.is_known = true,
                           .counts_own = q->counts_own,
                           .doubted = q->doubted,
                           .last = sequence,
                           .next = sequence + n};
}

void session_uncounted(struct session *s)
{
    s->sequence.is_known = false;
}

void session_uptime(struct session *s, uint32_t uptime, nanos exported)
{
    enum { TOLERANCE_MS = 10000 };
    // Both count modulo 2^32 milliseconds: where the uptime begins anew after 49.7 days it agrees.
    uint32_t passed = (uint32_t)((exported - s->exported) / NANOS_PER_MILLI);
    int32_t apart = (int32_t)(uptime - s->uptime - passed);
    bool is_anew = s->exported && exported >= s->exported && uptime < s->uptime &&
                   (apart > TOLERANCE_MS || apart < -TOLERANCE_MS);
    if (is_anew) {
        session_withdraw(s, WITHDRAW_ALL);
        s->sampling = (struct sampling){0};
        session_uncounted(s);
        s->restarts++;
    }
    if (exported < s->exported && !is_anew) return;
    s->uptime = uptime;
    s->exported = exported;
}
