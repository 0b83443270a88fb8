#!/bin/sh
# Makes the vendored JavaScript again, from npm, in the very versions that are in the repository, and says whether it is the same.
# Needs node and npm. Usage: scripts/vendor.sh [FOLDER]   (without one: callcenter/adapters/web/static/vendor)
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
there=${1:-$here/callcenter/adapters/web/static/vendor}
JSSIP=3.13.8
ESBUILD=0.25.12
UPLOT=1.6.32
AXE=4.14.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$there"
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts "jssip@$JSSIP" "esbuild@$ESBUILD" "uplot@$UPLOT" "axe-core@$AXE" debug@4.4.3 events@3.3.0 sdp-transform@2.15.0 ms@2.1.3 >/dev/null

# JsSIP has no dist file: bundled with what it stands on into one ES module.
echo 'export { default } from "jssip";' >entry.js
node_modules/.bin/esbuild entry.js --bundle --format=esm --target=es2020 --minify --legal-comments=none --charset=utf8 \
    --define:process.env.NODE_ENV='"production"' --log-level=warning --outfile=bundle.js
{
    echo "/* JsSIP $JSSIP (MIT), with debug 4.4.3, events 3.3.0, sdp-transform 2.15.0, ms 2.1.3 (all MIT); see jssip.LICENSE.txt. Made by scripts/vendor.sh. */"
    cat bundle.js
} >"$there/jssip.js"
{
    for name in jssip debug events sdp-transform ms; do
        echo "--- $name ---"
        cat node_modules/$name/LICENSE* node_modules/$name/license* 2>/dev/null || true
        echo
    done
} >"$there/jssip.LICENSE.txt"
# uPlot has an ES module, and axe-core, for the browser tests only, a file that is run as it is: both unchanged.
cp node_modules/uplot/dist/uPlot.esm.js "$there/uPlot.js"
cp node_modules/uplot/dist/uPlot.min.css "$there/uPlot.css"
cp node_modules/uplot/LICENSE "$there/uPlot.LICENSE.txt"
tests=${1:-$here/tests/browser/vendor}
mkdir -p "$tests"
cp node_modules/axe-core/axe.min.js "$tests/axe.min.js"
cp node_modules/axe-core/LICENSE "$tests/axe.LICENSE.txt"
cp node_modules/axe-core/LICENSE-3RD-PARTY.txt "$tests/axe.LICENSE-3RD-PARTY.txt"
cd "$there"
sha256sum jssip.js jssip.LICENSE.txt uPlot.js uPlot.css
sha256sum "$tests/axe.min.js"
