#!/usr/bin/env bash
# Builds the Dockerfile with buildah and runs what it makes with a read-only root, as its user, without a container engine; for
# machines that reach no registry. The base is Debian (debootstrap) with the Node of this checkout, under the official image's
# name. Needs root, buildah, debootstrap; says what is missing and ends with 0.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in buildah debootstrap unshare; do
  command -v "$tool" > /dev/null || { echo "image: skipped, $tool is not installed (Debian: apt-get install buildah debootstrap)"; exit 0; }
done
[ "$(id -u)" = 0 ] || { echo "image: skipped, needs root"; exit 0; }

scratch=$(mktemp -d)
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
b() { buildah --root "$scratch/storage" --runroot "$scratch/run" "$@"; }
trap 'b umount --all > /dev/null 2>&1 || true; rm -rf "$scratch"' EXIT

base=$(sed -n 's/^ARG NODE_IMAGE=//p' Dockerfile)
root=$scratch/base/root
mkdir -p "$root"
debootstrap --variant=minbase --include=ca-certificates,libatomic1 bookworm "$root" > "$scratch/debootstrap.log"
node=$(node bin/node.mjs -p process.execPath)
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
cp "$node" "$root/usr/local/bin/node"
mkdir -p "$root/usr/local/lib/node_modules"
cp -r "$npm" "$root/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
tar -C "$root" -cf "$scratch/base/root.tar" .
rm -rf "$root"
printf 'FROM scratch\nADD root.tar /\n' > "$scratch/base/Dockerfile"
# Authorities that this machine believes besides, for the build alone.
if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then
  cp -L "$NODE_EXTRA_CA_CERTS" "$scratch/base/extra.pem"
  printf 'COPY extra.pem /etc/ssl/extra.pem\nENV NODE_EXTRA_CA_CERTS=/etc/ssl/extra.pem\n' >> "$scratch/base/Dockerfile"
fi
b bud -q -t "$base" "$scratch/base" > /dev/null
b bud -q --format docker --pull-never --network host -t countersign . > /dev/null
b inspect --type image countersign | node bin/node.mjs -e '
  const { config } = JSON.parse(require("node:fs").readFileSync(0, "utf8")).Docker;
  console.log(JSON.stringify({ user: config.User, stop: config.StopSignal, health: config.Healthcheck?.Test }));
  if (config.User !== "65532:65532" || config.StopSignal !== "SIGTERM" || !config.Healthcheck) process.exit(1);'
mounted=$(b mount "$(b from --pull-never countersign)")

mkdir "$scratch/etc" "$scratch/image"
cp -r setup/compose/policies "$scratch/etc/"
sed 's|^database:.*|data: /var/lib/countersign|; s|^listen:.*|listen: 127.0.0.1:17788|; /^log:/,/receipt:/d' \
  setup/compose/countersign.yaml > "$scratch/etc/countersign.yaml"
chmod -R a+rX "$scratch/etc" && chmod 0755 "$scratch"
export mounted scratch
unshare -mpf --kill-child --mount-proc --propagation private bash -euo pipefail << 'END'
mount --bind "$mounted" "$scratch/image"
mount -o remount,ro,bind "$scratch/image"
cd "$scratch/image"
mount -t tmpfs -o uid=65532,gid=65532,mode=0700 tmpfs var/lib/countersign
mount --bind "$scratch/etc" etc/countersign
mount -t proc proc proc
mount --bind /dev dev
# Always in a process of its own, which becomes the program: a signal to it is one to the program.
inside() {
  exec chroot --userspec=65532:65532 "$scratch/image" /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin NODE_ENV=production \
    COUNTERSIGN_URL=http://127.0.0.1:17788 sh -c "cd /var/lib/countersign && exec $*"
}
run() { (inside "$@"); }
for tool in npm npx gcc make python3; do
  if run "command -v $tool" > /dev/null 2>&1; then echo "image: $tool is in it" >&2; exit 1; fi
done
if run 'touch /opt/x' 2> /dev/null; then echo "image: its root can be written" >&2; exit 1; fi
inside countersign serve --config /etc/countersign/countersign.yaml &
gate=$!
run countersign health --for started --wait 120
run countersign health
run countersign health --for alive
kill -TERM $gate
wait $gate
END
echo "image: built, and run as user 65532 with a read-only root"
