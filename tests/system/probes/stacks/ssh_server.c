/* An SSH server of libssh that ends connections for an answer; a process for each, counting together.
   PORT HOST-KEY USER PASSWORD REFUSED JUDGED [WORDS]
   REFUSED: wrong passwords that are refused in the words of the protocol, -1: all; later ones get the end.
   JUDGED: passwords that are judged, -1: all; later ones get the end, the right one too. "login": nobody comes as far,
   the request "none" gets it. "change": the first right password of a connection gets
   SSH_MSG_USERAUTH_PASSWD_CHANGEREQ, "change-all": the first of any does.
   WORDS: the end is SSH_MSG_DISCONNECT with them; without, the connection is closed. */
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct device {
  const char *user, *password, *words;
  int refused, judged, shut;
  int changes, changes_all;
  int *seen, *wrong; /* of all connections */
};

static void end(const struct device* device, ssh_session session) {
  if (device->words) {
    ssh_session_set_disconnect_message(session, device->words);
    ssh_disconnect(session);
  } else {
    shutdown(ssh_get_fd(session), SHUT_RDWR);
  }
  exit(0);
}

static int lets_in(const struct device* device, ssh_session session, ssh_message message) {
  int number = __atomic_add_fetch(device->seen, 1, __ATOMIC_SEQ_CST);
  int judges = device->judged < 0 || number <= device->judged;
  if (!judges)
    end(device, session);
  if (!strcmp(ssh_message_auth_user(message), device->user) &&
      !strcmp(ssh_message_auth_password(message), device->password))
    return 1;
  number = __atomic_add_fetch(device->wrong, 1, __ATOMIC_SEQ_CST);
  if (device->refused >= 0 && number > device->refused)
    end(device, session);
  return 0;
}

/* The number of SSH_MSG_USERAUTH_PK_OK is that of PASSWD_CHANGEREQ after a password, and both hold two strings. */
static void demand(ssh_message message) {
  ssh_string prompt = ssh_string_from_char("Your password has expired."), language = ssh_string_from_char("");
  ssh_message_auth_reply_pk_ok(message, prompt, language);
  ssh_string_free(prompt);
  ssh_string_free(language);
}

static void serve(const struct device* device, ssh_session session) {
  ssh_message message;
  int demanded = 0;
  if (ssh_handle_key_exchange(session) != SSH_OK)
    exit(0);
  while ((message = ssh_message_get(session))) {
    int login = ssh_message_type(message) == SSH_REQUEST_AUTH;
    if (login && device->shut)
      end(device, session);
    int by_password = login && ssh_message_subtype(message) == SSH_AUTH_METHOD_PASSWORD;
    int right = by_password && lets_in(device, session, message);
    if (by_password && !demanded && (device->changes_all || (device->changes && right))) {
      demanded = 1;
      demand(message);
    } else if (right && !device->changes) {
      ssh_message_auth_reply_success(message, 0);
    } else {
      ssh_message_auth_set_methods(message, SSH_AUTH_METHOD_PASSWORD);
      ssh_message_reply_default(message);
    }
    ssh_message_free(message);
  }
  exit(0);
}

int main(int count, char** arg) {
  if (count < 7)
    return 2;
  int* counts = mmap(NULL, 2 * sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int changes = !strncmp(arg[6], "change", 6);
  struct device device = {arg[3],
                          arg[4],
                          count > 7 ? arg[7] : NULL,
                          atoi(arg[5]),
                          changes ? -1 : atoi(arg[6]),
                          !strcmp(arg[6], "login"),
                          changes,
                          !strcmp(arg[6], "change-all"),
                          counts,
                          counts + 1};
  ssh_bind door = ssh_bind_new();
  int no = 0;
  ssh_bind_options_set(door, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
  ssh_bind_options_set(door, SSH_BIND_OPTIONS_BINDADDR, "127.0.0.1");
  ssh_bind_options_set(door, SSH_BIND_OPTIONS_BINDPORT_STR, arg[1]);
  ssh_bind_options_set(door, SSH_BIND_OPTIONS_HOSTKEY, arg[2]);
  if (counts == MAP_FAILED || ssh_bind_listen(door) != SSH_OK) {
    fprintf(stderr, "%s\n", ssh_get_error(door));
    return 1;
  }
  signal(SIGCHLD, SIG_IGN);
  for (;;) {
    ssh_session session = ssh_new();
    if (ssh_bind_accept(door, session) != SSH_OK)
      return 1;
    if (fork() == 0) {
      alarm(60);
      close(ssh_bind_get_fd(door));
      serve(&device, session);
    }
    close(ssh_get_fd(session)); /* ssh_disconnect would say goodbye in the place of the child */
    ssh_free(session);
  }
}
