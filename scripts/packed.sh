#!/usr/bin/env bash
# Proves the published form: packs the package, installs the tarball in an empty folder, and runs it there.
set -euo pipefail
cd "$(dirname "$0")/.."

# The package brings no Node of its own; whoever installs it has a new enough one. Here that is the checkout's.
node_folder=$(node bin/node.mjs -p 'path.dirname(process.execPath)')
export PATH="$node_folder:$PATH"

scratch=$(mktemp -d)
gate=
trap 'test -z "$gate" || kill "$gate" 2> /dev/null || true; rm -rf "$scratch"' EXIT

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

# Evidence from the installed package: its threads (rendering, signing) and its fonts are found there, and what it makes verifies.
mkdir -p evidence/policies
cat > evidence/countersign.yaml << 'END'
listen: 127.0.0.1:0
roles: { operators: platform, auditors: audit }
people:
  - { id: sam, name: Sam Lee, groups: [platform] }
  - { id: ada, name: Ada Berg, groups: [audit] }
agents:
  - { id: bot, owners: [sam] }
operations:
  bill___refund: { input: { type: object, properties: { cents: { type: integer } } }, profile: { verb: Refund, effect: write } }
END
echo '@id("all") permit (principal, action, resource);' > evidence/policies/all.cedar
cd evidence
cli=../node_modules/countersign/dist/cli.js
node "$cli" serve > serving &
gate=$!
for _ in $(seq 100); do grep -q '^listening on ' serving && break; sleep 0.2; done
url=$(sed -n 's/^listening on //p' serving)
bot=$(node "$cli" token agent bot)
node -e 'fetch(process.argv[1] + "/v1/actions", { method: "POST",
  headers: { authorization: `Bearer ${process.argv[2]}`, "content-type": "application/json" },
  body: JSON.stringify({ operation: "bill___refund", input: { cents: 5 } }) }).then((r) => process.exit(r.ok ? 0 : 1))' "$url" "$bot"
day() { node -p "new Date(Date.now() + $1 * 864e5).toISOString().slice(0, 10)"; }
period=(--from "$(day -1)" --to "$(day 2)")
COUNTERSIGN_TOKEN=$(node "$cli" token person ada) node "$cli" evidence "${period[@]}" --samples 1 --url "$url" --out package
(cd package && sha256sum --quiet -c SHA256SUMS && grep -q '"tier": "tamper-detecting"' manifest.json)
head -c 5 package/00-Report.pdf | grep -qx '%PDF-'
(cd package && sed -n 's/^  countersign \(log verify --receipt .*\)/\1/p' VERIFY.txt | while read -r words; do
  # The words have no quotes and no spaces of their own.
  # shellcheck disable=SC2086
  node "../$cli" $words || exit 1
done)
kill "$gate"
wait "$gate" || true
gate=
# And at the machine, without a gate.
node "$cli" evidence "${period[@]}" --zip package.zip
cd ..

# The demo from the installed package, deciding by itself: real servers, a real agent, one run each.
npx --no-install countersign demo --auto | tee "$scratch/demo"
grep -q 'export_rows ran once, grant_role ran once' "$scratch/demo"
echo "packed: ok"
