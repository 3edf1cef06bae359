/* The floor of a SYN scan: sends one SYN to each of 65,535 ports as fast as the interface takes them, with no care for the device, and
 * prints what accepted. Every SYN goes once, so a lost answer is an open port that is not found.
 *
 *   floor SOURCE TARGET INTERFACE TARGET_MAC [SYNS_PER_SECOND]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 256, ETHER = 14, FRAME = ETHER + 20 + 20, SOURCE_PORT = 40000, QUIET_MS = 1000 };

static uint8_t frames[BATCH][FRAME], answers[BATCH][128];
static struct mmsghdr out[BATCH], in[BATCH];
static uint8_t answered[65536];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static uint32_t sum(const void* bytes, int size) {
  const uint8_t* p = bytes;
  uint32_t total = 0;
  for (; size > 1; size -= 2, p += 2) total += p[0] << 8 | p[1];
  return total;
}

static uint16_t fold(uint32_t total) {
  while (total >> 16) total = (total & 0xffff) + (total >> 16);
  return ~total;
}

static int open_socket(const char* interface, uint8_t own_mac[6]) {
  int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP)), yes = 1, large = 128 << 20;
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = (int)if_nametoindex(interface)};
  struct ifreq asked = {0};
  strncpy(asked.ifr_name, interface, IFNAMSIZ - 1);
  if (fd < 0 || bind(fd, (void*)&address, sizeof address) || ioctl(fd, SIOCGIFHWADDR, &asked)) {
    perror("floor");
    exit(2);
  }
  memcpy(own_mac, asked.ifr_hwaddr.sa_data, 6);
  setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes);
  setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large);
  return fd;
}

static void prepare(const uint8_t from_mac[6], const char* to_mac, uint32_t from, uint32_t to) {
  static struct iovec sent[BATCH], received[BATCH];
  uint8_t mac[6];
  sscanf(to_mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5);
  for (int i = 0; i < BATCH; i++) {
    struct iphdr* ip = (void*)(frames[i] + ETHER);
    memcpy(frames[i], mac, 6);
    memcpy(frames[i] + 6, from_mac, 6);
    frames[i][12] = 8;
    *ip = (struct iphdr){.version = 4, .ihl = 5, .tot_len = htons(40), .ttl = 64, .protocol = 6, .saddr = from, .daddr = to};
    ip->check = htons(fold(sum(ip, 20)));
    sent[i] = (struct iovec){frames[i], FRAME};
    received[i] = (struct iovec){answers[i], sizeof answers[i]};
    out[i].msg_hdr = (struct msghdr){.msg_iov = &sent[i], .msg_iovlen = 1};
    in[i].msg_hdr = (struct msghdr){.msg_iov = &received[i], .msg_iovlen = 1};
  }
}

static int send_batch(int fd, int port, uint32_t pseudo) {
  int count = 0;
  for (; count < BATCH && port + count <= 65535; count++) {
    struct tcphdr* tcp = (void*)(frames[count] + ETHER + 20);
    memset(tcp, 0, 20);
    tcp->source = htons(SOURCE_PORT);
    tcp->dest = htons(port + count);
    tcp->seq = htonl(0x12340000u + port + count);
    tcp->doff = 5;
    tcp->syn = 1;
    tcp->window = htons(1024);
    tcp->check = htons(fold(pseudo + sum(tcp, 20)));
  }
  for (int done = 0, n; done < count; done += n)
    if ((n = sendmmsg(fd, out + done, count - done, 0)) <= 0) n = 0;
  return count;
}

/* Returns how many ports answered for the first time. */
static int receive(int fd, uint32_t target) {
  int fresh = 0, n;
  while ((n = recvmmsg(fd, in, BATCH, MSG_DONTWAIT, 0)) > 0) {
    for (int i = 0; i < n; i++) {
      const struct iphdr* ip = (void*)(answers[i] + ETHER);
      const struct tcphdr* tcp = (void*)(answers[i] + ETHER + 20);
      const int port = ntohs(tcp->source);
      if (in[i].msg_len < FRAME || ip->protocol != 6 || ip->saddr != target || answered[port]) continue;
      answered[port] = 1;
      fresh++;
      if (tcp->syn) printf("%d/tcp open\n", port);
    }
    if (n < BATCH) break;
  }
  return fresh;
}

int main(int count, char** words) {
  if (count < 5) return 2;
  const uint32_t from = inet_addr(words[1]), to = inet_addr(words[2]);
  const double per_second = count > 5 ? atof(words[5]) : 0;
  uint8_t own_mac[6];
  const int fd = open_socket(words[3], own_mac);
  prepare(own_mac, words[4], from, to);
  const uint32_t pseudo = sum(&from, 4) + sum(&to, 4) + 6 + 20;
  const double begin = now();
  double last = begin;
  for (int next = 1, known = 0; known < 65535 && (now() - last) * 1000 < QUIET_MS;) {
    if (next <= 65535 && (per_second == 0 || next <= (now() - begin) * per_second)) {
      next += send_batch(fd, next, pseudo);
      last = now();
    } else {
      struct pollfd wait = {fd, POLLIN, 0};
      poll(&wait, 1, next <= 65535 ? 1 : 50);
    }
    const int fresh = receive(fd, to);
    known += fresh;
    if (fresh) last = now();
  }
  return 0;
}
