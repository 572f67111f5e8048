#!/bin/sh
# Lays out the root file system of the container in a folder: the program and its
# licences, the certificates of public authorities, and a folder for data that
# belongs to the container's user. There is no shell.
#   rootfs.sh PROGRAM LICENCES FOLDER
set -eu
certificates=/etc/ssl/certs/ca-certificates.crt
[ -f "$certificates" ] || { echo "rootfs: $certificates is missing: install ca-certificates." >&2; exit 1; }
install -m 755 -D "$1" "$3/parley"
install -m 644 -D "$2" "$3/licences.txt"
install -m 644 -D "$certificates" "$3$certificates"
mkdir -p "$3/etc" "$3/data" "$3/tmp"
echo "parley:x:65532:65532::/data:/nologin" >"$3/etc/passwd"
echo "parley:x:65532:" >"$3/etc/group"
chown 65532:65532 "$3/data"
chmod 700 "$3/data"
chmod 1777 "$3/tmp"
