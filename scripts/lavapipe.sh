#!/usr/bin/env bash
# Unpacks Mesa's software Vulkan driver (lavapipe 25) for the tests, on Debian 12, whose own Mesa 22.3 Dawn refuses.
# It comes from bookworm-backports with what it needs, and goes into a folder of its own: apt keeps its lists and packages
# there too, nothing is installed, nothing of the system changes, and root is not needed. `npm test` finds the folder.
set -euo pipefail

home=${XDG_CACHE_HOME:-$HOME/.cache}/dawngrad/lavapipe
[ -e "$home" ] && { echo "lavapipe: already in $home"; exit 0; }
. /etc/os-release
[ "${ID:-}-${VERSION_ID:-}" = debian-12 ] || { echo "lavapipe: for Debian 12 only; here install mesa-vulkan-drivers 24 or newer"; exit 1; }

draft=$home-$$
trap 'rm -rf "$draft"' EXIT
mkdir -p "$draft"/apt/{lists/partial,archives/partial,sources}
mirror=$(grep -rhoE '^(URIs:|deb) +https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | grep -oE 'https?://[^ ]+' | head -1 || true)
cat > "$draft/apt/sources/debian.sources" <<SOURCES
Types: deb
URIs: ${mirror:-http://deb.debian.org/debian}
Suites: bookworm bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES

private() {
  apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$draft/apt/sources" -o Dir::State::Lists="$draft/apt/lists" \
    -o Dir::Cache="$draft/apt" -o Dir::Cache::Archives="$draft/apt/archives" -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Retries=2 -o Acquire::http::Timeout=20 "$@"
}
private update
private install -y --download-only --no-install-recommends -t bookworm-backports mesa-vulkan-drivers libvulkan1 > /dev/null
rm -f "$draft"/apt/archives/libc6_*.deb # never a second C library in a process
for package in "$draft"/apt/archives/*.deb; do dpkg -x "$package" "$draft"; done
rm -rf "$draft/apt"
mv -T "$draft" "$home"
echo "lavapipe: unpacked into $home"
