#!/bin/sh
# A login program for telnetd where the real one cannot work (user namespaces: no groups; loopback: no accounts of its
# own). usage: login.sh FILE   with one NAME:PASSWORD per line. Same dialogue and the same delay as busybox login.
tries=0
while [ "$tries" -lt 3 ]; do
  printf '%s login: ' "${DEVICE_NAME:-device}"
  read -r name || exit 1
  stty -echo 2>/dev/null
  printf 'Password: '
  read -r password || exit 1
  stty echo 2>/dev/null
  printf '\r\n'
  if [ -n "$name" ] && grep -qxF -- "$name:$password" "$1"; then
    PS1='# ' exec /bin/sh
  fi
  sleep 3
  printf 'Login incorrect\r\n'
  tries=$((tries + 1))
done
