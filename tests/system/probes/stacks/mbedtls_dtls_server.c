/* A DTLS server of Mbed TLS 2.28 whose settings are its arguments; one peer at a time, closed after the handshake.
   PORT CERT KEY MIN MAX SUITES COOKIE [PSK-IDENTITY]
   MIN, MAX: minor versions, 2 = DTLS 1.0, 3 = DTLS 1.2. SUITES: names of the library joined by commas.
   COOKIE: 1 addresses are validated (RFC 6347, 4.2.1), 0 they are not. PSK-IDENTITY goes with a fixed key of 16 bytes;
   the library has no hints. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cookie.h>
#include <mbedtls/timing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mbedtls_ssl_config config;
static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context random_bits;
static mbedtls_x509_crt certificate;
static mbedtls_pk_context key;
static mbedtls_ssl_cookie_ctx cookies;
static int suites[128];

static int read_suites(char *names) {
  int count = 0;
  for (char *name = strtok(names, ","); name && count < 127; name = strtok(NULL, ",")) {
    suites[count] = mbedtls_ssl_get_ciphersuite_id(name);
    if (suites[count++] == 0) {
      fprintf(stderr, "no suite %s\n", name);
      return 1;
    }
  }
  return 0;
}

static int configure(char **arg, const char *identity) {
  mbedtls_ssl_config_init(&config);
  mbedtls_entropy_init(&entropy);
  mbedtls_ctr_drbg_init(&random_bits);
  mbedtls_x509_crt_init(&certificate);
  mbedtls_pk_init(&key);
  mbedtls_ssl_cookie_init(&cookies);
  if (read_suites(arg[6]) || mbedtls_ctr_drbg_seed(&random_bits, mbedtls_entropy_func, &entropy, NULL, 0) ||
      mbedtls_x509_crt_parse_file(&certificate, arg[2]) || mbedtls_pk_parse_keyfile(&key, arg[3], NULL) ||
      mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_DATAGRAM, MBEDTLS_SSL_PRESET_DEFAULT) ||
      mbedtls_ssl_cookie_setup(&cookies, mbedtls_ctr_drbg_random, &random_bits)) {
    return 1;
  }
  mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random_bits);
  mbedtls_ssl_conf_min_version(&config, 3, atoi(arg[4]));
  mbedtls_ssl_conf_max_version(&config, 3, atoi(arg[5]));
  mbedtls_ssl_conf_ciphersuites(&config, suites);
  mbedtls_ssl_conf_handshake_timeout(&config, 100, 100); /* a peer that has left holds the only place no longer than that */
  if (atoi(arg[7])) {
    mbedtls_ssl_conf_dtls_cookies(&config, mbedtls_ssl_cookie_write, mbedtls_ssl_cookie_check, &cookies);
  } else {
    mbedtls_ssl_conf_dtls_cookies(&config, NULL, NULL, NULL);
  }
  if (identity && mbedtls_ssl_conf_psk(&config, (const unsigned char *)"0123456789abcdef", 16, (const unsigned char *)identity, strlen(identity))) {
    return 1;
  }
  return mbedtls_ssl_conf_own_cert(&config, &certificate, &key);
}

/* The library waits for a first hello for ever, and who asked for a cookie alone never comes back. */
static int receive(void *client, unsigned char *buffer, size_t size, uint32_t timeout) {
  const int got = mbedtls_net_recv_timeout(client, buffer, size, timeout ? timeout : 100);
  return got == MBEDTLS_ERR_SSL_TIMEOUT && !timeout ? MBEDTLS_ERR_NET_CONN_RESET : got;
}

/* Again and again for the same peer: an answer to a hello without a cookie ends a handshake. */
static void serve(mbedtls_net_context *client, const unsigned char *address, size_t size) {
  mbedtls_ssl_context session;
  mbedtls_timing_delay_context timer;
  mbedtls_ssl_init(&session);
  if (mbedtls_ssl_setup(&session, &config) == 0) {
    mbedtls_ssl_set_timer_cb(&session, &timer, mbedtls_timing_set_delay, mbedtls_timing_get_delay);
    mbedtls_ssl_set_bio(&session, client, mbedtls_net_send, NULL, receive);
    int ended = MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED;
    while (ended == MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED) {
      if (mbedtls_ssl_session_reset(&session) || mbedtls_ssl_set_client_transport_id(&session, address, size)) {
        break;
      }
      ended = mbedtls_ssl_handshake(&session);
    }
    if (ended == 0) {
      mbedtls_ssl_close_notify(&session);
    }
  }
  mbedtls_ssl_free(&session);
}

int main(int count, char **arg) {
  mbedtls_net_context listener;
  mbedtls_net_init(&listener);
  if ((count != 8 && count != 9) || configure(arg, count == 9 ? arg[8] : NULL) ||
      mbedtls_net_bind(&listener, "127.0.0.1", arg[1], MBEDTLS_NET_PROTO_UDP)) {
    fprintf(stderr, "bad arguments\n");
    return 2;
  }
  for (;;) {
    mbedtls_net_context client;
    unsigned char address[16];
    size_t size = 0;
    mbedtls_net_init(&client);
    if (mbedtls_net_accept(&listener, &client, address, sizeof address, &size) == 0) {
      serve(&client, address, size);
    }
    mbedtls_net_free(&client);
  }
}
