#!/bin/sh
# Packs what training on a GPU needs on a machine without Node into one archive (about 35 MB), to be unpacked in a checkout
# there: Node itself, gpu.js with its two dependencies, webgpu for 64-bit Linux. Sources run as they are: Node strips types.
#   sh scripts/device/pack.sh gpu.tar.xz        and there: tar -xJf gpu.tar.xz && ./node scripts/device/gpu-training.ts
set -eu
to=$(realpath -m "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$(realpath "$root/node_modules/node/bin/node")" "$work/node"
strip "$work/node" 2>/dev/null || true
mkdir -p "$work/node_modules/gpu.js" "$work/node_modules/webgpu/dist"
cd "$root/node_modules"
cp -r gpu.js/src gpu.js/package.json "$work/node_modules/gpu.js"
if [ -d gpu.js/node_modules ]; then cp -r gpu.js/node_modules "$work/node_modules/gpu.js"; fi
cp -r acorn gpu-mock.js fft.js "$work/node_modules"
cp webgpu/package.json webgpu/index.js "$work/node_modules/webgpu"
cp -r webgpu/dist/linux-x64 "$work/node_modules/webgpu/dist"
# Kernels that the build makes and nobody keeps; conformance runs read them.
if [ -d "$root/src/backends/wasm/generated" ]; then
  mkdir -p "$work/src/backends/wasm"
  cp -r "$root/src/backends/wasm/generated" "$work/src/backends/wasm"
fi
tar -C "$work" -cf - . | xz -T0 -6 > "$to"
ls -l "$to"
