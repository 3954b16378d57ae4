#!/usr/bin/env bash
# Proves the published form: packs the package, installs the tarball in an empty folder, and runs it there.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ ! -e src/cli.ts ]; then
  echo "packed: skipped, there is no src/cli.ts yet"
  exit 0
fi

# The package brings no Node of its own; whoever installs it has a new enough one. Here that is the checkout's.
node_folder=$(node bin/node.mjs -p 'path.dirname(process.execPath)')
export PATH="$node_folder:$PATH"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

npm pack --silent --pack-destination "$scratch" > /dev/null
tarball=$(echo "$scratch"/countersign-*.tgz)
tar -tzf "$tarball" | sed 's|^package/||' | sort > "$scratch/files"
echo "packed: $(wc -l < "$scratch/files") files, $(wc -c < "$tarball") bytes"

# Sources, tests and machinery stay home.
if grep -vE '^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist/)' "$scratch/files"; then
  echo "packed: the files above do not belong in the package" >&2
  exit 1
fi
grep -qx dist/cli.js "$scratch/files"

mkdir "$scratch/app"
cd "$scratch/app"
npm init --yes > /dev/null
npm install --no-audit --no-fund "$tarball"
if ls node_modules | grep -E '^node-(bin-)?(linux|darwin|win)'; then
  echo "packed: the package brings a Node binary along" >&2
  exit 1
fi
npx --no-install countersign --help

# The demo from the installed package, without a person, belongs here once it exists.
echo "packed: ok"
