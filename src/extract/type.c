// Magic numbers are facts of the formats; the order matters only where one is the beginning of
// another.
#include "extract/type.h"

#include <assert.h>

struct signature {
    uint16_t offset;
    uint8_t length;
    const char *magic;
    const char *type;
};

#define AT(offset, magic, type)                                                                    \
    {                                                                                              \
        offset, sizeof(magic) - 1, magic, type                                                     \
    }

// clang-format off
static const struct signature signatures[] = {
    // Documents
    AT(0, "%PDF-", "application/pdf"),
    AT(0, "\xef\xbb\xbf%PDF-", "application/pdf"),
    AT(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    AT(0, "{\\rtf", "text/rtf"),
    AT(0, "%!PS", "application/postscript"),
    AT(0, "AT&TFORM", "image/vnd.djvu"),
    AT(0, "\x78\x9f\x3e\x22", "application/vnd.ms-tnef"),
    AT(0, "ITSF\x03\0\0\0", "application/vnd.ms-htmlhelp"),
    // Images
    AT(0, "\x89PNG\r\n\x1a\n", "image/png"),
    AT(0, "\xff\xd8\xff", "image/jpeg"),
    AT(0, "GIF87a", "image/gif"),
    AT(0, "GIF89a", "image/gif"),
    AT(0, "II*\0", "image/tiff"),
    AT(0, "MM\0*", "image/tiff"),
    AT(0, "8BPS", "image/vnd.adobe.photoshop"),
    AT(0, "\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    AT(0, "\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    // Archives and compressed files
    AT(0, "PK\x05\x06", "application/zip"),
    AT(0, "\x1f\x8b\x08", "application/gzip"),
    AT(0, "\x1f\x9d", "application/x-compress"),
    AT(0, "BZh", "application/x-bzip2"),
    AT(0, "\xfd" "7zXZ\0", "application/x-xz"),
    AT(0, "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    AT(0, "Rar!\x1a\x07", "application/x-rar"),
    AT(257, "ustar", "application/x-tar"),
    AT(0, "\x28\xb5\x2f\xfd", "application/zstd"),
    AT(0, "\x04\x22\x4d\x18", "application/x-lz4"),
    AT(0, "LZIP", "application/x-lzip"),
    AT(0, "MSCF\0\0\0\0", "application/vnd.ms-cab-compressed"),
    AT(0, "!<arch>\ndebian", "application/vnd.debian.binary-package"),
    AT(0, "!<arch>\n", "application/x-archive"),
    AT(0, "\xed\xab\xee\xdb", "application/x-rpm"),
    AT(0, "Cr24", "application/x-chrome-extension"),
    AT(0, "QFI\xfb", "application/x-qemu-disk"),
    // Programs
    AT(0, "\xfe\xed\xfa\xce", "application/x-mach-binary"),
    AT(0, "\xfe\xed\xfa\xcf", "application/x-mach-binary"),
    AT(0, "\xce\xfa\xed\xfe", "application/x-mach-binary"),
    AT(0, "\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    AT(0, "\0asm", "application/wasm"),
    AT(0, "dex\n0", "application/x-dex"),
    AT(0, "L\0\0\0\x01\x14\x02\0", "application/x-ms-shortcut"),
    // Sound and video
    AT(0, "ID3", "audio/mpeg"),
    AT(0, "fLaC", "audio/flac"),
    AT(0, "MThd", "audio/midi"),
    AT(0, "#!AMR", "audio/amr"),
    AT(0, "FLV\x01", "video/x-flv"),
    AT(0, "\0\0\x01\xba", "video/mpeg"),
    AT(0, "\0\0\x01\xb3", "video/mpeg"),
    AT(0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    AT(0, "FWS", "application/x-shockwave-flash"),
    AT(0, "CWS", "application/x-shockwave-flash"),
    AT(0, "ZWS", "application/x-shockwave-flash"),
    // Fonts
    AT(0, "\0\x01\0\0\0", "font/sfnt"),
    AT(0, "true\0", "font/sfnt"),
    AT(0, "OTTO\0", "application/vnd.ms-opentype"),
    AT(0, "wOFF", "font/woff"),
    AT(0, "wOF2", "font/woff2"),
    // Data
    AT(0, "SQLite format 3\0", "application/vnd.sqlite3"),
    AT(0, "\xa1\xb2\xc3\xd4\0\x02", "application/vnd.tcpdump.pcap"),
    AT(0, "\xd4\xc3\xb2\xa1\x02\0", "application/vnd.tcpdump.pcap"),
    AT(0, "\xa1\xb2\x3c\x4d\0\x02", "application/vnd.tcpdump.pcap"),
    AT(0, "\x4d\x3c\xb2\xa1\x02\0", "application/vnd.tcpdump.pcap"),
    AT(0, "\x0a\x0d\x0d\x0a", "application/x-pcapng"),
    AT(0, "bplist00", "application/x-bplist"),
    AT(0, "d8:announce", "application/x-bittorrent"),
    AT(0, "PAR1", "application/vnd.apache.parquet"),
    AT(4, "Standard Jet DB", "application/x-msaccess"),
};
// clang-format on

static bool has(bytes b, size_t offset, const char *magic, size_t length)
{
    return b.n >= offset + length && memcmp(b.p + offset, magic, length) == 0;
}

static const char *by_signature(bytes b)
{
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++) {
        const struct signature *s = &signatures[i];
        if (has(b, s->offset, s->magic, s->length)) return s->type;
    }
    return NULL;
}

static const char *of_riff(bytes b)
{
    if (has(b, 8, "WEBP", 4)) return "image/webp";
    if (has(b, 8, "WAVE", 4)) return "audio/x-wav";
    if (has(b, 8, "AVI ", 4)) return "video/x-msvideo";
    return NULL;
}

// ISO/IEC 14496-12 section 4.3: the first box names the brand.
static const char *of_ftyp(bytes b)
{
    if (has(b, 8, "qt  ", 4)) return "video/quicktime";
    if (has(b, 8, "M4A ", 4)) return "audio/x-m4a";
    if (has(b, 8, "M4V ", 4)) return "video/x-m4v";
    if (has(b, 8, "avif", 4)) return "image/avif";
    if (has(b, 8, "hei", 3) || has(b, 8, "mif1", 4)) return "image/heic";
    if (has(b, 8, "3g", 2)) return "video/3gpp";
    return "video/mp4";
}

// RFC 3533 section 6: the first page holds the first packet of the codec at 28.
static const char *of_ogg(bytes b)
{
    if (has(b, 28, "\x01vorbis", 7) || has(b, 28, "OpusHead", 8)) return "audio/ogg";
    if (has(b, 28,
            "\x7f"
            "FLAC",
            5))
        return "audio/ogg";
    if (has(b, 28, "\x80theora", 7)) return "video/ogg";
    return "application/ogg";
}

// EBML (RFC 8794): the document type stands in the header, whose elements may come in any order.
static const char *of_ebml(bytes b)
{
    for (size_t i = 4; i + 4 <= b.n && i < 64; i++)
        if (has(b, i, "webm", 4)) return "video/webm";
    return "video/x-matroska";
}

static const char *of_elf(bytes b)
{
    struct reader r = reader_of(b);
    read_bytes(&r, 5);
    bool big = read_u8(&r) == 2;
    read_bytes(&r, 10);
    uint16_t type = big ? read_be16(&r) : read_le16(&r);
    if (r.bad) return "application/octet-stream";
    static const char *const types[] = {
        "application/octet-stream", "application/x-object",   "application/x-executable",
        "application/x-sharedlib",  "application/x-coredump",
    };
    return types[type <= 4 ? type : 0];
}

// A Java class and a universal Mach-O program begin alike; the second number is the class version
// (from 45), or how many architectures follow.
static const char *of_cafebabe(bytes b)
{
    struct reader r = reader_of(bytes_after(b, 4));
    uint32_t number = read_be32(&r);
    if (r.bad) return NULL;
    return (number & 0xffff) >= 45 ? "application/x-java-applet" : "application/x-mach-binary";
}

static const char *of_bitmap(bytes b)
{
    struct reader r = reader_of(bytes_after(b, 14));
    uint32_t header_size = read_le32(&r);
    bool known = header_size == 12 || header_size == 40 || header_size == 52 || header_size == 56 ||
                 header_size == 64 || header_size == 108 || header_size == 124;
    return known && !r.bad ? "image/bmp" : NULL;
}

static const char *of_icon(bytes b)
{
    struct reader r = reader_of(bytes_after(b, 2));
    uint16_t sort = read_le16(&r), count = read_le16(&r);
    read_bytes(&r, 3);
    uint8_t reserved = read_u8(&r);
    if (r.bad || count == 0 || count > 256 || reserved != 0) return NULL;
    if (sort == 1) return "image/vnd.microsoft.icon";
    return sort == 2 ? "image/x-win-bitmap" : NULL;
}

// X.690: a certificate is a sequence that begins with a sequence (RFC 5280 section 4.1) of [0]
// version or a serial number; an OCSP response (RFC 6960 section 4.2.1) one that begins with the
// status as an enumeration.
static const char *of_der(bytes b)
{
    struct reader r = reader_of(bytes_after(b, 1));
    uint8_t form = read_u8(&r);
    if (form > 0x80 && form <= 0x84) read_bytes(&r, form & 0x7f);
    bytes inner = reader_rest(&r);
    if (r.bad) return NULL;
    if (has(inner, 0, "\x0a\x01\x00", 3)) return "application/ocsp-response";
    if (!has(inner, 0, "\x30\x82", 2)) return NULL;
    if (has(inner, 4, "\xa0\x03\x02\x01\x02", 5)) return "application/pkix-cert";
    return NULL;
}

// Layer III of MPEG audio without a tag: eleven bits of ones, and no reserved value in the fields
// that follow.
static const char *of_audio_frame(bytes b)
{
    if (b.n < 4 || (b.p[1] & 0xe0) != 0xe0) return NULL;
    if ((b.p[1] & 0xf6) == 0xf0) return "audio/x-hx-aac-adts";
    unsigned version = b.p[1] >> 3 & 3, layer = b.p[1] >> 1 & 3;
    unsigned bitrate = b.p[2] >> 4, rate = b.p[2] >> 2 & 3;
    if (version == 1 || layer != 1 || bitrate == 0 || bitrate == 15 || rate == 3) return NULL;
    return "audio/mpeg";
}

static const char *of_transport_stream(bytes b)
{
    return b.n > 376 && b.p[188] == 0x47 && b.p[376] == 0x47 ? "video/mp2t" : NULL;
}

// Formats whose first bytes need a second look.
static const char *by_structure(bytes b)
{
    if (has(b, 0, "PK\x03\x04", 4)) return type_of_zip(b);
    if (has(b, 0, "RIFF", 4)) return of_riff(b);
    if (has(b, 4, "ftyp", 4)) return of_ftyp(b);
    if (has(b, 0, "OggS", 4)) return of_ogg(b);
    if (has(b, 0, "\x1a\x45\xdf\xa3", 4)) return of_ebml(b);
    if (has(b, 0,
            "\x7f"
            "ELF",
            4))
        return of_elf(b);
    if (has(b, 0, "\xca\xfe\xba\xbe", 4)) return of_cafebabe(b);
    if (has(b, 0, "FORM", 4) && has(b, 8, "AIF", 3)) return "audio/x-aiff";
    if (has(b, 0, "BM", 2)) return of_bitmap(b);
    if (has(b, 0, "\0\0", 2)) return of_icon(b);
    if (has(b, 0, "\x30", 1)) return of_der(b);
    if (has(b, 0, "\xff", 1)) return of_audio_frame(b);
    if (has(b, 0, "\x47", 1)) return of_transport_stream(b);
    return NULL;
}

// "MZ" alone may begin a text: the header is 64 bytes, and not text.
static bool is_program(bytes b, bool whole)
{
    return has(b, 0, "MZ", 2) && b.n >= 64 && !type_of_text(b, whole);
}

const char *type_of_content(bytes head, bool whole)
{
    if (head.n == 0) return NULL;
    if (head.n > TYPE_HEAD_SIZE) {
        head.n = TYPE_HEAD_SIZE;
        whole = false;
    }
    const char *type = by_structure(head);
    if (!type) type = by_signature(head);
    if (!type && is_program(head, whole)) type = "application/x-dosexec";
    if (!type) type = type_of_text(head, whole);
    return type ? type : "application/octet-stream";
}
