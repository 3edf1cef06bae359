"""A DTLS server on wolfSSL, driven through its C interface: wolfssl_dtls.py PORT VERSION CIPHERS CERTIFICATE KEY [PSK-HINT]

It always asks for a cookie, and serves one peer after the other."""

import ctypes
import ctypes.util
import socket
import sys

library = ctypes.util.find_library("wolfssl")
if not library:
    raise SystemExit("libwolfssl is not installed")
wolf = ctypes.CDLL(library)
POINTER = ctypes.c_void_p
FILE_PEM = 1

for name, result, arguments in (
        ("wolfDTLSv1_2_server_method", POINTER, []),
        ("wolfDTLSv1_server_method", POINTER, []),
        ("wolfSSL_CTX_new", POINTER, [POINTER]),
        ("wolfSSL_CTX_set_cipher_list", ctypes.c_int, [POINTER, ctypes.c_char_p]),
        ("wolfSSL_CTX_use_certificate_file", ctypes.c_int, [POINTER, ctypes.c_char_p, ctypes.c_int]),
        ("wolfSSL_CTX_use_PrivateKey_file", ctypes.c_int, [POINTER, ctypes.c_char_p, ctypes.c_int]),
        ("wolfSSL_CTX_use_psk_identity_hint", ctypes.c_int, [POINTER, ctypes.c_char_p]),
        ("wolfSSL_new", POINTER, [POINTER]),
        ("wolfSSL_free", None, [POINTER]),
        ("wolfSSL_set_fd", ctypes.c_int, [POINTER, ctypes.c_int]),
        ("wolfSSL_dtls_set_peer", ctypes.c_int, [POINTER, POINTER, ctypes.c_uint]),
        ("wolfSSL_accept", ctypes.c_int, [POINTER]),
        ("wolfSSL_get_error", ctypes.c_int, [POINTER, ctypes.c_int])):
    function = getattr(wolf, name)
    function.restype, function.argtypes = result, arguments

PskCallback = ctypes.CFUNCTYPE(ctypes.c_uint, POINTER, ctypes.c_char_p, ctypes.POINTER(ctypes.c_ubyte), ctypes.c_uint)


@PskCallback
def give_key(_ssl, _identity, key, _longest):
    ctypes.memmove(key, b"0123456789abcdef", 16)
    return 16


def socket_address(peer):
    """struct sockaddr_in of a peer."""
    family = socket.AF_INET.to_bytes(2, sys.byteorder)
    return family + peer[1].to_bytes(2, "big") + socket.inet_aton(peer[0]) + bytes(8)


def main(port, version, ciphers, certificate, key, hint=None):
    wolf.wolfSSL_Init()
    method = wolf.wolfDTLSv1_server_method() if version == "1.0" else wolf.wolfDTLSv1_2_server_method()
    context = wolf.wolfSSL_CTX_new(method)
    if hint is not None:
        wolf.wolfSSL_CTX_set_psk_server_callback(POINTER(context), give_key)
        wolf.wolfSSL_CTX_use_psk_identity_hint(context, hint.encode())
    set_up = [wolf.wolfSSL_CTX_use_certificate_file(context, certificate.encode(), FILE_PEM),
              wolf.wolfSSL_CTX_use_PrivateKey_file(context, key.encode(), FILE_PEM),
              wolf.wolfSSL_CTX_set_cipher_list(context, ciphers.encode())]
    if set_up != [1, 1, 1]:
        raise SystemExit(f"wolfSSL refuses the configuration: {set_up}")
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", int(port)))
    print("ready", flush=True)
    while True:
        server.settimeout(None)
        _, peer = server.recvfrom(65535, socket.MSG_PEEK)
        session = wolf.wolfSSL_new(context)
        address = socket_address(peer)
        wolf.wolfSSL_dtls_set_peer(session, address, len(address))
        wolf.wolfSSL_set_fd(session, server.fileno())
        if wolf.wolfSSL_accept(session) != 1:
            print("ended with", wolf.wolfSSL_get_error(session, 0), flush=True)
        wolf.wolfSSL_free(session)


main(*sys.argv[1:])
