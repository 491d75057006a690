/* A modern MCP server over stdio: `stdio TOOLS`. One JSON-RPC message a line, both ways. */
#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PORTION = 1 << 16 };

static void send_all(struct buffer *out)
{
    while (out->start < out->length) {
        ssize_t written = write(1, out->bytes + out->start, out->length - out->start);
        if (written < 0)
            exit(1);
        out->start += (size_t)written;
    }
}

int main(int count, char **arguments)
{
    struct buffer in = {0}, out = {0};
    struct slice none = {NULL, 0};
    prepare(count > 1 ? atoi(arguments[1]) : 20);
    for (;;) {
        ssize_t got = read(0, buffer_room(&in, PORTION), PORTION);
        if (got <= 0)
            return got < 0;
        in.length += (size_t)got;
        char *newline;
        while ((newline = memchr(in.bytes + in.start, '\n', in.length - in.start))) {
            const char *line = in.bytes + in.start;
            size_t length = (size_t)(newline - line);
            if (answer((struct slice){line, length}, none, none, &out) != ACCEPTED)
                buffer_add(&out, "\n", 1);
            in.start += length + 1;
        }
        memmove(in.bytes, in.bytes + in.start, in.length - in.start);
        in.length -= in.start;
        in.start = 0;
        send_all(&out);
    }
}
