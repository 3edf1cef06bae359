/* A TLS server of Mbed TLS 2.28 whose settings are its arguments; one connection at a time, closed after the handshake.
   PORT CERT KEY MIN MAX SUITES CURVES AUTH [reads]
   MIN, MAX: minor versions, 1 = TLS 1.0 … 3 = TLS 1.2. SUITES, CURVES: names of the library joined by commas.
   AUTH: 0 no client certificate, 1 asked for, 2 demanded. With a ninth argument it reads what comes until the end. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mbedtls_ssl_config config;
static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context random_bits;
static mbedtls_x509_crt certificate;
static mbedtls_pk_context key;
static int suites[128];
static mbedtls_ecp_group_id curves[16];

static void read_lists(char *suite_names, char *curve_names) {
  int count = 0;
  for (char *name = strtok(suite_names, ","); name && count < 127; name = strtok(NULL, ",")) {
    suites[count] = mbedtls_ssl_get_ciphersuite_id(name);
    if (suites[count++] == 0) {
      fprintf(stderr, "no suite %s\n", name);
      exit(2);
    }
  }
  count = 0;
  for (char *name = strtok(curve_names, ","); name && count < 15; name = strtok(NULL, ",")) {
    const mbedtls_ecp_curve_info *info = mbedtls_ecp_curve_info_from_name(name);
    if (!info) {
      fprintf(stderr, "no curve %s\n", name);
      exit(2);
    }
    curves[count++] = info->grp_id;
  }
  curves[count] = MBEDTLS_ECP_DP_NONE;
}

static int configure(char **arg) {
  mbedtls_ssl_config_init(&config);
  mbedtls_entropy_init(&entropy);
  mbedtls_ctr_drbg_init(&random_bits);
  mbedtls_x509_crt_init(&certificate);
  mbedtls_pk_init(&key);
  read_lists(arg[6], arg[7]);
  if (mbedtls_ctr_drbg_seed(&random_bits, mbedtls_entropy_func, &entropy, NULL, 0) ||
      mbedtls_x509_crt_parse_file(&certificate, arg[2]) || mbedtls_pk_parse_keyfile(&key, arg[3], NULL) ||
      mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT)) {
    return 1;
  }
  mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random_bits);
  mbedtls_ssl_conf_min_version(&config, 3, atoi(arg[4]));
  mbedtls_ssl_conf_max_version(&config, 3, atoi(arg[5]));
  mbedtls_ssl_conf_ciphersuites(&config, suites);
  mbedtls_ssl_conf_curves(&config, curves);
  mbedtls_ssl_conf_authmode(&config, atoi(arg[8]));
  mbedtls_ssl_conf_ca_chain(&config, &certificate, NULL);
  mbedtls_ssl_conf_read_timeout(&config, 3000);
  return mbedtls_ssl_conf_own_cert(&config, &certificate, &key);
}

int main(int count, char **arg) {
  mbedtls_net_context listener;
  mbedtls_net_init(&listener);
  if (count < 9 || count > 10 || configure(arg) || mbedtls_net_bind(&listener, "127.0.0.1", arg[1], MBEDTLS_NET_PROTO_TCP)) {
    fprintf(stderr, "bad arguments\n");
    return 2;
  }
  for (;;) {
    mbedtls_net_context client;
    mbedtls_ssl_context session;
    mbedtls_net_init(&client);
    mbedtls_ssl_init(&session);
    if (mbedtls_net_accept(&listener, &client, NULL, 0, NULL) == 0 && mbedtls_ssl_setup(&session, &config) == 0) {
      mbedtls_ssl_set_bio(&session, &client, mbedtls_net_send, NULL, mbedtls_net_recv_timeout);
      if (mbedtls_ssl_handshake(&session) == 0) {
        unsigned char buffer[256];
        while (count == 10 && mbedtls_ssl_read(&session, buffer, sizeof(buffer)) > 0) {
        }
        mbedtls_ssl_close_notify(&session);
      }
    }
    mbedtls_ssl_free(&session);
    mbedtls_net_free(&client);
  }
}
