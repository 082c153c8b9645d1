#include "store/observed.h"

#include <stdio.h>

// Steps, each from those before it. Tables where their size must be known: what is joined with rows
// is to be the smaller one.
//
// A point is what observed; a key (k, h) the two ends of a conversation; a node all rows of one key
// between two silences; a group the nodes that translations of addresses tie together; a share what
// one point told in one node. `sw`: src and dst are exchanged in the key; `flip`: in the group.

// clang-format off

// Clocks of exporters differ, and some tell times by the second.
#define SILENCE "5000000000"

#define POINT(of) \
    "coalesce(" of "point, '') AS point, coalesce(" of "exporter_hi, 0) AS exporter_hi, " \
    "coalesce(" of "exporter_lo, 0) AS exporter_lo, coalesce(" of "domain, 0) AS domain, " \
    "coalesce(" of "direction, 0) AS direction"
#define SAME_POINT(x, y) \
    "coalesce(" x ".point, '') = " y ".point AND coalesce(" x ".exporter_hi, 0) = " \
    "" y ".exporter_hi " \
    "AND coalesce(" x ".exporter_lo, 0) = " y ".exporter_lo AND " \
    "coalesce(" x ".domain, 0) = " y ".domain AND coalesce(" x ".direction, 0) = " y ".direction"

// What is translated is told as it is behind that; 0 and the none address are told for nothing.
#define BEHIND(side, half) \
    "CASE WHEN nat_" side "_addr_hi = 0 AND nat_" side "_addr_lo IN (0, 281470681743360) " \
    "THEN " side "_addr_" half " ELSE coalesce(nat_" side "_addr_" half ", " \
        "" side "_addr_" half ") END"
#define BEHIND_PORT(side) "coalesce(nullif(nat_" side "_port, 0), " side "_port, 0)"

#define FRONT_ENDS \
    "(src_addr_hi, src_addr_lo, coalesce(src_port, 0), " \
    "dst_addr_hi, dst_addr_lo, coalesce(dst_port, 0), coalesce(proto, 0))"
#define BEHIND_ENDS \
    "(" BEHIND("src", "hi") ", " BEHIND("src", "lo") ", " BEHIND_PORT("src") ", " \
    BEHIND("dst", "hi") ", " BEHIND("dst", "lo") ", " BEHIND_PORT("dst") ", coalesce(proto, 0))"
#define KEY(ends) "ends_hash" ends " AS k, ends_name" ends " AS h, ends_swapped" ends " AS sw"

#define MEASURED \
    "epoch_ns(first_seen) AS f, epoch_ns(greatest(first_seen, last_seen)) AS l, " \
    "coalesce(packets, 0) AS pf, coalesce(reverse_packets, 0) AS pb"

// From who has all, to what has no rate, to rates that rise.
#define RANK \
    "CASE WHEN sampling_rate > 0 THEN 2 * least(sampling_rate, 4611686018427387904) " \
    "WHEN conversation_id_us IS NOT NULL THEN 2 ELSE 3 END"

#define IS_WORTH \
    "(SELECT it FROM worth) AND r.src_addr_hi IS NOT NULL AND r.dst_addr_hi IS NOT NULL"
#define IS_TRANSLATED \
    "coalesce(nat_src_addr_hi, nat_dst_addr_hi, nat_src_port, nat_dst_port) IS NOT NULL"

// A label is the least node that is known to be tied to a node, and whether src and dst are
// exchanged on the way to it.
#define LABELS(next, of) \
    "CREATE TEMP TABLE " next " AS (SELECT us, h, min(t) AS t FROM (" \
    "SELECT us, h, t FROM " of " UNION ALL " \
    "SELECT e.us, e.h, struct_pack(us := x.t.us, h := x.t.h, flip := x.t.flip <> e.flip) " \
    "FROM ties e JOIN " of " x ON x.us = e.to_us AND x.h = e.to_h) GROUP BY us, h)"

#define BEST(name, packets, which) \
    "CREATE TEMP TABLE " name " AS (SELECT gus, gh, arg_min(struct_pack(o := o, us := us, h " \
    ":= h), " \
    "struct_pack(rank := rank, p := -" packets ", o := o, us := us, h := h)) AS s " \
    "FROM shares JOIN best USING (gus, gh) WHERE " which " GROUP BY gus, gh)"
#define IS_SHARE(s) "t.o = " s ".o AND m.us = " s ".us AND m.h = " s ".h"

static const char *const steps[] = {
    "CREATE TEMP TABLE points AS (SELECT *, row_number() OVER "
        "(ORDER BY point, exporter_hi, exporter_lo, domain, direction) AS o "
        "FROM (SELECT DISTINCT " POINT("") " FROM raw.flow_told))",
    // What is tied by a translation may have one point only.
    "CREATE TEMP TABLE worth AS (SELECT (SELECT count(*) > 1 FROM points) OR "
        "(SELECT count(*) > 0 FROM raw.flow_told WHERE " IS_TRANSLATED ") AS it)",
    "CREATE TEMP VIEW told AS (SELECT " KEY(FRONT_ENDS) ", " MEASURED ", p.o, " RANK " AS rank, "
        "coalesce(CASE WHEN " IS_TRANSLATED " THEN ends_hash" BEHIND_ENDS " <> ends_hash" FRONT_ENDS
        " END, false) AS nat FROM raw.flow_told r JOIN points p ON " SAME_POINT("r", "p") " "
        "WHERE " IS_WORTH ")",
    // What tells of a translation, as it is behind that: front_k and so on are its own key.
    "CREATE TEMP TABLE behind AS (SELECT " KEY(BEHIND_ENDS) ", " MEASURED ", p.o, "
        "ends_hash" FRONT_ENDS " AS front_k, ends_name" FRONT_ENDS " AS front_h, "
        "ends_swapped" FRONT_ENDS " AS front_sw FROM raw.flow_told r JOIN points p ON "
        "" SAME_POINT("r", "p") " WHERE " IS_WORTH " AND " IS_TRANSLATED
        " AND ends_hash" BEHIND_ENDS " <> ends_hash" FRONT_ENDS ")",
    "CREATE TEMP VIEW seen AS (SELECT k, h, f, l, o, nat FROM told UNION ALL "
        "SELECT k, h, f, l, o, true FROM behind)",
    // Only what several points saw, or what was translated, is looked at more closely.
    "CREATE TEMP TABLE several AS (SELECT k, h, min(f) AS s, max(l) AS e, "
        "max(f) > min(l) + " SILENCE " AS may_pause FROM seen GROUP BY k, h "
        "HAVING min(o) <> max(o) OR bool_or(nat))",
    // Few keys come again after a silence.
    "CREATE TEMP VIEW begun AS (SELECT k, h, f, l, coalesce(f > " SILENCE " + max(l) OVER "
        "(PARTITION BY k, h ORDER BY f RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true) "
        "AS begins FROM seen SEMI JOIN (FROM several WHERE may_pause) USING (k, h))",
    "CREATE TEMP TABLE nodes AS (SELECT k, h, s, e, (s // 1000)::UBIGINT AS us FROM "
        "(SELECT k, h, s, e FROM several WHERE NOT may_pause UNION ALL "
        "SELECT k, h, s, max(l) FROM (SELECT k, h, l, max(CASE WHEN begins THEN f END) OVER "
        "(PARTITION BY k, h ORDER BY f RANGE UNBOUNDED PRECEDING) AS s FROM begun) "
        "GROUP BY k, h, s))",
    // Ties between nodes, both ways.
    "CREATE TEMP TABLE tied AS (SELECT DISTINCT n.us, n.h, m.us AS to_us, m.h AS to_h, "
        "b.sw <> b.front_sw AS flip FROM behind b "
        "JOIN nodes n ON b.k = n.k AND b.h = n.h AND b.f BETWEEN n.s AND n.e "
        "JOIN nodes m ON b.front_k = m.k AND b.front_h = m.h AND b.f BETWEEN m.s AND m.e)",
    "CREATE TEMP TABLE ties AS (SELECT us, h, to_us, to_h, flip FROM tied UNION "
        "SELECT to_us, to_h, us, h, flip FROM tied)",
    "CREATE TEMP TABLE labels0 AS (SELECT DISTINCT us, h, struct_pack(us := us, h := h, flip "
        ":= false) AS t FROM ties)",
    LABELS("labels1", "labels0"),
    LABELS("labels2", "labels1"),
    LABELS("labels3", "labels2"),
    "CREATE TEMP TABLE groups AS (SELECT n.*, coalesce(x.t.us, n.us) AS gus, coalesce(x.t.h, "
        "n.h) AS gh, "
        "coalesce(x.t.flip, false) AS flip FROM nodes n LEFT JOIN labels3 x USING (us, h))",
    "CREATE TEMP TABLE shares AS (SELECT gus, gh, o, us, h, max(rank) AS rank, "
        "sum(p0)::HUGEINT AS p0, sum(p1)::HUGEINT AS p1, "
        "sum(CASE WHEN p1 = 0 THEN p0 ELSE 0 END)::HUGEINT AS only0, "
        "sum(CASE WHEN p0 = 0 THEN p1 ELSE 0 END)::HUGEINT AS only1 FROM ("
        "SELECT g.gus, g.gh, r.o, g.us, g.h, r.rank, "
        "CASE WHEN r.sw <> g.flip THEN r.pb ELSE r.pf END AS p0, "
        "CASE WHEN r.sw <> g.flip THEN r.pf ELSE r.pb END AS p1 "
        "FROM told r JOIN groups g ON r.k = g.k AND r.h = g.h AND r.f BETWEEN g.s AND g.e) "
        "GROUP BY gus, gh, o, us, h)",
    "CREATE TEMP TABLE best AS (SELECT gus, gh, "
        "arg_min(struct_pack(o := o, us := us, h := h, p0 := p0, p1 := p1), "
        "struct_pack(rank := rank, p := -(p0 + p1), o := o, us := us, h := h)) AS w "
        "FROM shares GROUP BY gus, gh HAVING count(*) > 1)",
    BEST("rest0", "only0", "w.p0 = 0 AND only0 > 0"),
    BEST("rest1", "only1", "w.p1 = 0 AND only1 > 0"),
    "CREATE TEMP TABLE marks AS (SELECT g.*, best.w, rest0.s AS s0, rest1.s AS s1 FROM groups g "
        "JOIN best USING (gus, gh) LEFT JOIN rest0 USING (gus, gh) LEFT JOIN rest1 USING "
        "(gus, gh))",
};

static const char with_marks[] =
    "(SELECT t.* REPLACE (m.gus AS link_us, m.gh AS link_hash, m.s IS NULL OR "
        "(" IS_SHARE("m.w") ") OR coalesce("
        "CASE WHEN t.sw <> m.flip THEN t.pf ELSE t.pb END = 0 AND " IS_SHARE("m.s0") ", false) OR "
        "coalesce("
        "CASE WHEN t.sw <> m.flip THEN t.pb ELSE t.pf END = 0 AND " IS_SHARE("m.s1") ", false) "
        "AS once) FROM (SELECT r.*, p.o, " KEY(FRONT_ENDS) ", " MEASURED
        " FROM raw.flow_told r JOIN points p ON " SAME_POINT("r", "p") ") t LEFT JOIN marks m "
        "ON t.k = m.k AND t.h = m.h AND t.f BETWEEN m.s AND m.e)";
// clang-format on

// Only the points and the marks are asked later.
static const char *const dropped[] = {
    "shares",  "best",    "rest0", "rest1", "groups", "labels0", "labels1",
    "labels2", "labels3", "ties",  "tied",  "nodes",  "several", "behind",
};

bool observed_make(struct database *d, struct err *err)
{
    char drop[64];
    bool fine = true;
    for (size_t i = 0; fine && i < sizeof steps / sizeof steps[0]; i++)
        fine = database_run(d, steps[i], err);
    for (size_t i = 0; fine && i < sizeof dropped / sizeof dropped[0]; i++) {
        snprintf(drop, sizeof drop, "DROP TABLE %s", dropped[i]);
        fine = database_run(d, drop, err);
    }
    return fine;
}

const char *observed_source(void)
{
    return with_marks;
}
