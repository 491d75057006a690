/* A modern MCP server over Streamable HTTP, as fast as one thread can be: `upstream PORT TOOLS`.
   It listens on 127.0.0.1, keeps connections alive, and answers every POST, whatever its path. */
#define _GNU_SOURCE
#include "message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORTION = 1 << 16, LONGEST_REQUEST = 8 << 20, EVENTS = 256 };

struct connection {
    int socket, writing;
    struct buffer in, out;
};

static struct buffer body;
static int poller;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* The value of a header field in a section whose lines end with CRLF; `at` is NULL without it. */
static struct slice header(const char *at, const char *end, const char *name)
{
    size_t length = strlen(name);
    while ((at = memmem(at, (size_t)(end - at), "\r\n", 2))) {
        at += 2;
        if ((size_t)(end - at) > length && at[length] == ':' && !strncasecmp(at, name, length)) {
            const char *value = at + length + 1;
            const char *stop = memmem(value, (size_t)(end + 2 - value), "\r\n", 2);
            while (value < stop && *value == ' ')
                value++;
            return (struct slice){value, (size_t)(stop - value)};
        }
    }
    return (struct slice){NULL, 0};
}

static void reply(struct connection *connection, enum outcome status)
{
    char head[160];
    int length = snprintf(head, sizeof head,
                          "HTTP/1.1 %d Mock\r\ncontent-type: application/json\r\n"
                          "content-length: %zu\r\n\r\n",
                          status, body.length);
    buffer_add(&connection->out, head, (size_t)length);
    buffer_add(&connection->out, body.bytes, body.length);
}

/* Answer one whole request at the beginning of the input, if there is one; -1 for a bad one. */
static int take(struct connection *connection)
{
    struct buffer *in = &connection->in;
    const char *at = in->bytes + in->start;
    size_t left = in->length - in->start;
    const char *end = left ? memmem(at, left, "\r\n\r\n", 4) : NULL;
    if (!end)
        return left > PORTION ? -1 : 0;
    struct slice size = header(at, end, "content-length");
    size_t length = size.at ? strtoul(size.at, NULL, 10) : 0;
    size_t whole = (size_t)(end + 4 - at) + length;
    if (length > LONGEST_REQUEST)
        return -1;
    if (left < whole)
        return 0;
    body.length = body.start = 0;
    enum outcome status = 405;
    if (!strncmp(at, "POST ", 5)) {
        struct slice method = header(at, end, "mcp-method");
        if (!method.at) /* a modern server's word: what follows is not of its era */
            method = (struct slice){"", 0};
        status = answer((struct slice){end + 4, length}, method, header(at, end, "mcp-name"), &body);
    }
    reply(connection, status);
    in->start += whole;
    return 1;
}

static void watch(struct connection *connection, int operation)
{
    struct epoll_event event = {.data.ptr = connection};
    event.events = EPOLLIN | (connection->writing ? EPOLLOUT : 0);
    if (epoll_ctl(poller, operation, connection->socket, &event))
        die("epoll_ctl");
}

/* Write what can be written; 0 when the connection is gone. */
static int flush(struct connection *connection)
{
    struct buffer *out = &connection->out;
    while (out->start < out->length) {
        ssize_t written = send(connection->socket, out->bytes + out->start,
                               out->length - out->start, MSG_NOSIGNAL);
        if (written < 0 && errno != EAGAIN)
            return 0;
        if (written < 0)
            break;
        out->start += (size_t)written;
    }
    int writing = out->start < out->length;
    if (writing != connection->writing) {
        connection->writing = writing;
        watch(connection, EPOLL_CTL_MOD);
    }
    return 1;
}

static int receive(struct connection *connection)
{
    struct buffer *in = &connection->in;
    ssize_t got = recv(connection->socket, buffer_room(in, PORTION), PORTION, 0);
    if (got < 0 && errno == EAGAIN)
        return 1;
    if (got <= 0)
        return 0;
    in->length += (size_t)got;
    int taken;
    while ((taken = take(connection)) > 0)
        ;
    memmove(in->bytes, in->bytes + in->start, in->length - in->start);
    in->length -= in->start;
    in->start = 0;
    return taken == 0 && flush(connection);
}

static void drop(struct connection *connection)
{
    close(connection->socket);
    free(connection->in.bytes);
    free(connection->out.bytes);
    free(connection);
}

static void accept_one(int listener)
{
    int one = 1, accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0)
        return;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        die("calloc");
    connection->socket = accepted;
    watch(connection, EPOLL_CTL_ADD);
}

static int listen_on(int port)
{
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024))
        die("listen");
    return listener;
}

int main(int count, char **arguments)
{
    if (count != 3) {
        fprintf(stderr, "expected: upstream PORT TOOLS\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_on(atoi(arguments[1]));
    prepare(atoi(arguments[2]));
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[EVENTS], listening = {.events = EPOLLIN, .data.ptr = NULL};
    if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &listening))
        die("epoll");
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection)
                accept_one(listener);
            else if (!(events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? receive(connection)
                                                                         : flush(connection)))
                drop(connection);
        }
    }
}
