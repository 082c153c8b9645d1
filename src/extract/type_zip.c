// Office documents, Java archives and the like are zip files; the names of the first entries tell
// (APPNOTE 4.3.7).
#include "extract/type.h"

enum { ZIP_ENTRIES_LOOKED_AT = 8, ZIP_SIZES_FOLLOW = 8 };

struct zip_entry {
    bytes name, content; // content as far as it is there
    bool more;           // the next entry's place is known
};

static bool next_entry(struct reader *r, struct zip_entry *entry)
{
    bytes magic = read_bytes(r, 4);
    if (!bytes_equal(magic, bytes_text("PK\x03\x04"))) return false;
    read_le16(r);
    uint16_t flags = read_le16(r);
    read_bytes(r, 10);
    uint32_t size = read_le32(r);
    read_le32(r);
    uint16_t name_length = read_le16(r), extra_length = read_le16(r);
    entry->name = read_bytes(r, name_length);
    if (r->bad) return false;
    read_bytes(r, extra_length);
    entry->content = bytes_first(reader_rest(r), size);
    entry->more = !(flags & ZIP_SIZES_FOLLOW) && size <= reader_left(r);
    if (entry->more) read_bytes(r, size);
    return true;
}

#define OPENXML "application/vnd.openxmlformats-officedocument."
#define ANDROID "application/vnd.android.package-archive"

static const char *by_name(bytes name)
{
    if (bytes_start_with(name, "word/")) return OPENXML "wordprocessingml.document";
    if (bytes_start_with(name, "xl/")) return OPENXML "spreadsheetml.sheet";
    if (bytes_start_with(name, "ppt/")) return OPENXML "presentationml.presentation";
    if (bytes_start_with(name, "AndroidManifest.xml")) return ANDROID;
    if (bytes_start_with(name, "classes.dex")) return ANDROID;
    if (bytes_start_with(name, "META-INF/MANIFEST.MF")) return "application/java-archive";
    return NULL;
}

// OpenDocument and EPUB: the first entry is "mimetype", stored, and its content is the type.
static const char *by_mimetype(bytes content)
{
    static const char *const types[] = {
        "application/epub+zip",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.presentation",
        "application/vnd.oasis.opendocument.graphics",
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (bytes_equal(content, bytes_text(types[i]))) return types[i];
    return NULL;
}

const char *type_of_zip(bytes head)
{
    struct reader r = reader_of(head);
    struct zip_entry entry;
    const char *guess = NULL;
    for (unsigned i = 0; i < ZIP_ENTRIES_LOOKED_AT && next_entry(&r, &entry); i++) {
        const char *type = by_name(entry.name);
        if (!type && i == 0 && bytes_equal(entry.name, bytes_text("mimetype")))
            type = by_mimetype(entry.content);
        // A package of Android has a manifest of Java as well, and that may come first.
        if (type && !bytes_start_with(entry.name, "META-INF/")) return type;
        if (type) guess = type;
        if (!entry.more) break;
    }
    return guess ? guess : "application/zip";
}
