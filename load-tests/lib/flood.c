/* More DNS queries than a server can answer, from a few clients, and beside them one client that asks little and is timed.
   flood PORT SECONDS RATE CLIENTS PROBES_PER_SECOND NAME -> one line of JSON. Loopback only: clients are 127.1.0.1 and so on, the
   timed one is 127.2.0.1. Latencies end at the kernel's own time of receipt, so that this program's turns don't count. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32
#define IDS 65536

static double now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int client(uint32_t address, int port, int buffer) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) || bind(fd, (void *)&own, sizeof own) ||
        connect(fd, (void *)&server, sizeof server)) {
        fail("client");
    }
    return fd;
}

static int encode(unsigned char *out, const char *name) {
    static const unsigned char header[12] = {0, 0, 1, 0, 0, 1};
    memcpy(out, header, 12);
    int at = 12;
    while (*name) {
        int label = (int)strcspn(name, ".");
        out[at++] = label;
        memcpy(out + at, name, label);
        at += label;
        name += label + (name[label] == '.');
    }
    memcpy(out + at, "\0\0\1\0\1", 5);
    return at + 5;
}

static int ascending(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return (difference > 0) - (difference < 0);
}

static double sent_at[IDS];
static double *latencies;
static long answered;

static void receive(int fd) {
    unsigned char bytes[2048], control[256];
    for (;;) {
        struct iovec vector = {bytes, sizeof bytes};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t length = recvmsg(fd, &message, 0);
        if (length < 0) {
            return;
        }
        double at = now(CLOCK_REALTIME);
        for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each; each = CMSG_NXTHDR(&message, each)) {
            if (each->cmsg_type == SCM_TIMESTAMPNS) {
                struct timespec time;
                memcpy(&time, CMSG_DATA(each), sizeof time);
                at = time.tv_sec + time.tv_nsec / 1e9;
            }
        }
        int id = bytes[0] << 8 | bytes[1];
        if (length > 12 && sent_at[id] > 0 && (bytes[3] & 15) == 0 && bytes[7] > 0) {
            latencies[answered++] = at - sent_at[id];
            sent_at[id] = 0;
        }
    }
}

int main(int count, char **words) {
    if (count != 7) {
        fprintf(stderr, "usage: flood PORT SECONDS RATE CLIENTS PROBES_PER_SECOND NAME\n");
        return 2;
    }
    int port = atoi(words[1]), clients = atoi(words[4]), on = 1;
    double seconds = atof(words[2]), rate = atof(words[3]), probe_rate = atof(words[5]);
    unsigned char query[300], probe[300];
    int length = encode(query, words[6]);
    memcpy(probe, query, length);
    latencies = calloc((size_t)(seconds * probe_rate) + 1000, sizeof *latencies);
    int *floods = calloc(clients, sizeof *floods);
    for (int i = 0; i < clients; i++) {
        floods[i] = client(0x7f010001u + i, port, 1); /* answers are not read */
        if (setsockopt(floods[i], IPPROTO_UDP, UDP_SEGMENT, &length, sizeof length)) { /* the kernel cuts a batch into queries, at the receiver */
            fail("UDP_SEGMENT");
        }
    }
    int prober = client(0x7f020001u, port, 1 << 20);
    if (setsockopt(prober, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on)) {
        fail("SO_TIMESTAMPNS");
    }
    unsigned char batch[BATCH * sizeof query];
    for (int i = 0; i < BATCH; i++) {
        memcpy(batch + i * length, query, length);
    }
    double start = now(CLOCK_MONOTONIC), elapsed = 0;
    long flooded = 0, probed = 0, turns = 0;
    while ((elapsed = now(CLOCK_MONOTONIC) - start) < seconds) {
        int idle = 1;
        if (flooded < rate * elapsed) {
            flooded += send(floods[turns++ % clients], batch, BATCH * length, 0) > 0 ? BATCH : 0;
            idle = 0;
        }
        if (probed < probe_rate * elapsed) {
            int id = probed++ % IDS;
            probe[0] = id >> 8;
            probe[1] = id;
            sent_at[id] = now(CLOCK_REALTIME);
            if (send(prober, probe, length, 0) < 0 && errno != ECONNREFUSED) {
                fail("send");
            }
            idle = 0;
        }
        receive(prober);
        if (idle) {
            usleep(20);
        }
    }
    for (int i = 0; i < 100; i++) {
        usleep(10000);
        receive(prober);
    }
    qsort(latencies, answered, sizeof *latencies, ascending);
    printf("{\"flooded\": %ld, \"seconds\": %.3f, \"probes\": %ld, \"answered\": %ld", flooded, elapsed, probed, answered);
    if (answered > 0) {
        printf(", \"p50\": %.6f, \"p99\": %.6f, \"max\": %.6f", latencies[answered / 2], latencies[answered * 99 / 100], latencies[answered - 1]);
    }
    puts("}");
    return 0;
}
