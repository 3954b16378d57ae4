#!/usr/bin/env bash
# Proves the published form: packs the package, installs the tarball in an empty folder, and runs it there.
set -euo pipefail
cd "$(dirname "$0")/.."

# The package brings no Node of its own; whoever installs it has a new enough one. Here that is the checkout's.
node_folder=$(node bin/node.mjs -p 'path.dirname(process.execPath)')
export PATH="$node_folder:$PATH"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

npm run build
npm pack --silent --ignore-scripts --pack-destination "$scratch" > /dev/null
tarball=$(echo "$scratch"/countersign-*.tgz)
tar -tzf "$tarball" | sed 's|^package/||' | sort > "$scratch/files"
echo "packed: $(wc -l < "$scratch/files") files, $(wc -c < "$tarball") bytes"

# Sources, tests and machinery stay home.
if grep -vE '^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist/|packs/|setup/|examples/policies/)' "$scratch/files"; then
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
# The packs came along.
npx --no-install countersign init --list-packs | tee "$scratch/packs"
grep -q '^ *github' "$scratch/packs"
# So did the manifest of the Slack app and the icons of the Teams app.
npx --no-install countersign slack setup --manifest | grep -qx '  name: Countersign'
ls node_modules/countersign/setup/teams/color.png node_modules/countersign/setup/teams/outline.png > /dev/null

# The demo from the installed package, deciding by itself: real servers, a real agent, one run each.
npx --no-install countersign demo --auto | tee "$scratch/demo"
grep -q 'export_rows ran once, grant_role ran once' "$scratch/demo"
echo "packed: ok"
