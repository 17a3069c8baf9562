// Prints the addresses that the C library finds for a name, one a line.
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int main(int count, char **words) {
    struct addrinfo hints, *found;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = count > 2 && !strcmp(words[2], "4") ? AF_INET : AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    if (count < 2 || getaddrinfo(words[1], 0, &hints, &found)) {
        return 2;
    }
    for (struct addrinfo *each = found; each; each = each->ai_next) {
        char text[INET6_ADDRSTRLEN];
        const void *address = each->ai_family == AF_INET
            ? (const void *) &((struct sockaddr_in *) each->ai_addr)->sin_addr
            : (const void *) &((struct sockaddr_in6 *) each->ai_addr)->sin6_addr;
        puts(inet_ntop(each->ai_family, address, text, sizeof text));
    }
    freeaddrinfo(found);
    return 0;
}
