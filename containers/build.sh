#!/usr/bin/env bash
# Build the image of the tasks, named as conf/containers.config names it. `make image` calls this; all settings are
# environment variables:
#   VARIANT     cpu (default) or cuda
#   ENGINE      docker, podman or buildah; default: the first that works
#   BASE_IMAGE  another base with python3 (3.11 or newer), venv and ca-certificates
#   CA          certificates (pem) of a site whose proxy opens TLS; used while building, not kept in the image
#   NETWORK     network of the build, such as host
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
VARIANT=${VARIANT:-cpu}

works() { command -v "$1" >/dev/null && "$1" info >/dev/null 2>&1; }
if [ -z "${ENGINE:-}" ]; then
    for ENGINE in docker podman buildah none; do works "$ENGINE" && break; done
    [ "$ENGINE" != none ] || { echo "error: none of docker, podman and buildah works here; install or start one" >&2; exit 1; }
fi
image=$(sed -n "s/.*'\(.*:.*-$VARIANT\)'.*/\1/p" "$project/conf/containers.config" | head -n 1)
[ -n "$image" ] || { echo "error: VARIANT=$VARIANT: conf/containers.config names no such image; give cpu or cuda" >&2; exit 1; }

# Only these files go to the engine: the project's folder may hold gigabytes of environment and results.
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
cp "$project"/requirements.lock "$project"/requirements-uv.lock "$project"/containers/choose_variant.py "$project"/containers/import_all.py "$context"
[ -z "${CA:-}" ] || cp "$CA" "$context/site-ca.pem"

arguments=(--file "$project/containers/Dockerfile" --tag "$image" --build-arg "VARIANT=$VARIANT"
    --build-arg "VERSION=$(sed -n "s/^    version = '\(.*\)'/\1/p" "$project/nextflow.config")"
    --build-arg "REVISION=$(git -C "$project" rev-parse HEAD 2>/dev/null || echo unknown)")
for name in BASE_IMAGE TORCH_CPU_INDEX; do
    [ -z "${!name+set}" ] || arguments+=(--build-arg "$name=${!name}")
done
[ -z "${NETWORK:-}" ] || arguments+=(--network "$NETWORK")
if [ "$ENGINE" = docker ] && ! docker buildx version >/dev/null 2>&1; then
    export DOCKER_BUILDKIT=0
fi
[ "$ENGINE" = docker ] || arguments+=(--layers)
echo "Building $image with $ENGINE"
"$ENGINE" build "${arguments[@]}" "$context"
echo "Built $image"
