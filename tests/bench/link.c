// link: userland delay link between two interfaces of one network namespace.
// Stands in for `tc qdisc netem delay` where the kernel has no netem.
//   link IF_A IF_B DELAY_US_ONE_WAY
// Every frame that arrives on A leaves on B after the delay, and the other way round.
// No loss of its own as long as the receive rings keep up (drops are printed on SIGTERM).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#define SLOT 2048
#define N 262144  // frames in flight per direction (512 MiB of address space, touched only when used)
#define BATCH 64
static volatile sig_atomic_t stop;
static void on_term(int s) { (void)s; stop = 1; }
static int64_t now_us(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000LL + t.tv_nsec / 1000; }
struct dir { int in, out; uint8_t *buf; uint16_t *len; int64_t *due; uint64_t head, tail, full; };
static int open_if(const char *name) {
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
    if (fd < 0) { perror("socket"); exit(2); }
    int big = 256 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof big);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof big);
    int one = 1;
    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
    struct sockaddr_ll a = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name)};
    if (bind(fd, (struct sockaddr *)&a, sizeof a)) { perror(name); exit(2); }
    struct packet_mreq m = {.mr_ifindex = a.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof m);
    return fd;
}
static int rx(struct dir *d, int64_t delay) {
    struct mmsghdr m[BATCH]; struct iovec v[BATCH]; int n = 0;
    memset(m, 0, sizeof m);
    while (n < BATCH && d->head + n - d->tail < N) {
        uint64_t s = (d->head + n) % N;
        v[n].iov_base = d->buf + s * SLOT; v[n].iov_len = SLOT;
        m[n].msg_hdr.msg_iov = &v[n]; m[n].msg_hdr.msg_iovlen = 1; n++;
    }
    if (!n) { d->full++; return 0; }
    int r = recvmmsg(d->in, m, n, MSG_DONTWAIT, NULL);
    if (r <= 0) return 0;
    int64_t t = now_us() + delay;
    for (int i = 0; i < r; i++) { uint64_t s = (d->head + i) % N; d->len[s] = m[i].msg_len; d->due[s] = t; }
    d->head += r;
    return r;
}
static void tx(struct dir *d) {
    while (d->tail < d->head) {
        int64_t t = now_us(); struct mmsghdr m[BATCH]; struct iovec v[BATCH]; int n = 0;
        memset(m, 0, sizeof m);
        while (n < BATCH && d->tail + n < d->head && d->due[(d->tail + n) % N] <= t) {
            uint64_t s = (d->tail + n) % N;
            v[n].iov_base = d->buf + s * SLOT; v[n].iov_len = d->len[s];
            m[n].msg_hdr.msg_iov = &v[n]; m[n].msg_hdr.msg_iovlen = 1; n++;
        }
        if (!n) return;
        int r = sendmmsg(d->out, m, n, 0);
        if (r <= 0) { if (errno == EAGAIN || errno == ENOBUFS) return; r = 1; }
        d->tail += r;
    }
}
int main(int c, char **v) {
    if (c != 4) { fprintf(stderr, "usage: link IF_A IF_B DELAY_US\n"); return 2; }
    prctl(PR_SET_PDEATHSIG, SIGTERM); prctl(PR_SET_TIMERSLACK, 10000);
    signal(SIGTERM, on_term); signal(SIGINT, on_term);
    int64_t delay = atoll(v[3]); struct dir d[2]; memset(d, 0, sizeof d);
    int a = open_if(v[1]), b = open_if(v[2]);
    d[0].in = a; d[0].out = b; d[1].in = b; d[1].out = a;
    for (int i = 0; i < 2; i++) { d[i].buf = calloc(N, SLOT); d[i].len = calloc(N, 2); d[i].due = calloc(N, 8); if (!d[i].buf) return 2; }
    printf("ready\n"); fflush(stdout);
    while (!stop) {
        int got = 0;
        for (int i = 0; i < 2; i++) { got += rx(&d[i], delay); tx(&d[i]); }
        if (got) continue;
        int64_t t = now_us(), w = 200000;
        for (int i = 0; i < 2; i++) if (d[i].tail < d[i].head) { int64_t k = d[i].due[d[i].tail % N] - t; if (k < w) w = k; }
        if (w < 0) w = 0;
        struct pollfd p[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
        struct timespec ts = {w / 1000000, (w % 1000000) * 1000};
        ppoll(p, 2, &ts, NULL);
    }
    for (int i = 0; i < 2; i++) {
        struct tpacket_stats s; socklen_t l = sizeof s; memset(&s, 0, sizeof s);
        getsockopt(d[i].in, SOL_PACKET, PACKET_STATISTICS, &s, &l);
        printf("dir%d frames=%llu kernel_drops=%u ring_full=%llu\n", i, (unsigned long long)d[i].tail, s.tp_drops, (unsigned long long)d[i].full);
    }
    return 0;
}
