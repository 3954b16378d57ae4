# A gate in a container. docs/operating.md says how it is run; setup/compose/ is a whole example.
#
# The base can be pinned by digest: --build-arg NODE_IMAGE=docker.io/library/node@sha256:…
ARG NODE_IMAGE=docker.io/library/node:26.10.0-bookworm-slim

# What the gate needs at run time, as the lock file has it. No package of it runs a script.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY sdk/package.json sdk/
COPY tools/node/package.json tools/node/
RUN npm ci --ignore-scripts --omit=dev --omit=optional \
 && rm -rf node_modules/@countersign node_modules/.package-lock.json node_modules/.bin

# Sources to JavaScript.
FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY sdk/package.json sdk/
COPY tools/node/package.json tools/node/
RUN npm ci --ignore-scripts
COPY . .
RUN node scripts/build.mjs && chmod 0755 dist/cli.js

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Countersign" \
      org.opencontainers.image.description="A self-hosted gate for AI agents' privileged actions" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# No package manager stays: what the gate runs is in the image, or it is not there. The folder of the embedded store belongs to
# the user, so that a new volume there does, too.
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /opt/yarn* \
      /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
 && ln -s /opt/countersign/dist/cli.js /usr/local/bin/countersign \
 && mkdir -p /etc/countersign /var/lib/countersign \
 && chown 65532:65532 /var/lib/countersign \
 && chmod 0700 /var/lib/countersign
COPY --from=dependencies /build/node_modules /opt/countersign/node_modules
COPY --from=build /build/dist /opt/countersign/dist
COPY package.json LICENSE CHANGELOG.md /opt/countersign/
COPY packs /opt/countersign/packs
COPY setup /opt/countersign/setup
COPY examples/policies /opt/countersign/examples/policies

ENV NODE_ENV=production \
    COUNTERSIGN_URL=http://127.0.0.1:7788
USER 65532:65532
WORKDIR /var/lib/countersign
EXPOSE 7788
STOPSIGNAL SIGTERM
# Whether it lives, not whether it is ready: nobody should restart it because its database is away.
HEALTHCHECK --interval=30s --timeout=10s --start-period=90s --retries=3 CMD ["countersign", "health", "--for", "alive"]
ENTRYPOINT ["countersign"]
CMD ["serve", "--config", "/etc/countersign/countersign.yaml"]
