#!/bin/bash
# Makes dist/parley_VERSION_linux_ARCH.tar.gz and dist/parley_VERSION_ARCH.deb for
# each architecture given (amd64, arm64). The same commit and tools make the same
# bytes: nothing in them tells when or where they were made.
set -euo pipefail
cd "$(dirname "$0")/.."

VERSION=${VERSION:-$(git describe --tags --always --dirty)}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
# A Debian version begins with a digit; a bare commit comes before every release.
DEBIAN_VERSION=${VERSION#v}
[[ $DEBIAN_VERSION =~ ^[0-9]+\. ]] || DEBIAN_VERSION="0~git$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S).$VERSION"
DEBIAN_VERSION=${DEBIAN_VERSION//-/+}

# The C compiler for an architecture; the machine's own needs no prefix.
compiler() {
	if [[ $1 == "$(go env GOHOSTARCH)" ]]; then echo "${CC:-gcc}"; return; fi
	case $1 in
	amd64) echo x86_64-linux-gnu-gcc ;;
	arm64) echo aarch64-linux-gnu-gcc ;;
	*) echo "package: there are packages for amd64 and arm64, not for $1." >&2; exit 1 ;;
	esac
}

build() {
	local cc
	cc=$(compiler "$1")
	if ! command -v "$cc" >/dev/null; then
		echo "package: $cc is missing, which builds SQLite for $1: install it (Debian: apt install gcc-${cc%-gcc} libc6-dev-$1-cross)." >&2
		exit 1
	fi
	CGO_ENABLED=1 GOOS=linux GOARCH=$1 CC=$cc CGO_CFLAGS="-O2 -g0" go build -trimpath -buildvcs=false \
		-tags "sqlite_fts5 sqlite_omit_load_extension netgo osusergo" \
		-ldflags "-s -w -buildid= -linkmode external -extldflags '-static -Wl,--build-id=none' -X parley/internal/ground/version.stamp=$VERSION" \
		-o "$2" ./cmd/parley
}

# What goes along with the program, into a folder.
documents() {
	mkdir -p "$1"
	cp -r LICENSE README.md CHANGELOG.md docs schema.graphql internal/admin/licences/licences.txt "$1/"
}

# Gives files the commit's time and plain rights, whatever the umask.
settle() {
	chmod -R u=rwX,go=rX "$1"
	find "$1" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
}

archive() { # PROGRAM ARCH
	local name=parley_${VERSION}_linux_$2 folder=$work/archive
	mkdir -p "$folder/$name"
	install -m 755 "$1" "$folder/$name/parley"
	documents "$folder/$name"
	install -m 644 -D packaging/parley.service packaging/parley.env -t "$folder/$name/systemd"
	settle "$folder/$name"
	tar -C "$folder" --sort=name --owner=0 --group=0 --numeric-owner --format=gnu -c "$name" | gzip -9n >"dist/$name.tar.gz"
	echo "dist/$name.tar.gz"
}

debian() { # PROGRAM ARCH
	local root=$work/debian
	install -m 755 -D "$1" "$root/usr/bin/parley"
	install -m 644 -D packaging/parley.service "$root/lib/systemd/system/parley.service"
	install -m 644 -D packaging/parley.env "$root/etc/parley/parley.env"
	documents "$root/usr/share/doc/parley"
	cat LICENSE internal/admin/licences/licences.txt >"$root/usr/share/doc/parley/copyright"
	install -m 755 -D packaging/debian/{postinst,prerm,postrm} -t "$root/DEBIAN"
	echo /etc/parley/parley.env >"$root/DEBIAN/conffiles"
	cat >"$root/DEBIAN/control" <<-END
		Package: parley
		Version: $DEBIAN_VERSION
		Architecture: $2
		Maintainer: ${MAINTAINER:-Parley maintainers <maintainers@parley.invalid>}
		Installed-Size: $(du -sk --apparent-size "$root" | cut -f1)
		Depends: passwd
		Recommends: ca-certificates
		Section: net
		Priority: optional
		Description: GraphQL backend for CRM conversations
		 Agents read, answer and assign conversations by SMS and other channels from
		 inboxes that are built on one typed graph. Needs SQLite (built in) or PostgreSQL.
	END
	settle "$root"
	dpkg-deb --root-owner-group -Zxz --build "$root" "dist/parley_${DEBIAN_VERSION}_$2.deb" >/dev/null
	echo "dist/parley_${DEBIAN_VERSION}_$2.deb"
}

mkdir -p dist
for arch in "${@:-amd64}"; do
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	build "$arch" "$work/parley"
	archive "$work/parley" "$arch"
	if command -v dpkg-deb >/dev/null; then debian "$work/parley" "$arch"; else
		echo "package: dpkg-deb is missing, so there is no Debian package." >&2
		exit 1
	fi
	install -m 755 "$work/parley" "dist/parley-$arch"
	rm -rf "$work"
done
