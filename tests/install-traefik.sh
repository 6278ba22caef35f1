#!/bin/sh
# Build the real Traefik into .tools/traefik from its Go module, once: it takes minutes. The tests find it there.
#
# `go install` refuses the module for the replace directives in its go.mod, and the module cache is read-only: so its
# folder is copied and built there. Version 3.7 cannot be built this way: a module that its go.mod replaces by a folder
# of the repository is not in the archive of the module.
set -eu
version=${TRAEFIK_VERSION:-v3.6.12}
tools=$(cd "$(dirname "$0")/.." && pwd)/.tools
if [ -x "$tools/traefik" ] && [ "$(cat "$tools/traefik.version" 2>/dev/null)" = "$version" ]; then
  exit 0
fi
if ! command -v go >/dev/null 2>&1; then
  echo "Traefik is built with Go, which is not installed (to have it: apt-get install golang-go, or https://go.dev/dl)" >&2
  exit 1
fi
echo "building Traefik $version; this takes minutes"
build=$(mktemp -d)
trap 'chmod -R u+w "$build"; rm -rf "$build"' EXIT
cd "$build"
folder=$(go mod download -json "github.com/traefik/traefik/v3@$version" | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p')
[ -n "$folder" ] || { echo "the module of Traefik $version could not be downloaded" >&2; exit 1; }
cp -R "$folder" source
chmod -R u+w source
cd source
CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X github.com/traefik/traefik/v3/pkg/version.Version=${version#v}" -o "$build/traefik" ./cmd/traefik
mkdir -p "$tools"
mv "$build/traefik" "$tools/traefik"
echo "$version" >"$tools/traefik.version"
