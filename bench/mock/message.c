/* Reads just enough JSON: the members of an object, each skipped by its own syntax, so that nothing
   inside a string is ever taken for structure. Input that ends early yields no member. */
#define _GNU_SOURCE
#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_TEXT = 8 << 20, LONGEST_MARK = 128 };

/* Words, as most answers are: one long stretch of letters would be read as Base64 is. */
static const char sentence[] = "Three parcels wait at the north door until the courier has signed for them. ";

static struct buffer tools_result, discover_result;
static char *padding;

char *buffer_room(struct buffer *buffer, size_t more)
{
    if (buffer->start == buffer->length)
        buffer->start = buffer->length = 0;
    if (buffer->length + more > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity : 4096;
        while (capacity < buffer->length + more)
            capacity *= 2;
        buffer->bytes = realloc(buffer->bytes, capacity);
        if (!buffer->bytes) {
            perror("realloc");
            exit(1);
        }
        buffer->capacity = capacity;
    }
    return buffer->bytes + buffer->length;
}

void buffer_add(struct buffer *buffer, const char *bytes, size_t length)
{
    memcpy(buffer_room(buffer, length), bytes, length);
    buffer->length += length;
}

static void add_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, text, strlen(text));
}

/* ── reading ── */

static const char *skip_blank(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n'))
        at++;
    return at;
}

static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end; at++) {
        if (*at == '\\')
            at++;
        else if (*at == '"')
            return at + 1;
    }
    return NULL;
}

/* The end of the value that starts at `at`; NULL when it has none. */
static const char *skip_value(const char *at, const char *end)
{
    int depth = 0;
    while (at && at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            if (depth == 0)
                return at;
        } else if (*at == '{' || *at == '[') {
            depth++, at++;
        } else if (*at == '}' || *at == ']') {
            if (depth == 0)
                return at;
            at++;
            if (--depth == 0)
                return at;
        } else if (depth == 0 && (*at == ',' || *at == ' ' || *at == '\n' || *at == '\r')) {
            return at;
        } else {
            at++;
        }
    }
    return depth ? NULL : at;
}

/* The raw value of an object's member; `at` is NULL when there is none. */
static struct slice member(struct slice object, const char *name)
{
    struct slice none = {NULL, 0};
    const char *at = object.at, *end = object.at + object.length;
    size_t wanted = strlen(name);
    if (!at || object.length < 2 || *at != '{')
        return none;
    for (at = skip_blank(at + 1, end); at < end && *at == '"'; at = skip_blank(at + 1, end)) {
        const char *key = at + 1, *value, *after;
        at = skip_string(at, end);
        if (!at)
            return none;
        size_t length = (size_t)(at - key) - 1;
        at = skip_blank(at, end);
        if (at >= end || *at != ':')
            return none;
        value = skip_blank(at + 1, end);
        after = skip_value(value, end);
        if (!after || after == value)
            return none;
        if (length == wanted && memcmp(key, name, wanted) == 0)
            return (struct slice){value, (size_t)(after - value)};
        at = skip_blank(after, end);
        if (at >= end || *at != ',')
            return none;
    }
    return none;
}

static struct slice inside_quotes(struct slice value)
{
    if (!value.at || value.length < 2 || *value.at != '"')
        return (struct slice){NULL, 0};
    return (struct slice){value.at + 1, value.length - 2};
}

static int is(struct slice value, const char *text)
{
    return value.at && value.length == strlen(text) && memcmp(value.at, text, value.length) == 0;
}

static int same(struct slice one, struct slice other)
{
    return one.at && other.at && one.length == other.length &&
           memcmp(one.at, other.at, one.length) == 0;
}

/* ── answering ── */

void prepare(int tools)
{
    char text[768];
    add_text(&discover_result,
             "{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],"
             "\"capabilities\":{\"tools\":{}},\"ttlMs\":60000,\"cacheScope\":\"public\","
             "\"_meta\":{\"io.modelcontextprotocol/serverInfo\":"
             "{\"name\":\"mock\",\"version\":\"1\"}}}");
    add_text(&tools_result, "{\"resultType\":\"complete\",\"tools\":[");
    for (int i = 0; i < tools; i++) {
        snprintf(text, sizeof text,
                 "%s{\"name\":\"%s%.0d\",\"title\":\"Echo number %d\",\"description\":"
                 "\"Returns a text of this size that begins with the mark.\","
                 "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"size\":{\"type\":"
                 "\"integer\",\"minimum\":1},\"mark\":{\"type\":\"string\"}},\"required\":"
                 "[\"size\",\"mark\"]},\"annotations\":{\"readOnlyHint\":true,"
                 "\"openWorldHint\":false}}",
                 i ? "," : "", i ? "echo_" : "echo", i, i);
        add_text(&tools_result, text);
    }
    add_text(&tools_result, "],\"ttlMs\":60000,\"cacheScope\":\"public\"}");
    padding = malloc(LONGEST_TEXT);
    if (!padding) {
        perror("malloc");
        exit(1);
    }
    for (size_t i = 0; i < LONGEST_TEXT; i++)
        padding[i] = sentence[i % (sizeof sentence - 1)];
}

static void begin(struct buffer *out, struct slice id, const char *what)
{
    add_text(out, "{\"jsonrpc\":\"2.0\",\"id\":");
    if (id.at)
        buffer_add(out, id.at, id.length);
    else
        add_text(out, "null");
    add_text(out, what);
}

static enum outcome refuse(struct buffer *out, struct slice id, enum outcome status, int code,
                           const char *message)
{
    char text[256];
    snprintf(text, sizeof text, ",\"error\":{\"code\":%d,\"message\":\"%s\"}}", code, message);
    begin(out, id, text);
    return status;
}

static enum outcome call(struct buffer *out, struct slice id, struct slice arguments)
{
    struct slice mark = inside_quotes(member(arguments, "mark"));
    struct slice number = member(arguments, "size");
    size_t size = number.at ? strtoul(number.at, NULL, 10) : 0;
    if (!mark.at || mark.length > LONGEST_MARK || size <= mark.length || size > LONGEST_TEXT)
        return refuse(out, id, ANSWERED, -32602, "size or mark is not good");
    begin(out, id, ",\"result\":{\"resultType\":\"complete\",\"content\":[{\"type\":\"text\",\"text\":\"");
    buffer_room(out, size + 64);
    buffer_add(out, mark.at, mark.length);
    add_text(out, " ");
    buffer_add(out, padding, size - mark.length - 1);
    add_text(out, "\"}],\"isError\":false}}");
    return ANSWERED;
}

enum outcome answer(struct slice message, struct slice method, struct slice name,
                    struct buffer *out)
{
    struct slice id = member(message, "id");
    struct slice asked = inside_quotes(member(message, "method"));
    struct slice params = member(message, "params");
    if (!asked.at)
        return refuse(out, id, BAD_REQUEST, -32600, "not a request");
    if (!id.at)
        return ACCEPTED;
    if (method.at && !same(method, asked))
        return refuse(out, id, BAD_REQUEST, -32020, "Mcp-Method differs from the body");
    if (is(asked, "tools/call")) {
        if (method.at && !same(name, inside_quotes(member(params, "name"))))
            return refuse(out, id, BAD_REQUEST, -32020, "Mcp-Name differs from the body");
        return call(out, id, member(params, "arguments"));
    }
    if (is(asked, "server/discover") || is(asked, "tools/list")) {
        struct buffer *result = is(asked, "tools/list") ? &tools_result : &discover_result;
        begin(out, id, ",\"result\":");
        buffer_add(out, result->bytes, result->length);
        add_text(out, "}");
        return ANSWERED;
    }
    return refuse(out, id, UNKNOWN_METHOD, -32601, "no such method");
}
