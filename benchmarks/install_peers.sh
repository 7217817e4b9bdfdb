#!/usr/bin/env bash
# Installs what labdeck is measured against into benchmarks/.peers, which git ignores.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p .peers
[ -f .peers/package.json ] || echo '{"private": true}' >.peers/package.json
export PUPPETEER_SKIP_DOWNLOAD=1 PUPPETEER_SKIP_CHROMIUM_DOWNLOAD=1
npm install --prefix .peers --ignore-scripts --no-audit --no-fund --save-exact \
  reveal-md@6.1.4 reveal.js@6.0.2 katex@0.19.1
