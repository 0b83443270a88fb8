# An Asterisk node: the same Debian packages as the private root that `make setup` builds.
# It reads the configuration that `callcenter render` has written into the shared data folder.
FROM debian:forky-slim

# 22.10.1 or newer closes known holes; the build stops when the packages are older.
RUN apt-get update \
    && apt-get install -y --no-install-recommends asterisk asterisk-core-sounds-en-wav asterisk-moh-opsound-wav \
    && rm -rf /var/lib/apt/lists/* \
    && asterisk -V \
    && dpkg --compare-versions "$(asterisk -V | sed -n 's/^Asterisk \([0-9.]*\).*/\1/p')" ge 22.10.1

# One account in all our images, so that the shared data folder needs no wider rights.
RUN groupadd --gid 10001 callcenter \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/callcenter callcenter \
    && install -d -o callcenter -g callcenter -m 0711 /var/lib/callcenter
USER callcenter
VOLUME /var/lib/callcenter

ENV NODE=node1
CMD ["sh", "-c", "exec asterisk -f -n -C \"/var/lib/callcenter/nodes/$NODE/etc/asterisk.conf\""]
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD asterisk -C "/var/lib/callcenter/nodes/$NODE/etc/asterisk.conf" -rx "core show uptime" | grep -q "System uptime"
