/* A TLS server of wolfSSL whose settings are its arguments; one connection at a time, closed after the handshake.
   PORT CERT KEY MIN MAX SUITES AUTH
   MIN, MAX: minor versions, 2 = TLS 1.1 … 4 = TLS 1.3. SUITES: names of the library joined by colons.
   AUTH: 0 no client certificate, 1 asked for, 2 demanded. Without arguments: the suites that the library has. */
#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static WOLFSSL_METHOD *method_up_to(int newest) {
  switch (newest) {
    case 2: return wolfTLSv1_1_server_method();
    case 3: return wolfTLSv1_2_server_method();
    default: return wolfSSLv23_server_method();
  }
}

/* A method that knows older versions too, kept to `newest` by what it is told not to do. */
static WOLFSSL_CTX *context_of(char **arg) {
  const int oldest = atoi(arg[4]), newest = atoi(arg[5]);
  WOLFSSL_CTX *context = wolfSSL_CTX_new(oldest == newest && newest < 4 ? method_up_to(newest) : wolfSSLv23_server_method());
  if (!context) {
    return NULL;
  }
  if (oldest < newest || newest == 4) {
    wolfSSL_CTX_SetMinVersion(context, oldest);
    if (newest < 4) {
      wolfSSL_CTX_set_options(context, WOLFSSL_OP_NO_TLSv1_3);
    }
  }
  const int mode[] = {WOLFSSL_VERIFY_NONE, WOLFSSL_VERIFY_PEER, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT};
  const int auth = atoi(arg[7]);
  if (auth && wolfSSL_CTX_load_verify_locations(context, arg[2], NULL) != WOLFSSL_SUCCESS) {
    return NULL;
  }
  wolfSSL_CTX_set_verify(context, mode[auth], NULL);
  const int good = wolfSSL_CTX_use_certificate_chain_file(context, arg[2]) == WOLFSSL_SUCCESS &&
                   wolfSSL_CTX_use_PrivateKey_file(context, arg[3], WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS &&
                   wolfSSL_CTX_set_cipher_list(context, arg[6]) == WOLFSSL_SUCCESS;
  return good ? context : NULL;
}

static int listen_on(int port) {
  const int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  return bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 32) ? -1 : listener;
}

int main(int count, char **arg) {
  signal(SIGPIPE, SIG_IGN);
  wolfSSL_Init();
  if (count == 1) {
    char names[8192];
    wolfSSL_get_ciphers(names, sizeof names);
    puts(names);
    return 0;
  }
  WOLFSSL_CTX *context = count == 8 ? context_of(arg) : NULL;
  const int listener = context ? listen_on(atoi(arg[1])) : -1;
  if (listener < 0) {
    fprintf(stderr, "bad arguments\n");
    return 2;
  }
  for (;;) {
    const int client = accept(listener, NULL, NULL);
    const struct timeval patience = {.tv_sec = 3};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    WOLFSSL *session = wolfSSL_new(context);
    wolfSSL_set_fd(session, client);
    if (wolfSSL_accept(session) == WOLFSSL_SUCCESS) {
      wolfSSL_shutdown(session);
    }
    wolfSSL_free(session);
    close(client);
  }
}
