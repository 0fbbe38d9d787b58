/* Writes a line for each connect() to an address and each name that is looked up, then does as asked. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void line(const char *text)
{
    const char *path = getenv("SOCKET_WATCH");
    if (path == NULL)
        return;
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0)
        return;
    char whole[600];
    int length = snprintf(whole, sizeof whole, "%s\n", text);
    if (length > 0 && write(file, whole, (size_t)length) < 0)
        abort();
    close(file);
}

static void address(const struct sockaddr *to)
{
    char name[INET6_ADDRSTRLEN] = "", text[100];
    int port;
    if (to->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)to;
        inet_ntop(AF_INET, &v4->sin_addr, name, sizeof name);
        port = ntohs(v4->sin_port);
    } else if (to->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)to;
        inet_ntop(AF_INET6, &v6->sin6_addr, name, sizeof name);
        port = ntohs(v6->sin6_port);
    } else {
        return;
    }
    snprintf(text, sizeof text, "%s:%d", name, port);
    line(text);
}

int connect(int socket, const struct sockaddr *to, socklen_t length)
{
    static int (*real)(int, const struct sockaddr *, socklen_t);
    if (real == NULL)
        real = (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");
    address(to);
    return real(socket, to, length);
}

ssize_t sendto(int socket, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t length)
{
    static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
    if (real == NULL)
        real = (ssize_t(*)(int, const void *, size_t, int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT,
                                                                                                  "sendto");
    if (to != NULL)
        address(to);
    return real(socket, data, size, flags, to, length);
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (real == NULL)
        real = (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))dlsym(
            RTLD_NEXT, "getaddrinfo");
    if (node != NULL) {
        char text[300];
        snprintf(text, sizeof text, "lookup %s", node);
        line(text);
    }
    return real(node, service, hints, found);
}
