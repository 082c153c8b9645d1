#include "extract/type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka wants the three above.
#include <cmocka.h>

struct sample {
    const char *content;
    size_t length;
    const char *type;
};

#define SAMPLE(content, type)                                                                      \
    {                                                                                              \
        content, sizeof(content) - 1, type                                                         \
    }
#define EIGHT_ZEROS "\0\0\0\0\0\0\0\0"
#define ENTRY(size, name_length, name)                                                             \
    "PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0" size size name_length "\0\0" name

// clang-format off
static const struct sample samples[] = {
    SAMPLE("%PDF-1.7\n%\xe2\xe3", "application/pdf"),
    SAMPLE("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
    SAMPLE("\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
    SAMPLE("GIF89a\x01\0\x01\0", "image/gif"),
    SAMPLE("RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
    SAMPLE("RIFF\x24\0\0\0WAVEfmt ", "audio/x-wav"),
    SAMPLE("RIFF\x24\0\0\0AVI LIST", "video/x-msvideo"),
    SAMPLE("\0\0\x01\0\x01\0\x10\x10\0\0\x01\0", "image/vnd.microsoft.icon"),
    SAMPLE("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "image/bmp"),
    SAMPLE("BMW is a maker of cars, not a picture", "text/plain"),
    SAMPLE("II*\0\x08\0\0\0", "image/tiff"),
    SAMPLE("\x1f\x8b\x08\0\0\0\0\0", "application/gzip"),
    SAMPLE("BZh91AY&SY", "application/x-bzip2"),
    SAMPLE("\xfd" "7zXZ\0\0\x04", "application/x-xz"),
    SAMPLE("7z\xbc\xaf\x27\x1c\0\x04", "application/x-7z-compressed"),
    SAMPLE("Rar!\x1a\x07\x01\0", "application/x-rar"),
    SAMPLE("MSCF\0\0\0\0\x10\0\0\0", "application/vnd.ms-cab-compressed"),
    SAMPLE("!<arch>\ndebian-binary   ", "application/vnd.debian.binary-package"),
    SAMPLE("\xed\xab\xee\xdb\x03\0", "application/x-rpm"),
    SAMPLE("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    SAMPLE("{\\rtf1\\ansi", "text/rtf"),
    SAMPLE("\x7f" "ELF\x02\x01\x01\0" EIGHT_ZEROS "\x02\0\x3e\0", "application/x-executable"),
    SAMPLE("\x7f" "ELF\x01\x02\x01\0" EIGHT_ZEROS "\0\x03\0\x08", "application/x-sharedlib"),
    SAMPLE("\xca\xfe\xba\xbe\0\0\0\x34", "application/x-java-applet"),
    SAMPLE("\xca\xfe\xba\xbe\0\0\0\x02", "application/x-mach-binary"),
    SAMPLE("\xcf\xfa\xed\xfe\x07\0\0\x01", "application/x-mach-binary"),
    SAMPLE("MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0"
           EIGHT_ZEROS EIGHT_ZEROS EIGHT_ZEROS EIGHT_ZEROS, "application/x-dosexec"),
    SAMPLE("MZ is how programs of DOS begin, and so does this sentence, which is long enough",
           "text/plain"),
    SAMPLE("\0asm\x01\0\0\0", "application/wasm"),
    SAMPLE("ID3\x03\0", "audio/mpeg"),
    SAMPLE("\xff\xfb\x90\x64", "audio/mpeg"),
    SAMPLE("\xff\xff\xff\xff", "application/octet-stream"),
    SAMPLE("\0\0\0\x18" "ftypmp42", "video/mp4"),
    SAMPLE("\0\0\0\x18" "ftypqt  ", "video/quicktime"),
    SAMPLE("\0\0\0\x1c" "ftypavif", "image/avif"),
    SAMPLE("OggS\0\x02" EIGHT_ZEROS EIGHT_ZEROS "\0\0\0\0\x01\x1e\x01vorbis", "audio/ogg"),
    SAMPLE("fLaC\0\0\0\x22", "audio/flac"),
    SAMPLE("\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", "video/webm"),
    SAMPLE("\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", "video/x-matroska"),
    SAMPLE("FLV\x01\x05", "video/x-flv"),
    SAMPLE("CWS\x0a", "application/x-shockwave-flash"),
    SAMPLE("\0\x01\0\0\0\x0c", "font/sfnt"),
    SAMPLE("wOFF\0\x01\0\0", "font/woff"),
    SAMPLE("wOF2\0\x01\0\0", "font/woff2"),
    SAMPLE("SQLite format 3\0\x10\0", "application/vnd.sqlite3"),
    SAMPLE("\xd4\xc3\xb2\xa1\x02\0\x04\0", "application/vnd.tcpdump.pcap"),
    SAMPLE("\x0a\x0d\x0d\x0a\x1c\0\0\0", "application/x-pcapng"),
    SAMPLE("\x30\x82\x03\x10\x30\x82\x01\xf8\xa0\x03\x02\x01\x02", "application/pkix-cert"),
    SAMPLE("\x30\x82\x01\xd3\x0a\x01\0\xa0", "application/ocsp-response"),
    SAMPLE("\x30\x03\x0a\x01\x00", "application/ocsp-response"),
    SAMPLE("PK\x05\x06" EIGHT_ZEROS, "application/zip"),
    SAMPLE(ENTRY("\x02\0\0\0", "\x01\0", "a") "hi", "application/zip"),
    SAMPLE(ENTRY("\x02\0\0\0", "\x13\0", "[Content_Types].xml") "hi"
           ENTRY("\0\0\0\0", "\x11\0", "word/document.xml"),
           "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    SAMPLE(ENTRY("\0\0\0\0", "\x0f\0", "xl/workbook.xml"),
           "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    SAMPLE(ENTRY("\0\0\0\0", "\x14\0", "META-INF/MANIFEST.MF"), "application/java-archive"),
    SAMPLE(ENTRY("\0\0\0\0", "\x14\0", "META-INF/MANIFEST.MF")
           ENTRY("\0\0\0\0", "\x13\0", "AndroidManifest.xml"),
           "application/vnd.android.package-archive"),
    SAMPLE(ENTRY("\x14\0\0\0", "\x08\0", "mimetype") "application/epub+zip",
           "application/epub+zip"),
    SAMPLE("<!DOCTYPE html><html>", "text/html"),
    SAMPLE("\xef\xbb\xbf  \r\n<HTML>", "text/html"),
    SAMPLE("<!-- a page --> <html>", "text/html"),
    SAMPLE("<?xml version=\"1.0\"?><rss>", "text/xml"),
    SAMPLE("<?xml version=\"1.0\"?><!-- x --><svg xmlns=\"\">", "image/svg+xml"),
    SAMPLE("<svg xmlns=\"http://www.w3.org/2000/svg\">", "image/svg+xml"),
    SAMPLE("{\"a\": 1}", "application/json"),
    SAMPLE("[]", "application/json"),
    SAMPLE("[1, 2]", "application/json"),
    SAMPLE("[{\"a\":null}]", "application/json"),
    SAMPLE("[section]\nkey=value\n", "text/plain"),
    SAMPLE("{curly} text", "text/plain"),
    SAMPLE("// c\n(function(){})();", "application/javascript"),
    SAMPLE("var a = 1;\n", "application/javascript"),
    SAMPLE("var is a word of some languages", "text/plain"),
    SAMPLE("#!/bin/sh\necho\n", "text/x-shellscript"),
    SAMPLE("#!/usr/bin/env python3\n", "text/x-python"),
    SAMPLE("<?php echo 1;", "text/x-php"),
    SAMPLE("-----BEGIN CERTIFICATE-----\n", "application/x-pem-file"),
    SAMPLE("plain words", "text/plain"),
    SAMPLE("gr\xc3\xbc\xc3\x9f", "text/plain"),
    SAMPLE("gr\xfc\xdf in Latin letters", "text/plain"),
    SAMPLE("\xff\xfeh\0i\0", "text/plain"),
    SAMPLE("\x01\x02\x03\x04", "application/octet-stream"),
    SAMPLE("text with a \0 in it", "application/octet-stream"),
};
// clang-format on

static void test_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        bytes content = bytes_of(samples[i].content, samples[i].length);
        assert_string_equal(type_of_content(content, true), samples[i].type);
    }
}

// Memory of exactly the size, so that a sanitizer sees what is read beyond.
static void test_cut_everywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        for (size_t n = 1; n <= samples[i].length; n++) {
            uint8_t *copy = malloc(n);
            assert_non_null(copy);
            memcpy(copy, samples[i].content, n);
            assert_non_null(type_of_content(bytes_of(copy, n), false));
            free(copy);
        }
    }
}

static void test_far_signatures(void **state)
{
    (void)state;
    uint8_t block[1024] = {0};
    memcpy(block, "name", 4);
    memcpy(block + 257, "ustar", 5);
    assert_string_equal(type_of_content(bytes_of(block, sizeof block), true), "application/x-tar");
    memset(block, 0, sizeof block);
    block[0] = block[188] = block[376] = 0x47;
    assert_string_equal(type_of_content(bytes_of(block, sizeof block), true), "video/mp2t");
}

// A character may be cut where the head ends, but not where the file does.
static void test_cut_character(void **state)
{
    (void)state;
    bytes cut = bytes_text("caf\xe4\xb8");
    assert_string_equal(type_of_content(cut, false), "text/plain");
    bytes odd = bytes_text("caf\x99\x98");
    assert_string_equal(type_of_content(odd, false), "application/octet-stream");
    uint8_t head[TYPE_HEAD_SIZE + 2];
    memset(head, 'a', sizeof head);
    memcpy(head + TYPE_HEAD_SIZE - 1, "\xc3\xbc", 2);
    assert_string_equal(type_of_content(bytes_of(head, sizeof head), true), "text/plain");
    assert_null(type_of_content((bytes){0}, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_cut_everywhere),
        cmocka_unit_test(test_far_signatures),
        cmocka_unit_test(test_cut_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
