/* What a modern (2026-07-28) MCP server answers to one JSON-RPC message: shared by both mocks. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stddef.h>

/* Bytes that grow; `start` is how many of them are done with. */
struct buffer {
    char *bytes;
    size_t start, length, capacity;
};

/* A piece of somebody else's text. */
struct slice {
    const char *at;
    size_t length;
};

enum outcome { ANSWERED = 200, ACCEPTED = 202, BAD_REQUEST = 400, UNKNOWN_METHOD = 404 };

/* Make room for `more` bytes at the end, and say where they go. */
char *buffer_room(struct buffer *buffer, size_t more);
void buffer_add(struct buffer *buffer, const char *bytes, size_t length);

/* Make the lists of `tools` tools; once, before `answer`. */
void prepare(int tools);

/* Append the response to `message`, if it gets one. Headers of Streamable HTTP that repeat the body
   are compared with it unless `method.at` is NULL, as it is for stdio. */
enum outcome answer(struct slice message, struct slice method, struct slice name,
                    struct buffer *out);

#endif
