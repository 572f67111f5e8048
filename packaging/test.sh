#!/bin/bash
# Tries the packages in dist/ of this machine's architecture: what they hold, the
# unit, and the container's root file system with the program in it, as its user, with
# nothing else to see. Needs root for the last, or a kernel that lends it in a user
# namespace.
set -euo pipefail
cd "$(dirname "$0")/.."
ARCH=${ARCH:-$(go env GOHOSTARCH)}
PORT=${PORT:-18437}
program=dist/parley-$ARCH
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

fail() { echo "test-package: $*" >&2; exit 1; }
one() { # the newest file of a pattern
	local found
	found=$(ls -t $1 2>/dev/null | head -1)
	[[ -n $found ]] || fail "there is no $1: run make package first."
	echo "$found"
}

# Every program is linked whole, for its architecture, and runs: those of another
# architecture where QEMU (Debian: qemu-user-static) can play it.
for p in dist/parley-*; do
	kind=$(file -b "$p")
	[[ $kind == *"statically linked"* ]] || fail "$p is not static: $kind"
	case $p in *amd64) [[ $kind == *x86-64* ]] ;; *arm64) [[ $kind == *aarch64* ]] ;; esac || fail "$p is for another architecture: $kind"
	player=
	case $p in "$program") ;; *amd64) player=qemu-x86_64-static ;; *arm64) player=qemu-aarch64-static ;; esac
	if [[ -n $player ]] && ! command -v $player >/dev/null; then
		echo "test-package: $p did NOT run: $player is missing."
		continue
	fi
	$player "$p" version
	$player "$p" migrate --database "$work/$(basename "$p").db" >"$work/log" 2>&1 || fail "$p cannot make a database: $(cat "$work/log")"
	$player "$p" doctor --database "$work/$(basename "$p").db" >"$work/log" 2>&1 || [[ $? == 1 ]] || fail "$p crashes: $(cat "$work/log")"
done

# Archives and Debian packages hold what they promise.
archive=$(one "dist/parley_*_linux_$ARCH.tar.gz")
tar -tzf "$archive" >"$work/listing"
for path in /parley /README.md /LICENSE /docs/operations.md /licences.txt /systemd/parley.service; do
	grep -q "$path\$" "$work/listing" || fail "$archive lacks $path"
done
package=$(one "dist/parley_*_$ARCH.deb")
dpkg-deb --extract "$package" "$work/installed"
dpkg-deb --control "$package" "$work/control"
for path in usr/bin/parley lib/systemd/system/parley.service etc/parley/parley.env usr/share/doc/parley/copyright; do
	[[ -f $work/installed/$path ]] || fail "$package lacks $path"
done
for script in postinst prerm postrm; do sh -n "$work/control/$script"; done
if command -v systemd-analyze >/dev/null; then
	mkdir -p "$work/installed/lib/systemd/system" && cp -r /lib/systemd/system/. "$work/installed/lib/systemd/system/" 2>/dev/null || true
	cp packaging/parley.service "$work/installed/lib/systemd/system/"
	said=$(systemd-analyze verify --root="$work/installed" parley.service 2>&1 | grep -i parley || true)
	[[ -z $said ]] || fail "the unit has faults: $said"
fi

# The container: its root file system for reading alone, its user, its own processes.
[[ $(id -u) == 0 ]] || fail "the container's file system takes root to make: run it as root."
mkdir "$work/root" && packaging/rootfs.sh "$program" internal/admin/licences/licences.txt "$work/root"
[[ -z $(find "$work/root" -name '*sh' -o -name '*.so*') ]] || fail "the container holds a shell or libraries"
chmod 755 "$work"
inside() { # a command in the container
	exec unshare --mount --pid --fork --kill-child bash -euc '
		root=$1; shift
		mount --bind "$root" "$root"
		mount --bind "$root/data" "$root/data"
		mount -o remount,bind,ro "$root"
		exec env -i "PARLEY_DATABASE=/data/parley.db" "PARLEY_ADDR=127.0.0.1:$PORT" \
			"$(command -v chroot)" --userspec=65532:65532 --groups=65532 "$root" "$@"' - "$work/root" "$@"
}
export PORT
(inside /parley health) 2>/dev/null && fail "something else answers on port $PORT; set PORT"
(inside /parley serve) 2>"$work/log" && fail "a first start made a database without being told"
grep -q "parley migrate" "$work/log" || fail "a first start does not say what to do: $(cat "$work/log")"
(inside /parley migrate)
inside /parley serve >"$work/log" 2>&1 &
server=$!
ready=
for _ in $(seq 100); do
	if (inside /parley health) >/dev/null 2>&1; then ready=yes; break; fi
	kill -0 "$server" 2>/dev/null || fail "the server ended: $(cat "$work/log")"
	sleep 0.2
done
[[ -n $ready ]] || fail "the server never became ready: $(cat "$work/log")"
[[ $(stat -c '%u %a' "$work/root/data/parley.db") == "65532 600" ]] || fail "the database is not its user's alone"
kill -TERM "$(pgrep -P "$server")"
wait "$server" || fail "the server did not stop in order: $(cat "$work/log")"
server=
echo "test-package: the packages are sound."
